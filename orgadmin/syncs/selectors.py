"""What the Sync page shows: each noun's last pulls, and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.kinds import KINDS
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import next_due
from orgadmin.inventory.summary import freshness
from orgadmin.pages import Page, page_of

# A run that waits for longer than this has no worker to take it.
WAITS_TOO_LONG = timedelta(seconds=90)
NOBODY_WORKS = "No worker has taken the sync yet. Is the worker process running?"


LACKING = {
    "members": "This account has none: OpenRouter says it is not an organization.",
    "member_assignments": "OpenRouter says that this account has no members to assign guardrails to.",
    "workspace_budgets": "OpenRouter says that this account has no budgets of workspaces: they come with its "
    "Enterprise plan.",
    "workspace_members": "OpenRouter does not tell this account who is in which workspace.",
    "analytics": "OpenRouter does not offer analytics to this account: what is kept begins with the days of "
    "activity, and older ones can be imported.",
}


def _lacking(organization: Organization, capability: str) -> str:
    return LACKING.get(capability, "") if organization.capabilities.get(capability) is False else ""


@dataclass(frozen=True)
class NounState:
    """How one kind of pull stands. ``newest`` is its latest run, ``good`` the latest that went through."""

    kind: str
    label: str
    newest: SyncRun | None
    good: SyncRun | None
    due_at: datetime | None
    # Why there is nothing to sync: the account does not have it.
    lacking: str

    @property
    def is_open(self) -> bool:
        return self.newest is not None and self.newest.is_open

    @property
    def waits_too_long(self) -> bool:
        run = self.newest
        is_queued = run is not None and run.state == SyncRun.State.QUEUED
        return is_queued and run is not None and run.created_at < timezone.now() - WAITS_TOO_LONG


def noun_states(organization: Organization) -> list[NounState]:
    """Every kind in the order of a first sync: two queries, and what history asks."""
    last = {
        row["kind"]: (row["newest"], row["good"])
        for row in SyncRun.objects.filter(organization=organization)
        .order_by()
        .values("kind")
        .annotate(newest=Max("pk"), good=Max("pk", filter=Q(state=SyncRun.State.OK)))
    }
    runs = SyncRun.objects.select_related("requested_by").in_bulk(
        [number for pair in last.values() for number in pair if number is not None]
    )
    good = {kind for kind, (_, number) in last.items() if number is not None}
    return [_state(organization, kind, runs, good, *last.get(kind, (None, None))) for kind in KINDS]


def _state(
    organization: Organization,
    kind: str,
    runs: dict[int, SyncRun],
    gone_through: set[str],
    newest: int | None,
    good: int | None,
) -> NounState:
    last = runs.get(newest) if newest else None
    return NounState(
        kind=kind,
        label=KINDS[kind].label,
        newest=last,
        good=runs.get(good) if good else None,
        due_at=_due_at(organization, kind, last, gone_through),
        lacking=_lacking(organization, KINDS[kind].capability),
    )


def _due_at(
    organization: Organization, kind: str, last: SyncRun | None, gone_through: set[str]
) -> datetime | None:
    """When the clock asks again; None while a run is open, and for an organization without a key."""
    if organization.status == Organization.Status.DISCONNECTED or (last and last.is_open):
        return None
    due = next_due(organization, kind, last, gone_through.__contains__)
    return due and max(due, timezone.now())


def fresh_now(organization: Organization) -> dict[str, Any]:
    """The freshness as it is at this moment, two queries; a sync that no worker takes counts as failed."""
    found = freshness(organization)
    if found["sync_state"] != "running":
        return found
    run = SyncRun.objects.filter(organization=organization, kind="keys").order_by("-id").first()
    if run is None or run.state != SyncRun.State.QUEUED or run.created_at > timezone.now() - WAITS_TOO_LONG:
        return found
    return {**found, "sync_state": "failed", "sync_message": NOBODY_WORKS}


@dataclass(frozen=True)
class RunFilters:
    """Which runs the list shows; empty means not filtered."""

    kind: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> RunFilters:
        kind, state = query.get("kind", ""), query.get("state", "")
        return cls(
            kind=kind if kind in KINDS else "",
            state=state if state in SyncRun.State.values else "",
        )

    @property
    def is_empty(self) -> bool:
        return self == RunFilters()


def runs_page(organization: Organization, filters: RunFilters, *, number: str | None) -> Page[SyncRun]:
    """One page of the runs of the last 30 days, newest first: two queries."""
    runs: QuerySet[SyncRun] = SyncRun.objects.filter(organization=organization).select_related("requested_by")
    if filters.kind:
        runs = runs.filter(kind=filters.kind)
    if filters.state:
        runs = runs.filter(state=filters.state)
    return page_of(runs.count(), number, lambda offset, limit: list(runs[offset : offset + limit]))
