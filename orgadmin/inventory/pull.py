"""One pull of one noun: walk upstream, keep the differences, audit those we did not make.

Nothing is written for a row that is as it was. Each page is one transaction, so a pull killed between two
pages has lost nothing and the next one repeats nothing: rows are compared, not replayed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target, outside_entry
from orgadmin.audit.text import writable
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import Mirror, SyncRun
from orgadmin.inventory.nouns import Noun
from orgadmin.inventory.pending import Difference, Pending, failed_creates, settled_acts
from orgadmin.inventory.ways import Way
from orgadmin.openrouter import workspaces
from orgadmin.openrouter.errors import Forbidden, InvalidRequest, NotFound, OpenRouterError, Unauthorized
from orgadmin.openrouter.transport import OpenRouter, Patience

# Objects missing from the list that one pull asks for by identity; the rest wait for the next pull.
CONFIRMATIONS = 300
# A row that changes is written with its whole page; a progress bar need not move more often than this.
PROGRESS_SECONDS = 1.0
# One call, retries and waits included, must end well before the lease does: nobody else may begin meanwhile.
PATIENCE = Patience(tries=6, seconds=40, connect_timeout=5, read_timeout=30)


@dataclass(frozen=True)
class Fresh:
    """A row to be written: the one we have (None: it is new), its new values, and what of them is worth an
    audit entry."""

    row: Mirror | None
    identity: str
    values: Mapping[str, Any]
    difference: Difference | None


@dataclass
class Pull:
    """The state of one running pull."""

    organization: Organization
    noun: Noun
    run: SyncRun
    held: Holding
    client: OpenRouter
    # The first pull of a noun fills an empty table: nobody "created" those rows outside.
    audits: bool
    links: Any
    pending: Pending
    seen: set[str] = field(default_factory=set)
    # Identities that our column does not take, in the order they came.
    unnameable: dict[str, None] = field(default_factory=dict)
    # Whether something was left alone because an act of ours on it, or on its like, had just begun.
    left_alone: bool = False
    told_at: float = 0.0
    # Of a noun with several ways in: those taken so far, the one in hand, and the parts that were read whole.
    taken: list[Way] = field(default_factory=list)
    way: Way | None = None
    covered: set[str] = field(default_factory=set)

    def execute(self) -> None:
        """Walk everything, then settle what was missing. Raises OpenRouterError as the client does."""
        started = timezone.now()
        try:
            for asked_at, items in self._pages():
                self._keep(items, asked_at)
                self._tell()
            self._keep_beyond()
            self._settle_missing(started)
            self._settle_creates(started)
        finally:
            # Whoever closes the run, for good or bad, closes it with what it took.
            self.run.calls, self.run.seen = self._calls(), len(self.seen)
        self.noun.after(self.organization)

    def _calls(self) -> int:
        others = {id(way.client): way.client.calls for way in self.taken if way.client is not self.client}
        return self.client.calls + sum(others.values())

    # --- walking ---

    def _scopes(self) -> Iterator[str | None]:
        if not self.noun.per_workspace:
            yield None
            return
        has_its = self.noun.asks(self.organization)
        for page in workspaces.walk(self.client):
            self.held.renew()
            yield from (workspace.id for workspace in page if has_its(workspace.id))

    def _pages(self) -> Iterator[tuple[datetime, Sequence[Any]]]:
        """Each page with the moment just before it was asked for."""
        if self.noun.ways is not None:
            for way in self.noun.ways(self.organization, self.client, PATIENCE):
                yield from self._pages_by(way)
            return
        for scope in list(self._scopes()):
            walk = iter(self.noun.walk(self.client, scope))
            while True:
                asked_at = timezone.now()
                try:
                    items = next(walk, None)
                except (NotFound, InvalidRequest) as error:
                    if scope is None or self._workspace_is_there(scope, error):
                        raise
                    # It was deleted while we walked; its keys are asked for one by one below.
                    break
                if items is None:
                    break
                yield asked_at, items

    def _pages_by(self, way: Way) -> Iterator[tuple[datetime, Sequence[Any]]]:
        """What one of several credentials shows. Where it is refused, nothing is known and nothing gone."""
        self.taken.append(way)
        self.way = way
        walk = way.walk()
        try:
            while True:
                asked_at = timezone.now()
                items = next(walk, None)
                if items is None:
                    break
                yield asked_at, items
        except (Unauthorized, Forbidden) as error:
            way.refused(error)
            self.left_alone = True
        else:
            way.read()
            self.covered |= way.covers()

    def _keep_beyond(self) -> None:
        """What no list shows, one by one."""
        if self.noun.beyond is None:
            return
        asked_at = timezone.now()
        for items in self.noun.beyond(self.client, self.organization, frozenset(self.seen)):
            self._keep(items, asked_at)
            asked_at = timezone.now()

    def _workspace_is_there(self, uid: str, refusal: OpenRouterError) -> bool:
        """Whether a refused list is to blame on something else than its workspace having gone."""
        try:
            workspaces.get(self.client, workspace_id=uid)
        except NotFound:
            return False
        except OpenRouterError:
            raise refusal from None
        return True

    def _tell(self) -> None:
        """Write progress, at most once a second."""
        if time.monotonic() - self.told_at < PROGRESS_SECONDS:
            return
        self.told_at = time.monotonic()
        self.run.calls, self.run.seen = self._calls(), len(self.seen)
        self.run.save(update_fields=["calls", "seen", "added", "changed", "gone"])

    # --- differences ---

    def _keep(self, items: Sequence[Any], asked_at: datetime) -> None:
        # The page may have taken long. Who lost the lease meanwhile must not write any more.
        self.held.renew()
        noun = self.noun
        wanted = self._named(items)
        self.seen.update(wanted)
        rows = self._rows(wanted)
        now = timezone.now()
        fresh: list[Fresh] = []
        for identity, item in wanted.items():
            row = rows.get(identity)
            values = noun.values(item, row, self.links, now)
            if row is None or row.gone_at is not None or _differs(row, values):
                fresh.append(Fresh(row, identity, values, self._difference(row, identity, values)))
        if fresh:
            self._write(fresh, asked_at)

    def _named(self, items: Sequence[Any]) -> dict[str, Any]:
        """The page's objects by identity, without those that we cannot name; the run's row says so."""
        found = {str(getattr(item, self.noun.upstream_identity)): item for item in items}
        self.unnameable.update({identity: None for identity in found if not self.noun.can_name(identity)})
        if self.unnameable:
            number, first = len(self.unnameable), writable(next(iter(self.unnameable)))[:80]
            self.run.error = f"Left out {number}, because an id is too long or unreadable: {first}"
        return {identity: item for identity, item in found.items() if identity not in self.unnameable}

    def _rows(self, identities: Mapping[str, Any]) -> dict[str, Mirror]:
        found = self.noun.model._default_manager.filter(
            organization=self.organization, **{f"{self.noun.identity}__in": list(identities)}
        )
        return {str(getattr(row, self.noun.identity)): row for row in found}

    def _write(self, fresh: Sequence[Fresh], asked_at: datetime) -> None:
        with transaction.atomic():
            ours = self._written_since([one.identity for one in fresh], asked_at)
            current = [one for one in fresh if one.identity not in ours]
            entries = self._explained(current)
            written = [one for one in current if not self._is_in_flight(one)]
            self.left_alone |= len(written) < len(current)
            self._upsert([self._row(one) for one in written])
            Entry.objects.bulk_create(entries)
        self.run.added += sum(one.row is None or one.row.gone_at is not None for one in written)
        self.run.changed += sum(
            one.difference is not None and one.difference.verb == "update" for one in written
        )

    def _explained(self, fresh: Sequence[Fresh]) -> list[Entry]:
        """The entries that the differences are worth: ours resolved, the others' as made outside."""
        found = [one for one in fresh if one.difference is not None]
        if not found:
            return []
        self.pending.refresh()
        settled = settled_acts(self.organization, self.noun.singular, [one.identity for one in found])
        entries: list[Entry] = []
        for one in found:
            if one.difference is None or self._is_in_flight(one):
                continue
            resolved, rest = self.pending.explain(one.difference, settled)
            entries += resolved
            if rest is not None and self.audits and not (self.way and self.way.is_first):
                entries.append(self._outside(rest))
        return entries

    def _is_in_flight(self, one: Fresh) -> bool:
        return one.difference is not None and self.pending.is_in_flight(one.identity, one.values)

    def _outside(self, found: Difference) -> Entry:
        return outside_entry(
            organization=self.organization,
            action=f"{self.noun.singular}.{found.verb}",
            target=found.target,
            before=found.before,
            after=found.after,
        )

    def _written_since(self, identities: Sequence[str], asked_at: datetime) -> set[str]:
        """Rows we wrote ourselves after the page was asked for: the page is out of date about them.

        All the rows are locked until the page is written, and only then looked at: a row that somebody is
        just writing is waited for. Everybody locks keys in the order of their primary keys.
        """
        rows = self.noun.model._default_manager.select_for_update(no_key=True).filter(
            organization=self.organization, **{f"{self.noun.identity}__in": identities}
        )
        moments = rows.order_by("pk").values_list(self.noun.identity, "written_at")
        return {str(identity) for identity, at in moments if at is not None and at >= asked_at}

    def _row(self, one: Fresh) -> Mirror:
        row = one.row
        kept = {"first_seen_at": row.first_seen_at, "written_at": row.written_at} if row else {}
        return self.noun.model(
            organization=self.organization,
            **{self.noun.identity: one.identity},
            **kept,
            **one.values,
            gone_at=None,
        )

    def _upsert(self, rows: Sequence[Mirror]) -> None:
        updated = [*self.noun.columns, "extra", "gone_at", *sorted(self.noun.derived)]
        # A derived link is named by its column here and by its field to Django.
        names = [name.removesuffix("_id") if name in self.noun.derived else name for name in updated]
        self.noun.model._default_manager.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["organization", self.noun.identity],
            update_fields=names,
        )

    def _difference(self, row: Mirror | None, identity: str, values: Mapping[str, Any]) -> Difference | None:
        """What of the new values is worth an audit entry; None when only counters and the like moved."""
        audited = self.noun.audited(values)
        name = self.noun.called(identity, values, self.links) or identity
        target = Target(type=self.noun.singular, id=identity, name=name)
        if row is None or row.gone_at is not None:
            return Difference(target, "create", None, audited)
        after = {column: value for column, value in audited.items() if getattr(row, column) != value}
        before = {column: getattr(row, column) for column in after}
        return Difference(target, "update", before, after) if after else None

    # --- what is not there any more ---

    def _settle_missing(self, started: datetime) -> None:
        missing = self._missing(started)
        if missing and self.noun.confirm is None:
            # The list may have shifted under the walk: only what a second walk misses too is gone.
            for _, items in self._pages():
                self.held.renew()
                self.seen.update(str(getattr(item, self.noun.upstream_identity)) for item in items)
            missing = self._missing(started)
        for row in missing:
            self._settle(row)
            self._tell()

    def _missing(self, started: datetime) -> list[Mirror]:
        """Rows that the walk did not meet; of very many, another choice in each run. Some may exist and stay
        hidden from the list for good: always asked for first, they would keep the others from their turn."""
        alive = self.noun.model._default_manager.filter(
            organization=self.organization, gone_at=None, first_seen_at__lt=started
        ).exclude(written_at__gte=started)
        if self.noun.part:
            alive = alive.filter(**{f"{self.noun.part}__in": self.covered})
        identities = alive.values_list("pk", self.noun.identity)
        lost = [pk for pk, identity in identities.iterator() if str(identity) not in self.seen]
        chosen = Random(self.run.pk).sample(lost, min(len(lost), CONFIRMATIONS))  # noqa: S311 (no secret)
        return list(self.noun.model._default_manager.filter(pk__in=chosen))

    def _settle(self, row: Mirror) -> None:
        identity = str(getattr(row, self.noun.identity))
        asked_at = timezone.now()
        if self.noun.confirm is not None:
            try:
                item = self.noun.confirm(self.client, identity)
            except NotFound:
                pass
            else:
                self._keep([item], asked_at)
                return
        self._mark_gone(row, identity, asked_at)

    def _settle_creates(self, began: datetime) -> None:
        """Whatever exists was met: a create in doubt that explained none of it has failed."""
        if self.left_alone or self.unnameable:
            return
        self.held.renew()
        Entry.objects.bulk_create(failed_creates(self.organization, self.noun.singular, began=began))

    def _mark_gone(self, row: Mirror, identity: str, asked_at: datetime) -> None:
        self.held.renew()
        values = {name: getattr(row, name) for name in self.noun.columns}
        name = self.noun.called(identity, values, self.links) or str(row)
        target = Target(type=self.noun.singular, id=identity, name=name)
        before = self.noun.audited(values)
        found = Difference(target, "delete", before, None)
        with transaction.atomic():
            self.pending.refresh()
            if self.pending.is_in_flight(identity, before):
                return
            rows = self.noun.model._default_manager.filter(pk=row.pk, gone_at=None)
            if not rows.exclude(written_at__gte=asked_at).update(gone_at=timezone.now()):
                return
            settled = settled_acts(self.organization, self.noun.singular, [identity])
            resolved, rest = self.pending.explain(found, settled)
            Entry.objects.bulk_create([*resolved, *([self._outside(rest)] if rest is not None else [])])
        self.run.gone += 1


def _differs(row: Mirror, values: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def begin(*, organization: Organization, noun: Noun, run: SyncRun, held: Holding) -> Pull:
    """A pull ready to execute. Raises Unauthorized when the organization is disconnected."""
    first = not SyncRun.objects.filter(
        organization=organization, kind=noun.kind, state=SyncRun.State.OK
    ).exists()
    return Pull(
        organization=organization,
        noun=noun,
        run=run,
        held=held,
        client=client_for(organization, patience=PATIENCE),
        audits=not first,
        links=noun.prepare(organization),
        pending=Pending(organization, noun.singular),
    )
