"""The pull of activity: which key spent what on which model at which provider, day by day.

OpenRouter says it for one key at a time and for the last 30 completed days only. So a pull asks for the keys
whose counters moved, then lays the organization's own total beside the sum: what differs sends it to further
keys, then to members (their chat room belongs to no key), and what is left is kept as a row of its own. The
sum of our facts is the total of OpenRouter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import Key, Member, SyncRun
from orgadmin.inventory.money import to_nano
from orgadmin.inventory.nouns import stored
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import activity as upstream
from orgadmin.openrouter.activity import ActivityRow
from orgadmin.openrouter.errors import InvalidRequest, NotFound
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.usage.clock import activity_window, midnight
from orgadmin.usage.models import MEASURES, NO_KEY, DaySum, KeyCursor, Source, UsageDay
from orgadmin.usage.names import Names, endpoint_ids, model_ids, provider_ids
from orgadmin.usage.store import Fact, Scope, replace_facts

# Keys whose answers are written together.
TOGETHER = 200
# Nano-dollars by which a sum of rounded amounts may differ from the rounded sum.
ROUNDING = 1000
SPENT = ("usage", "usage_daily", "byok_usage", "byok_usage_daily")

# Day, workspace, model, endpoint: what the organization-wide answer can be compared by.
Place = tuple[date, int, int, int]
Counts = tuple[int, ...]
NOTHING: Counts = (0,) * len(MEASURES)


@dataclass
class ActivityPull:
    """The state of one running pull. ``is_full`` does not trust counters: free models move none."""

    organization: Organization
    run: SyncRun
    held: Holding
    client: OpenRouter
    is_full: bool
    since: date
    until: date
    names: Names
    asked: set[int] = field(default_factory=set)
    providers: dict[int, int] = field(default_factory=dict)

    def execute(self) -> None:
        """Raises OpenRouterError as the client does; what was written until then stays."""
        try:
            self._pull()
        finally:
            self.run.calls = self.client.calls

    def _pull(self) -> None:
        total = self._total()
        self._ask_keys(self._moved())
        if differing := self._differing(total):
            first = min(place[0] for place in differing)
            involved = self._held_facts().filter(key_id__gt=0, day__gte=first).values("key_id").distinct()
            self._ask_keys(self._keys().filter(Q(active_at__gte=midnight(first)) | Q(pk__in=involved)))
        if self.is_full and self._beyond(total):
            # What no key explains may be the use of free models, which shows in no counter.
            through = KeyCursor.objects.filter(organization=self.organization, through__gte=self.until)
            self._ask_keys(self._keys().exclude(pk__in=through.values("key_id")))
        if self._differing(total):
            self._keep_unexplained(self._beyond(total))
        self._note_days(total)

    # --- what the organization says ---

    def _total(self) -> dict[Place, Counts]:
        self.held.renew()
        rows = upstream.fetch(self.client, by_workspace=True)
        return _sums((fact[:1] + fact[3:6], fact) for fact in self._facts(rows, NO_KEY, 0))

    def _differing(self, total: Mapping[Place, Counts]) -> set[Place]:
        """Where the organization's total is not the sum of all we hold."""
        held = self._sums_of(self._held_facts(), total)
        return {
            place
            for place in held.keys() | total.keys()
            if _is_more(map(abs, _difference(total.get(place, NOTHING), held.get(place, NOTHING))))
        }

    def _beyond(self, total: Mapping[Place, Counts]) -> dict[Place, Counts]:
        """What the organization has beyond the facts of its keys, where that is more than nothing."""
        held = self._sums_of(self._held_facts().exclude(key_id=NO_KEY), total)
        over = {place: minus(counts, held.get(place, NOTHING)) for place, counts in total.items()}
        return {place: counts for place, counts in over.items() if _is_more(counts)}

    def _held_facts(self) -> QuerySet[UsageDay]:
        return UsageDay.objects.filter(
            organization_id=self.organization.pk, day__range=(self.since, self.until)
        ).order_by()

    def _sums_of(self, facts: QuerySet[UsageDay], total: Mapping[Place, Counts]) -> dict[Place, Counts]:
        """The facts by place; without workspaces where ``total`` comes from a server that knows none."""
        rows = facts.values_list("day", "workspace_id", "model_id", "endpoint_id").annotate(
            *(Sum(name) for name in MEASURES)
        )
        splits = any(place[1] for place in total)
        return _sums(
            ((row[0], row[1] if splits else 0, *row[2:4]), (*_PADDING, *whole_counts(row[4:])))
            for row in rows
        )

    # --- what its keys say ---

    def _keys(self) -> QuerySet[Key]:
        """The keys that can have been used in these days."""
        gone_before = midnight(self.since)
        return (
            Key.objects.filter(organization=self.organization)
            .exclude(gone_at__lt=gone_before)
            .exclude(pk__in=self.asked)
            .only("hash", "owner_id", "workspace_id", "organization_id", *SPENT)
            .order_by("-usage_monthly", "pk")
        )

    def _moved(self) -> list[Key]:
        """The keys that have spent more, up to the last midnight, than when they were asked for last."""
        cursors = {
            cursor.key_id: (cursor.usage, cursor.byok_usage)
            for cursor in KeyCursor.objects.filter(organization=self.organization)
        }
        nothing = (Decimal(0), Decimal(0))
        return [key for key in self._keys() if _completed(key) != cursors.get(key.pk, nothing)]

    def _ask_keys(self, keys: Iterable[Key]) -> None:
        wanted = list(keys)
        self.run.expected += len(wanted)
        for start in range(0, len(wanted), TOGETHER):
            some = wanted[start : start + TOGETHER]
            facts: list[Fact] = []
            answered: list[Key] = []
            for key in some:
                rows = self._ask(
                    lambda key=key: upstream.fetch(  # type: ignore[misc]
                        self.client, api_key_hash=key.hash, by_workspace=True
                    )
                )
                self.asked.add(key.pk)
                if rows is not None:
                    home = key.workspace_id or 0
                    facts += self._facts(rows, key.pk, key.owner_id or 0, home=home)
                    answered.append(key)
            self._write(answered, facts)

    def _ask(self, fetch: Callable[[], Sequence[ActivityRow]]) -> Sequence[ActivityRow] | None:
        """One call; None when OpenRouter does not know the key or member any more, and says so."""
        self.held.renew()
        try:
            return fetch()
        except (NotFound, InvalidRequest):
            return None

    def _write(self, keys: Sequence[Key], facts: Sequence[Fact]) -> None:
        """The answers for some keys and that they were asked: together, or a kill would forget one of two."""
        self.held.renew()
        scopes = [Scope(key.pk, self.since, self.until) for key in keys]
        with transaction.atomic():
            self.run.changed += replace_facts(
                organization_id=self.organization.pk, scopes=scopes, facts=facts
            )
            KeyCursor.objects.bulk_create(
                [self._cursor(key) for key in keys],
                update_conflicts=True,
                unique_fields=["key_id"],
                update_fields=["usage", "byok_usage", "through"],
            )
        self.run.seen += len(keys)
        self.run.calls = self.client.calls
        self.run.save(update_fields=["calls", "seen", "changed", "expected"])

    def _cursor(self, key: Key) -> KeyCursor:
        usage, byok_usage = _completed(key)
        return KeyCursor(
            organization=self.organization,
            key_id=key.pk,
            usage=usage,
            byok_usage=byok_usage,
            through=self.until,
        )

    # --- what no key explains ---

    def _keep_unexplained(self, beyond: Mapping[Place, Counts]) -> None:
        """Use that no key made, by member where a member says it is theirs."""
        left = dict(beyond)
        facts = list(self._of_members(left)) if left else []
        facts += [self._unexplained(place, 0, counts) for place, counts in left.items() if any(counts)]
        self.held.renew()
        self.run.changed += replace_facts(
            organization_id=self.organization.pk,
            scopes=[Scope(NO_KEY, self.since, self.until)],
            facts=facts,
        )

    def _of_members(self, left: dict[Place, Counts]) -> Iterator[Fact]:
        """What each member used beyond their keys; taken off ``left``."""
        members = Member.objects.filter(organization=self.organization, gone_at=None)
        for member in members.order_by("pk"):
            if not any(any(counts) for counts in left.values()):
                return
            rows = self._ask(
                lambda member=member: upstream.fetch(  # type: ignore[misc]
                    self.client, user_id=member.uid, by_workspace=True
                )
            )
            if rows:
                yield from self._of_member(member, rows, left)

    def _of_member(
        self, member: Member, rows: Sequence[ActivityRow], left: dict[Place, Counts]
    ) -> Iterator[Fact]:
        theirs = _sums((fact[:1] + fact[3:6], fact) for fact in self._facts(rows, NO_KEY, member.pk))
        by_keys = self._held_facts().filter(member_id=member.pk).exclude(key_id=NO_KEY)
        known = self._sums_of(by_keys, left)
        for place, counts in theirs.items():
            rest = left.get(place, NOTHING)
            own = tuple(map(min, minus(counts, known.get(place, NOTHING)), rest))
            if any(own):
                left[place] = minus(rest, own)
                yield self._unexplained(place, member.pk, own)

    def _unexplained(self, place: Place, member_id: int, counts: Counts) -> Fact:
        day, workspace, model, endpoint = place
        provider = self.providers.get(endpoint, 0)
        return (day, NO_KEY, member_id, workspace, model, endpoint, provider, *counts)  # type: ignore[return-value]

    # --- both ---

    def _facts(
        self, rows: Sequence[ActivityRow], key_id: int, member_id: int, *, home: int = 0
    ) -> list[Fact]:
        """The rows of these days as facts. A row that comes twice, alike in everything, is one row."""
        once = list(dict.fromkeys(row for row in map(_hashable, rows) if self.since <= row[0] <= self.until))
        models = model_ids({row[2]: row[1] for row in once})
        endpoints, providers = endpoint_ids(row[3] for row in once), provider_ids(row[4] for row in once)
        facts: list[Fact] = []
        for day, _, permaslug, endpoint, provider, workspace, *counts in once:
            at = endpoints[endpoint]
            self.providers[at] = providers[provider]
            where = self.names.workspaces.get(workspace, 0) if workspace else home
            facts.append((day, key_id, member_id, where, models[permaslug], at, providers[provider], *counts))
        return facts

    def _note_days(self, total: Mapping[Place, Counts]) -> None:
        """What OpenRouter's own total of each day is; the days it has none of are days of nothing."""
        by_day: dict[date, list[Counts]] = defaultdict(list)
        for place, counts in total.items():
            by_day[place[0]].append(counts)
        now = timezone.now()
        days = [
            DaySum(
                organization=self.organization,
                day=day,
                source=Source.ACTIVITY,
                upstream=Decimal(sum(sum(counts[-2:]) for counts in by_day.get(day, ()))).scaleb(-9),
                upstream_requests=sum(counts[0] for counts in by_day.get(day, ())),
                checked_at=now,
            )
            for day in days_between(self.since, self.until)
        ]
        DaySum.objects.bulk_create(
            days,
            update_conflicts=True,
            unique_fields=["organization", "day"],
            update_fields=["source", "upstream", "upstream_requests", "checked_at"],
        )


