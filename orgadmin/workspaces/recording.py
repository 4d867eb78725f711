"""The outcome of an act on a workspace in the audit log, then our rows. The outcome is written first: if our
rows cannot be written after it, the next pull adopts what OpenRouter has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
)
from orgadmin.inventory.nouns import WORKSPACES
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.summary import refresh_summary


def target_of(workspace: Workspace) -> Target:
    return Target(type="workspace", id=workspace.uid, name=workspace.name)


def succeeded(started: Entry, *, organization: Organization, found: Any | None, message: str = "") -> None:
    """Record that OpenRouter said yes, then mirror ``found``, what it made of the workspace; None after a
    deletion."""
    target = Target(type="workspace", id=found.id, name=found.name) if found else None
    with CarryOn("earlier acts not settled", action=started.action, target=started.target_id):
        Entry.objects.bulk_create(repeated_acts(started))
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(started, outcome=Outcome.OK, target=target, message=message)
    if found is not None:
        with CarryOn("workspace row not saved", workspace=found.id):
            mirror(organization=organization, found=found, ours=frozenset(started.after or ()))


def mirror(*, organization: Organization, found: Any, ours: Collection[str] = frozenset()) -> None:
    """Write an upstream workspace into our row. ``ours`` are the settings we just set; what else differs was
    changed elsewhere, which no pull will see any more: it is noted here."""
    with transaction.atomic():
        row = Workspace.objects.select_for_update().filter(organization=organization, uid=found.id).first()
        now = timezone.now()
        values = WORKSPACES.values(found, row, None, now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        Workspace.objects.update_or_create(organization=organization, uid=found.id, defaults=values)
    refresh_summary(organization)


def _note_changes_elsewhere(row: Workspace, values: dict[str, Any], ours: Collection[str]) -> None:
    audited = WORKSPACES.audited(values)
    after = {
        name: value for name, value in audited.items() if name not in ours and getattr(row, name) != value
    }
    if after:
        audit.outside_entry(
            organization=row.organization,
            action="workspace.update",
            target=target_of(row),
            before={name: getattr(row, name) for name in after},
            after=after,
        ).save()


def mark_gone(workspace: Workspace) -> None:
    """Note that it no longer exists upstream, nor does what was in it; rows, history and use stay."""
    now, organization = timezone.now(), workspace.organization
    gone = {"gone_at": now, "written_at": now}
    inside = {"organization": organization, "workspace_uid": workspace.uid, "gone_at": None}
    with transaction.atomic():
        Workspace.objects.filter(pk=workspace.pk, gone_at=None).update(**gone)
        keys = Key.objects.filter(**inside)
        guardrails = Guardrail.objects.filter(**inside)
        KeyAssignment.objects.filter(organization=organization, gone_at=None).filter(
            key_hash__in=list(keys.values_list("hash", flat=True))
        ).update(**gone)
        _drop_assignments(organization, list(guardrails.values_list("uid", flat=True)), now)
        for rows in (keys, guardrails):
            rows.update(**gone)
        WorkspaceBudgets.objects.filter(**inside).update(**gone)
        WorkspaceMember.objects.filter(**inside).update(**gone)
    refresh_summary(organization)


def _drop_assignments(organization: Organization, guardrail_uids: list[str], now: Any) -> None:
    """Nobody holds a guardrail that is gone."""
    for model in (KeyAssignment, MemberAssignment):
        model._default_manager.filter(
            organization=organization, guardrail_uid__in=guardrail_uids, gone_at=None
        ).update(gone_at=now, written_at=now)


def note_found_gone(workspace: Workspace) -> None:
    """Somebody deleted it elsewhere, and we met it before a pull did: the log says so now."""
    before = WORKSPACES.audited({name: getattr(workspace, name) for name in WORKSPACES.columns})
    with transaction.atomic():
        if not Workspace.objects.select_for_update().filter(pk=workspace.pk, gone_at=None).exists():
            return
        audit.outside_entry(
            organization=workspace.organization,
            action="workspace.delete",
            target=target_of(workspace),
            before=before,
            after=None,
        ).save()
    mark_gone(workspace)
