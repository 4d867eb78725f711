"""The counts that every page shows, kept in one row so that no page counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.guardrails import is_guarded
from orgadmin.inventory.models import (
    Credential,
    Destination,
    Guardrail,
    Key,
    Member,
    Preset,
    SyncRun,
    Workspace,
)

EXPIRES_SOON = timedelta(days=30)
IDLE = timedelta(days=30)
# How many workspaces a page offers to choose from.
CHOICES = 200


def refresh_summary(organization: Organization) -> None:
    """Count again and write ``Organization.summary``; called after each pull and each change."""
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization.pk)
        Organization.objects.filter(pk=organization.pk).update(summary=summary_of(organization))


def summary_of(organization: Organization) -> dict[str, Any]:
    """The counts as they stand: five queries or a few more, none of which a page makes."""
    now = timezone.now()
    # As the list's filter "Active" has it: each count leads to the keys it counts.
    working = Q(disabled=False) & (Q(expires_at=None) | Q(expires_at__gt=now))
    active = working & ~Q(limit_remaining__lte=0)
    # Like ``Key.idle_since``: the last sign of life, else the day it was made.
    idle = Q(active_at__lt=now - IDLE) | Q(active_at=None, created_at__lt=now - IDLE)
    keys = Key.objects.filter(organization=organization, gone_at=None)
    counts = keys.aggregate(
        keys=Count("pk"),
        exhausted=Count("pk", filter=working & Q(limit_remaining__lte=0)),
        unlimited=Count("pk", filter=active & Q(limit=None)),
        expiring=Count("pk", filter=active & Q(expires_at__lte=now + EXPIRES_SOON)),
        idle=Count("pk", filter=active & idle),
    )
    workspaces = Workspace.objects.filter(organization=organization, gone_at=None).order_by("name")
    choices = list(workspaces.values("slug", "name")[: CHOICES + 1])
    return {
        **counts,
        "unguarded": keys.filter(active).exclude(is_guarded()).count(),
        "workspaces": workspaces.count() if len(choices) > CHOICES else len(choices),
        "members": Member.objects.filter(organization=organization, gone_at=None).count(),
        "guardrails": Guardrail.objects.filter(organization=organization, gone_at=None).count(),
        "credentials": Credential.objects.filter(organization=organization, gone_at=None).count(),
        "destinations": Destination.objects.filter(organization=organization, gone_at=None).count(),
        "presets": Preset.objects.filter(organization=organization, gone_at=None).count(),
        "workspace_choices": choices[:CHOICES],
        **freshness(organization),
    }


def note_freshness(organization: Organization) -> None:
    """Write how old the picture is into the summary when a pull is asked for or begins.

    The organization's row is locked, so that a pull that ends meanwhile has the last word.
    """
    with transaction.atomic():
        row = Organization.objects.select_for_update(no_key=True).only("summary").get(pk=organization.pk)
        summary = {**row.summary, **freshness(organization)}
        if summary != row.summary:
            Organization.objects.filter(pk=organization.pk).update(summary=summary)


def freshness(organization: Organization) -> dict[str, Any]:
    """How old the picture is: the last good pull of keys (when it ended, and when it began to ask), and what
    the newest one came to.

    ``sync_state``: running (waiting for a worker included), ok, failed or never.
    """
    runs = SyncRun.objects.filter(organization=organization, kind="keys").order_by("-id")
    newest = runs.first()
    last = newest if newest and newest.state == SyncRun.State.OK else _last_good(runs)
    good = last.finished_at if last else None
    return {
        "synced_at": good.isoformat() if good else None,
        "asked_at": last.started_at.isoformat() if last and last.started_at else None,
        "sync_state": _state(newest, good),
        "sync_message": newest.error if newest and newest.state == SyncRun.State.FAILED else "",
    }


def _last_good(runs: QuerySet[SyncRun]) -> SyncRun | None:
    return runs.filter(state=SyncRun.State.OK).first()


def _state(newest: SyncRun | None, good: datetime | None) -> str:
    if newest is not None and newest.is_open:
        return "running"
    if newest is not None and newest.state == SyncRun.State.FAILED:
        return "failed"
    return "ok" if good else "never"
