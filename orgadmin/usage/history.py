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
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.money import to_nano
from orgadmin.inventory.nouns import stored
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter.analytics import Filter, Query, Row
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.usage.activity import NOTHING, Counts, days_between, minus, whole_counts
from orgadmin.usage.asking import days, whole
from orgadmin.usage.clock import HISTORY_DAYS, midnight, today
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


def gap(organization: Organization, now: datetime | None = None) -> tuple[date, date] | None:
    """The newest stretch of days that nothing was ever pulled of, as far back as analytics reaches; None
    before activity was pulled once."""
    known = set(
        DaySum.objects.filter(organization=organization).exclude(source="").values_list("day", flat=True)
    )
    if not known:
        return None
    day, first = max(known), today(now) - timedelta(days=HISTORY_DAYS - 1)
    while day in known:
        day -= timedelta(days=1)
    until = day
    while day >= first and day not in known:
        day -= timedelta(days=1)
    return (day + timedelta(days=1), until) if until > day else None


def is_left(organization: Organization) -> bool:
    """Whether there is history to fetch."""
    parts = HistoryPart.objects.filter(organization=organization, done_at=None)
    return parts.exists() or gap(organization) is not None


def due(organization: Organization, last: datetime | None) -> datetime | None:
    """At once while something is left: a slice has just ended."""
    if not is_left(organization):
        return None
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
    finally:
        run.calls = client.calls


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

    def fetch(self) -> int:
        """Ask, and write what came and that it came in one transaction; how many facts differ."""
        if self.part.key_id == EVERYTHING:
            return self._everything()
        key = Key.objects.filter(organization=self.organization, pk=self.part.key_id).first()
        if key is None:
            return self._done([], None, {})
        facts = list(self._of_key(key))
        return self._done(facts, key.pk, {})

    def _of_key(self, key: Key) -> Iterator[Fact]:
        since = max(self.part.since, key.created_at.date()) if key.created_at else self.part.since
        if since > self.part.until:
            return
        rows = list(self._rows(since, (Filter("api_key_id", "eq", key.hash),)))
        models = model_ids({_model(row): "" for row in rows})
        for row in rows:
            assert row.moment is not None
            yield (
                row.moment.date(),
                key.pk,
                key.owner_id or 0,
                key.workspace_id or 0,
                models[_model(row)],
                0,
                0,
                *_counts(row),  # type: ignore[misc]
            )

    def _everything(self) -> int:
        """The organization by day and model; what it has beyond its keys is the use of unknown ones."""
        totals: dict[tuple[date, int], Counts] = {}
        rows = list(self._rows(self.part.since, ()))
        models = model_ids({_model(row): "" for row in rows})
        for row in rows:
            assert row.moment is not None
            place = row.moment.date(), models[_model(row)]
            before = totals.get(place, NOTHING)
            totals[place] = tuple(a + b for a, b in zip(before, _counts(row), strict=True))
        held = self._held()
        facts: list[Fact] = []
        for (day, model), counts in totals.items():
            beyond = minus(counts, held.get((day, model), NOTHING))
            if any(beyond):
                facts.append((day, UNKNOWN_KEY, 0, 0, model, 0, 0, *beyond))  # type: ignore[arg-type]
        return self._done(facts, UNKNOWN_KEY, totals)

    def _held(self) -> dict[tuple[date, int], Counts]:
        rows = (
            UsageDay.objects.filter(
                organization_id=self.organization.pk, day__range=(self.part.since, self.part.until)
            )
            .exclude(key_id=UNKNOWN_KEY)
            .order_by()
            .values_list("day", "model_id")
            .annotate(*(Sum(name) for name in MEASURES))
        )
        return {(row[0], row[1]): whole_counts(row[2:]) for row in rows}

    def _rows(self, since: date, filters: tuple[Filter, ...]) -> Iterator[Row]:
        start, end = days(since, self.part.until)
        question = Query(
            metrics=METRICS,
            dimensions=("model",),
            granularity="day",
            start=start,
            end=end,
            filters=filters,
        )
        yield from whole(self.client, self.held, question)

    def _done(self, facts: list[Fact], key_id: int | None, totals: dict[tuple[date, int], Counts]) -> int:
        self.held.renew()
        changed = 0
        with transaction.atomic():
            if key_id is not None:
                scope = Scope(key_id, self.part.since, self.part.until)
                changed = replace_facts(organization_id=self.organization.pk, scopes=[scope], facts=facts)
            if self.part.key_id == EVERYTHING:
                self._note_days(totals)
            self.part.done_at = timezone.now()
            self.part.save(update_fields=["done_at"])
        return changed

    def _note_days(self, totals: dict[tuple[date, int], Counts]) -> None:
        now = timezone.now()
        by_day: dict[date, list[Counts]] = {}
        for (day, _), counts in totals.items():
            by_day.setdefault(day, []).append(counts)
        DaySum.objects.bulk_create(
            [
                DaySum(
                    organization=self.organization,
                    day=day,
                    source=Source.ANALYTICS,
                    upstream=Decimal(sum(sum(counts[-2:]) for counts in by_day.get(day, ()))).scaleb(-9),
                    upstream_requests=sum(counts[0] for counts in by_day.get(day, ())),
                    checked_at=now,
                )
                for day in days_between(self.part.since, self.part.until)
            ],
            update_conflicts=True,
            unique_fields=["organization", "day"],
            update_fields=["source", "upstream", "upstream_requests", "checked_at"],
        )


def _model(row: Row) -> str:
    return row.dimensions["model"] or "unknown"


def _counts(row: Row) -> Counts:
    money = tuple(to_nano(stored(row.amount(name))) for name in METRICS[-2:])
    return (*(row.count(name) for name in METRICS[:-2]), *money)
