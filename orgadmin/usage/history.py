"""A year on day one: what was used before activity reaches back, from analytics, key by key.

Analytics answers for 365 days and for one key at a time, by its hash; it does not say the provider. Each key
is a ``HistoryPart``, done in one transaction, so that a pull cut off anywhere goes on where it was. The
organization comes last: what it has beyond the keys we know is the use of unknown keys. A day has one source
(FACTS 3.14): only days that activity never covered are asked for, which also closes the gap that a dashboard
leaves when it was switched off for longer than activity remembers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.money import to_nano
from orgadmin.inventory.nouns import stored
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter.analytics import Filter, Query, Row
from orgadmin.openrouter.errors import OpenRouterError, lacks_feature
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.usage.asking import ANALYTICS, days, whole
from orgadmin.usage.clock import HISTORY_DAYS, days_between, midnight, today
from orgadmin.usage.counts import NOTHING, Counts, added_up, difference, is_more, whole_counts
from orgadmin.usage.daysums import note_days
from orgadmin.usage.models import MEASURES, UNKNOWN_KEY, DaySum, HistoryPart, Source, UsageDay
from orgadmin.usage.names import model_ids
from orgadmin.usage.store import Fact, Scope, replace_facts

METRICS = (
    "request_count",
    "tokens_prompt",
    "tokens_completion",
    "reasoning_tokens",
    "cached_tokens",
    "credits_usage",
    "byok_usage",
)
# A worker has other things to do; what is left is due again at once.
SLICE_SECONDS = 240.0
# In place of a key: the organization as a whole.
EVERYTHING = 0

# Day and model.
Place = tuple[date, int]


def gap(organization: Organization, now: datetime | None = None) -> tuple[date, date] | None:
    """The newest stretch of days that nothing was ever pulled of, as far back as analytics reaches; None
    before activity was pulled once."""
    known = set(
        DaySum.objects.filter(organization=organization).exclude(source="").values_list("day", flat=True)
    )
    if not known:
        return None
    day, first = max(known), _oldest(now)
    while day in known:
        day -= timedelta(days=1)
    until = day
    while day >= first and day not in known:
        day -= timedelta(days=1)
    return (day + timedelta(days=1), until) if until > day else None


def _oldest(now: datetime | None = None) -> date:
    """The first day that analytics answers for."""
    return today(now) - timedelta(days=HISTORY_DAYS - 1)


@dataclass(frozen=True)
class Progress:
    """How many of the parts of a history that is being fetched are there."""

    done: int
    parts: int


def progress(organization: Organization) -> Progress | None:
    """How far the history has come; None where none is being fetched."""
    parts = HistoryPart.objects.filter(organization=organization)
    found = parts.aggregate(parts=Count("pk"), done=Count("done_at"))
    return Progress(**found) if found["done"] < found["parts"] else None


def is_left(organization: Organization) -> bool:
    """Whether there is history to fetch."""
    parts = HistoryPart.objects.filter(organization=organization, done_at=None)
    return parts.exists() or gap(organization) is not None


def due(organization: Organization, last: datetime | None) -> datetime | None:
    """At once while something is left: a slice has just ended. Once a day where the account has no analytics:
    it may get them."""
    if not is_left(organization):
        return None
    if last and organization.capabilities.get(ANALYTICS) is False:
        return last + timedelta(days=1)
    return last or datetime.min.replace(tzinfo=UTC)


def pull_history(
    run: SyncRun,
    held: Holding,
    *,
    clock: Callable[[], float] = time.monotonic,
    seconds: float = SLICE_SECONDS,
) -> None:
    """The body of the kind "history": parts, for a few minutes. Raises OpenRouterError and LeaseLost."""
    client = client_for(run.organization, patience=PATIENCE)
    _plan(run.organization)
    until = clock() + seconds
    try:
        while (part := _next(run.organization)) is not None:
            run.changed += _Part(run.organization, client, held, part).fetch()
            _tell(run, client)
            if clock() >= until:
                return
    except OpenRouterError as error:
        if lacks_feature(error):
            _give_up(run.organization)
        raise
    finally:
        run.calls = client.calls


def _give_up(organization: Organization) -> None:
    """The account has no analytics: what was fetched by halves is not kept, and the days may be imported."""
    with transaction.atomic():
        for since, until in set(
            HistoryPart.objects.filter(organization=organization, done_at=None).values_list("since", "until")
        ):
            _forget(organization, since, until)
        HistoryPart.objects.filter(organization=organization).delete()


def _forget(organization: Organization, since: date, until: date) -> None:
    """Take back the facts of days that nothing vouches for yet."""
    facts = UsageDay.objects.filter(organization_id=organization.pk, day__range=(since, until))
    keys = facts.order_by().values_list("key_id", flat=True).distinct()
    scopes = [Scope(key_id, since, until) for key_id in keys]
    replace_facts(organization_id=organization.pk, scopes=scopes, facts=[])


def _tell(run: SyncRun, client: OpenRouter) -> None:
    parts = HistoryPart.objects.filter(organization=run.organization)
    run.expected, run.seen = parts.count(), parts.exclude(done_at=None).count()
    run.calls = client.calls
    run.save(update_fields=["calls", "seen", "changed", "expected"])


def _plan(organization: Organization) -> None:
    """Open a part for every key that can have been used in the gap, unless parts are open already."""
    if HistoryPart.objects.filter(organization=organization, done_at=None).exists():
        return
    span = gap(organization)
    if span is None:
        return
    since, until = span
    keys = Key.objects.filter(organization=organization).exclude(gone_at__lt=midnight(since))
    there = keys.filter(Q(created_at=None) | Q(created_at__lt=midnight(until + timedelta(days=1))))
    numbers = [*there.order_by("-usage", "pk").values_list("pk", flat=True), EVERYTHING]
    HistoryPart.objects.bulk_create(
        [
            HistoryPart(organization=organization, key_id=number, since=since, until=until)
            for number in numbers
        ],
        update_conflicts=True,
        unique_fields=["organization", "key_id"],
        update_fields=["since", "until", "done_at"],
    )


def _next(organization: Organization) -> HistoryPart | None:
    """The next key; the organization when all keys are done."""
    left = HistoryPart.objects.filter(organization=organization, done_at=None).order_by("pk")
    return left.exclude(key_id=EVERYTHING).first() or left.first()


@dataclass
class _Part:
    organization: Organization
    client: OpenRouter
    held: Holding
    part: HistoryPart

    @property
    def since(self) -> date:
        """Where the span begins that analytics still answers for: it may have been planned days ago."""
        return max(self.part.since, _oldest())

    def fetch(self) -> int:
        """Ask, and write what came and that it came in one transaction; how many facts differ."""
        since = self.since
        if since > self.part.until:
            return self._done(since, None, [], [])
        if self.part.key_id == EVERYTHING:
            return self._everything(since)
        key = Key.objects.filter(organization=self.organization, pk=self.part.key_id).first()
        if key is None:
            return self._done(since, None, [], [])
        return self._done(since, key.pk, list(self._of_key(key, since)), [])

    def _of_key(self, key: Key, since: date) -> Iterator[Fact]:
        since = max(since, key.created_at.date()) if key.created_at else since
        if since > self.part.until:
            return
        hash_is = Filter("api_key_id", "eq", key.hash)
        for (day, model), counts in self._answer(since, hash_is).items():
            yield (day, key.pk, key.owner_id or 0, key.workspace_id or 0, model, 0, 0, *counts)  # type: ignore[misc]

    def _everything(self, since: date) -> int:
        """The organization by day and model; what it has beyond its keys is the use of unknown ones."""
        totals, held = self._answer(since), self._held(since)
        facts: list[Fact] = []
        for place in sorted(totals.keys() | held.keys()):
            beyond = difference(totals.get(place, NOTHING), held.get(place, NOTHING))
            if is_more(map(abs, beyond)):
                facts.append((place[0], UNKNOWN_KEY, 0, 0, place[1], 0, 0, *beyond))  # type: ignore[arg-type]
        return self._done(since, UNKNOWN_KEY, facts, [(day, counts) for (day, _), counts in totals.items()])

    def _held(self, since: date) -> dict[Place, Counts]:
        facts = UsageDay.objects.filter(
            organization_id=self.organization.pk, day__range=(since, self.part.until)
        )
        rows = facts.exclude(key_id=UNKNOWN_KEY).order_by().values_list("day", "model_id")
        return {(row[0], row[1]): whole_counts(row[2:]) for row in rows.annotate(*map(Sum, MEASURES))}

    def _answer(self, since: date, *filters: Filter) -> dict[Place, Counts]:
        """What analytics say by day and model."""
        start, end = days(since, self.part.until)
        question = Query(
            metrics=METRICS,
            dimensions=("model",),
            granularity="day",
            start=start,
            end=end,
            filters=filters,
        )
        rows = [(row.moment.date(), row) for row in whole(self.client, self.held, question) if row.moment]
        models = model_ids({_model(row): "" for _, row in rows})
        return added_up(((day, models[_model(row)]), _counts(row)) for day, row in rows)

    def _done(
        self, since: date, key_id: int | None, facts: list[Fact], totals: list[tuple[date, Counts]]
    ) -> int:
        self.held.renew()
        changed = 0
        with transaction.atomic():
            if key_id is not None:
                scope = Scope(key_id, since, self.part.until)
                changed = replace_facts(organization_id=self.organization.pk, scopes=[scope], facts=facts)
            if self.part.key_id == EVERYTHING:
                self._forget_before(since)
                note_days(self.organization, Source.ANALYTICS, days_between(since, self.part.until), totals)
            self.part.done_at = timezone.now()
            self.part.save(update_fields=["done_at"])
        return changed

    def _forget_before(self, since: date) -> None:
        """Days that analytics forgot before everybody was asked for are not kept by halves."""
        _forget(self.organization, self.part.since, min(since - timedelta(days=1), self.part.until))


def _model(row: Row) -> str:
    return row.dimensions["model"] or "unknown"


def _counts(row: Row) -> Counts:
    money = tuple(to_nano(stored(row.amount(name))) for name in METRICS[-2:])
    return (*(row.count(name) for name in METRICS[:-2]), *money)
