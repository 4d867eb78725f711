"""The pull of activity: which key spent what on which model at which provider, day by day.

OpenRouter says it for one key at a time and for the last 30 completed days only. So a pull asks for the keys
whose counters moved, then lays the organization's own total beside the sum: what differs sends it to further
keys, then to members (their chat room belongs to no key), and what is left is kept as a row of its own. The
sum of our facts is the total of OpenRouter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import Key, Member, SyncRun
from orgadmin.inventory.money import nano_that_fits
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import activity as upstream
from orgadmin.openrouter.activity import ActivityRow
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.usage.clock import activity_window, days_between, midnight
from orgadmin.usage.counts import NOTHING, Counts, added_up, between, difference, is_more, whole_counts
from orgadmin.usage.daysums import note_days
from orgadmin.usage.models import MEASURES, NO_KEY, KeyCursor, Source, UsageDay
from orgadmin.usage.names import Names, Numbers
from orgadmin.usage.store import Fact, Scope, replace_facts

# Keys whose answers are written together.
TOGETHER = 200
SPENT = ("usage", "usage_daily", "byok_usage", "byok_usage_daily")

# Day, workspace, model, endpoint: what the organization-wide answer can be compared by.
Place = tuple[date, int, int, int]


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
    numbers: Numbers = field(default_factory=Numbers)
    slugs: dict[str, str] = field(default_factory=dict)

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
            self._ask_keys(self._involved(differing))
        if self.is_full and self._beyond(total):
            # What no key explains may be the use of free models, which shows in no counter.
            self._ask_keys(self._keys().exclude(pk__in=self._done()))
        if self._differing(total):
            self._keep_unexplained(self._beyond(total))
        self._note_days(total)

    # --- what the organization says ---

    def _total(self) -> dict[Place, Counts]:
        self.held.renew()
        rows = upstream.fetch(self.client, by_workspace=True)
        self._move_on()
        return _by_place(self._facts(rows, NO_KEY, 0))

    def _move_on(self) -> None:
        """After each answer: midnight may have passed, and what has left the window is not there to be
        compared with or replaced."""
        self.since = max(self.since, activity_window()[0])

    def _differing(self, total: Mapping[Place, Counts]) -> dict[Place, Counts]:
        """By how much the organization's total is more (or less) than the sum of all we hold."""
        return self._beyond(total, self._held_facts())

    def _beyond(
        self, total: Mapping[Place, Counts], known: QuerySet[UsageDay] | None = None
    ) -> dict[Place, Counts]:
        """What the organization has beyond the facts that are known: by default, those of its keys. Below
        zero where these have more, as after a refund to the chat room or to a key that is gone."""
        facts = self._held_facts().exclude(key_id=NO_KEY) if known is None else known
        held = self._sums_of(facts, total)
        over = {
            place: difference(total.get(place, NOTHING), held.get(place, NOTHING))
            for place in held.keys() | total.keys()
            if place[0] >= self.since
        }
        return {place: counts for place, counts in over.items() if is_more(map(abs, counts))}

    def _held_facts(self) -> QuerySet[UsageDay]:
        return UsageDay.objects.filter(
            organization_id=self.organization.pk, day__range=(self.since, self.until)
        ).order_by()

    def _sums_of(self, facts: QuerySet[UsageDay], total: Mapping[Place, Counts]) -> dict[Place, Counts]:
        """The facts by place; without workspaces where ``total`` comes from a server that knows none."""
        rows = facts.values_list("day", "workspace_id", "model_id", "endpoint_id").annotate(
            *(Sum(name) for name in MEASURES)
        )
        splits = _splits(total)
        return added_up(
            ((row[0], row[1] if splits else 0, row[2], row[3]), whole_counts(row[4:])) for row in rows
        )

    # --- what its keys say ---

    def _keys(self) -> QuerySet[Key]:
        """The keys that can have been used in these days."""
        gone_before = midnight(self.since)
        return (
            Key.objects.filter(organization=self.organization)
            .exclude(gone_at__lt=gone_before)
            .only("hash", "owner_id", "workspace_id", "organization_id", "gone_at", *SPENT)
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

    def _done(self) -> QuerySet[KeyCursor, int]:
        """The keys that were asked when the last of these days was complete."""
        through = KeyCursor.objects.filter(organization=self.organization, through__gte=self.until)
        return through.values_list("key_id", flat=True)

    def _involved(self, differing: Mapping[Place, Counts]) -> QuerySet[Key]:
        """The keys that can explain a difference. What is missing may be of any key that was alive then and
        was not asked yet; what is too much, of those alone that we hold something of at that place."""
        involved = Q(pk__in=self._held_too_much(differing))
        missing = [place[0] for place, counts in differing.items() if is_more(counts)]
        if missing:
            used = self._held_facts().filter(key_id__gt=0, day__gte=min(missing)).values("key_id")
            alive = Q(active_at__gte=midnight(min(missing))) | Q(pk__in=used)
            involved |= alive & ~Q(pk__in=self._done())
        return self._keys().filter(involved)

    def _held_too_much(self, differing: Mapping[Place, Counts]) -> set[int]:
        places = {place for place, counts in differing.items() if is_more(-count for count in counts)}
        facts = self._held_facts().filter(key_id__gt=0, day__in={place[0] for place in places})
        splits = _splits(differing)
        rows = facts.values_list("key_id", "day", "workspace_id", "model_id", "endpoint_id")
        return {
            key_id
            for key_id, day, workspace, model, endpoint in rows.iterator()
            if (day, workspace if splits else 0, model, endpoint) in places
        }

    def _ask_keys(self, keys: Iterable[Key]) -> None:
        wanted = [key for key in keys if key.pk not in self.asked]
        self.run.expected += len(wanted)
        for start in range(0, len(wanted), TOGETHER):
            answered: list[tuple[Key, list[Fact] | None]] = []
            try:
                for key in wanted[start : start + TOGETHER]:
                    facts = self._facts_of(key)
                    answered.append((key, facts))
            except OpenRouterError:
                # What was answered by then need not be asked for again.
                self._write(answered)
                raise
            self._write(answered)

    def _facts_of(self, key: Key) -> list[Fact] | None:
        """What the key was used for in these days; None when OpenRouter does not know it."""
        rows = self._ask(lambda: upstream.fetch(self.client, api_key_hash=key.hash, by_workspace=True))
        self.asked.add(key.pk)
        if rows is None:
            return None
        return self._facts(rows, key.pk, key.owner_id or 0, home=key.workspace_id or 0)

    def _ask(self, fetch: Callable[[], Sequence[ActivityRow]]) -> Sequence[ActivityRow] | None:
        """One call; None when OpenRouter does not know the key or member any more, and says so."""
        self.held.renew()
        try:
            return fetch()
        except (NotFound, InvalidRequest):
            return None
        finally:
            self._move_on()

    def _write(self, answered: Sequence[tuple[Key, list[Fact] | None]]) -> None:
        """The answers for some keys and that they were asked: together, or a kill would forget one of two.

        A deleted key that OpenRouter does not know any more keeps what we hold of it, and is not asked again.
        """
        self.held.renew()
        keys = [key for key, facts in answered if facts is not None]
        facts = [fact for _, found in answered for fact in found or () if fact[0] >= self.since]
        settled = [key for key, found in answered if found is not None or key.gone_at is not None]
        with transaction.atomic():
            self.run.changed += replace_facts(
                organization_id=self.organization.pk,
                scopes=[Scope(key.pk, self.since, self.until) for key in keys],
                facts=facts,
            )
            KeyCursor.objects.bulk_create(
                [self._cursor(key) for key in settled],
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
            facts=[fact for fact in facts if fact[0] >= self.since],
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
        theirs = _by_place(self._facts(rows, NO_KEY, member.pk))
        by_keys = self._held_facts().filter(member_id=member.pk).exclude(key_id=NO_KEY)
        known = self._sums_of(by_keys, left)
        for place, counts in theirs.items():
            rest = left.get(place, NOTHING)
            own = tuple(map(between, difference(counts, known.get(place, NOTHING)), rest))
            if any(own):
                left[place] = difference(rest, own)
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
        # A model that was renamed is called what the organization called it last.
        for row in sorted(once, reverse=True):
            self.slugs.setdefault(row[2], row[1])
        models = self.numbers.models({row[2]: self.slugs[row[2]] for row in once})
        endpoints = self.numbers.endpoints(row[3] for row in once)
        providers = self.numbers.providers(row[4] for row in once)
        facts: list[Fact] = []
        for day, _, permaslug, endpoint, provider, workspace, *counts in once:
            at = endpoints[endpoint]
            self.providers[at] = providers[provider]
            where = self.names.workspaces.get(workspace, 0) if workspace else home
            facts.append((day, key_id, member_id, where, models[permaslug], at, providers[provider], *counts))
        return facts

    def _note_days(self, total: Mapping[Place, Counts]) -> None:
        counts = [(place[0], counts) for place, counts in total.items()]
        note_days(self.organization, Source.ACTIVITY, days_between(self.since, self.until), counts)


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
        nano_that_fits(row.usage),
        nano_that_fits(row.byok_usage_inference),
    )


def _by_place(facts: Iterable[Fact]) -> dict[Place, Counts]:
    return added_up(((fact[0], fact[3], fact[4], fact[5]), fact[7:]) for fact in facts)


def _splits(places: Iterable[Place]) -> bool:
    """Whether these tell workspaces apart: a server may not know them."""
    return any(place[1] for place in places)


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