_PADDING = (0,) * 7


def days_between(since: date, until: date) -> list[date]:
    """Both included; none when they are the other way round."""
    return [date.fromordinal(number) for number in range(since.toordinal(), until.toordinal() + 1)]


def _completed(key: Key) -> tuple[Decimal, Decimal]:
    """What the key had spent when the day of its counters began."""
    return key.usage - key.usage_daily, key.byok_usage - key.byok_usage_daily


def _hashable(row: ActivityRow) -> tuple[Any, ...]:
    return (
        row.day,
        row.model,
        row.model_permaslug or row.model,
        row.endpoint_id,
        row.provider_name,
        row.workspace_id or "",
        row.requests,
        row.prompt_tokens,
        row.completion_tokens,
        row.reasoning_tokens,
        row.cached_tokens or 0,
        to_nano(stored(row.usage)),
        to_nano(stored(row.byok_usage_inference)),
    )


def _sums(rows: Iterable[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> dict[Place, Counts]:
    """Facts added up by place."""
    found: dict[Place, Counts] = {}
    for place, fact in rows:
        before = found.get(place, NOTHING)
        found[place] = tuple(a + b for a, b in zip(before, fact[7:], strict=True))
    return found


def _difference(all_of_it: Counts, known: Counts) -> Counts:
    return tuple(whole - part for whole, part in zip(all_of_it, known, strict=True))


def _is_more(counts: Iterable[int]) -> bool:
    """Whether this is more than what rounding each of many facts to the nano-dollar can make."""
    *numbers, usage, byok_usage = counts
    return any(numbers) or usage > ROUNDING or byok_usage > ROUNDING


def minus(all_of_it: Counts, known: Counts) -> Counts:
    """What is left of each; never below zero."""
    return tuple(max(0, whole - part) for whole, part in zip(all_of_it, known, strict=True))


def whole_counts(values: Sequence[Any]) -> Counts:
    """Sums of the database as whole numbers: money as nano-dollars."""
    return tuple(to_nano(value) if isinstance(value, Decimal) else int(value or 0) for value in values)


def pull_activity(run: SyncRun, held: Holding, *, is_full: bool = False) -> None:
    """The body of the kinds "activity" and "activity-full". Raises OpenRouterError and LeaseLost."""
    organization = run.organization
    since, until = activity_window()
    ActivityPull(
        organization=organization,
        run=run,
        held=held,
        client=client_for(organization, patience=PATIENCE),
        is_full=is_full,
        since=since,
        until=until,
        names=Names.of(organization),
    ).execute()


def is_first(organization: Organization) -> bool:
    """Whether no activity was ever pulled here."""
    return DaySum.objects.filter(organization=organization).aggregate(last=Max("day"))["last"] is None
