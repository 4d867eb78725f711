"""Changing a connection: another key, another name, the default workspace, a test, the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.audit.services import note
from orgadmin.connections.addresses import check_reachable
from orgadmin.connections.drafts import KeyAt
from orgadmin.connections.inspection import (
    UPSTREAM_ID,
    Findings,
    client_at,
    inspect_with,
    key_hash,
    knows_a_workspace_of,
)
from orgadmin.connections.refusals import KEY, Refused
from orgadmin.connections.services.connect import one_at_a_time, refuse_connected_key, target_of
from orgadmin.inventory.models import SyncRun, Workspace
from orgadmin.inventory.services import request_all_pulls
from orgadmin.openrouter.transport import OpenRouter

OTHER_ACCOUNT = (
    "This key belongs to another OpenRouter account. With it, everything kept here would look deleted. "
    "Connect that account as an organization of its own."
)


@dataclass(frozen=True)
class Checked:
    """What a test of the connection came to: ``message`` is empty when all is well."""

    ok: bool
    message: str = ""


def organization_rekey(*, actor: User, organization: Organization, connection: KeyAt) -> None:
    """Use another management key, or the first one after a disconnection, and pull everything.

    Raises Refused with the field to blame: the key is checked as when connecting, and must be of the same
    OpenRouter account.
    """
    check_reachable(connection.base_url)
    identity = key_hash(connection.management_key)
    if identity == organization.key_hash and connection.base_url == organization.base_url:
        raise Refused(
            "This is the key that is stored already. To see whether it works, test the connection.", field=KEY
        )
    with one_at_a_time(identity):
        refuse_connected_key(actor=actor, identity=identity, but=organization)
        client = client_at(connection)
        findings = inspect_with(client, connection.management_key)
        _refuse_other_account(organization, client, findings)
        _keep_key(actor, organization, connection, findings)
    request_all_pulls(organization=organization, requested_by=actor)


def _refuse_other_account(organization: Organization, client: OpenRouter, findings: Findings) -> None:
    ours, theirs = organization.capabilities.get(UPSTREAM_ID), findings.capabilities.get(UPSTREAM_ID)
    if ours and theirs:
        same = ours == theirs
    else:
        # Without an id to compare, a workspace that both know says as much.
        known = set(
            Workspace.objects.filter(organization=organization, gone_at=None).values_list("uid", flat=True)
        )
        same = not known or knows_a_workspace_of(client, known)
    if not same:
        raise Refused(OTHER_ACCOUNT, field=KEY)


def _keep_key(actor: User, organization: Organization, connection: KeyAt, findings: Findings) -> None:
    with transaction.atomic():
        row = _locked(organization)
        before = _connection_of(row)
        row.base_url = connection.base_url
        row.management_key = connection.management_key
        row.key_hash = findings.key_hash
        row.status, row.status_message = Organization.Status.CONNECTED, ""
        _adopt(row, findings)
        row.save()
        _note(actor, row, "organization.rekey", before=before, after=_connection_of(row))


def _adopt(row: Organization, findings: Findings) -> None:
    row.key_label = findings.label
    row.capabilities = {**row.capabilities, **findings.capabilities}
    row.default_workspace_uid = row.default_workspace_uid or findings.default_workspace_uid


def organization_check(*, actor: User, organization: Organization) -> Checked:
    """Ask OpenRouter whether the stored key still works, and mark the connection accordingly.

    Only a refused key marks it broken; an upstream that is down says nothing about the key.
    """
    row = Organization.objects.get(pk=organization.pk)
    if row.management_key is None:
        return Checked(False, "There is no key to test: this organization is disconnected.")
    tested = row.key_hash
    try:
        findings = inspect_with(client_for(row), row.management_key)
    except Refused as refused:
        _mark(actor, organization, tested, None, refused)
        return Checked(False, refused.message)
    _mark(actor, organization, tested, findings, None)
    return Checked(True)


def _mark(
    actor: User, organization: Organization, tested: str, findings: Findings | None, refused: Refused | None
) -> None:
    with transaction.atomic():
        row = _locked(organization)
        if row.key_hash != tested:
            # Somebody entered another key while this one was being tried.
            return
        before = {"status": row.status}
        if findings is not None:
            row.status, row.status_message = Organization.Status.CONNECTED, ""
            _adopt(row, findings)
        elif refused is not None and refused.field == KEY:
            row.status, row.status_message = Organization.Status.BROKEN, refused.message[:500]
        row.save()
        message = refused.message if refused else ""
        _note(actor, row, "organization.check", before=before, after={"status": row.status}, message=message)


def organization_rename(*, actor: User, organization: Organization, name: str) -> bool:
    """Change the name people read; the short name, and with it every address, stays. False: nothing to do."""
    with transaction.atomic():
        row = _locked(organization)
        if row.name == name:
            return False
        before, row.name = row.name, name
        row.save(update_fields=["name"])
        _note(actor, row, "organization.rename", before={"name": before}, after={"name": name})
    return True


def organization_set_default_workspace(
    *, actor: User, organization: Organization, workspace_uid: str
) -> bool:
    """Say which workspace is the default, where OpenRouter does not (trap 1). False: it was that one."""
    with transaction.atomic():
        row = _locked(organization)
        before = row.default_workspace_uid
        if before == workspace_uid:
            return False
        if (
            workspace_uid
            and not Workspace.objects.filter(organization=row, uid=workspace_uid, gone_at=None).exists()
        ):
            raise Refused("This workspace was deleted at OpenRouter meanwhile.", field="workspace")
        row.default_workspace_uid = workspace_uid
        row.save(update_fields=["default_workspace_uid"])
        _note(
            actor,
            row,
            "organization.set_default_workspace",
            before={"default_workspace_uid": before},
            after={"default_workspace_uid": workspace_uid},
        )
    return True


def organization_disconnect(*, actor: User, organization: Organization) -> None:
    """Forget the keys and stop pulling. What was pulled, the people and the audit log stay."""
    with transaction.atomic():
        row = _locked(organization)
        if row.status == Organization.Status.DISCONNECTED:
            return
        before = _connection_of(row)
        row.management_key, row.key_hash, row.key_label = None, "", ""
        lent = InferenceKey.objects.filter(organization=row)
        if labels := list(lent.values_list("key_label", flat=True)):
            before["inference_key_label"] = labels
        lent.delete()
        row.status = Organization.Status.DISCONNECTED
        row.status_message = ""
        row.save()
        SyncRun.objects.filter(organization=row, state=SyncRun.State.QUEUED).update(
            state=SyncRun.State.INTERRUPTED,
            finished_at=timezone.now(),
            error="The organization was disconnected.",
        )
        _note(actor, row, "organization.disconnect", before=before, after=_connection_of(row))


def _locked(organization: Organization) -> Organization:
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _connection_of(row: Organization) -> dict[str, Any]:
    return {"base_url": row.base_url, "key_label": row.key_label, "status": str(row.status)}


def _note(actor: User, row: Organization, action: str, **values: Any) -> None:
    note(actor=actor, organization=row, action=action, target=target_of(row), **values)
