"""Lending the dashboard an inference key of a workspace, for what management keys may not do: presets.

OpenRouter is asked first whose the key is; what it said is then written, with its audit entry, in one. A key
is never part of what is audited: its masked label is.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.connection import client
from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.audit.services import Target, note
from orgadmin.connections.addresses import check_reachable
from orgadmin.connections.drafts import LentKey
from orgadmin.connections.inspection import UPSTREAM_ID, key_hash, shown_label
from orgadmin.connections.refusals import KEY, LENT_KEY, MANAGEMENT_KEY, WORKSPACE, Refused, refusal
from orgadmin.inventory.models import Key, Workspace
from orgadmin.inventory.nouns import PRESETS
from orgadmin.inventory.services import request_pull
from orgadmin.openrouter import key as current_key
from orgadmin.openrouter.errors import OpenRouterError

OTHER_ACCOUNT = "This key belongs to another OpenRouter account than this organization."
UNKNOWN_WORKSPACE = (
    "This key belongs to a workspace that this dashboard does not know. If the workspace is new, sync "
    "workspaces first; otherwise the key is of another account."
)


def inference_key_lend(
    *, actor: User, organization: Organization, lent: LentKey, replaced: InferenceKey | None = None
) -> InferenceKey:
    """Keep an inference key of one workspace, in place of the one it had (``replaced``: that one and no
    other), and read its presets.

    Raises Refused with the field to blame: it must be an inference key that works, of this account as far as
    that can be told, and of one of its workspaces, which OpenRouter or ``lent`` has to name.
    """
    if not organization.is_connected and organization.status == Organization.Status.DISCONNECTED:
        raise Refused("This organization is disconnected. Connect it again first.")
    check_reachable(organization.base_url)
    found = _asked(organization, lent)
    workspace = _workspace_of(organization, lent, found)
    if replaced is not None and replaced.workspace_uid != workspace.uid:
        raise Refused(
            f"This key belongs to the workspace {workspace.name}. The one it would replace is of another "
            "workspace: add it as a key of its own.",
            field=LENT_KEY,
        )
    kept = _keep(actor, organization, lent, found, workspace)
    request_pull(organization=organization, kind=PRESETS.kind, requested_by=actor)
    return kept


def _asked(organization: Organization, lent: LentKey) -> current_key.CurrentKey:
    asking = client(base_url=organization.base_url, key=lent.key, key_hash=key_hash(lent.key))
    try:
        found = current_key.current(asking)
    except OpenRouterError as error:
        refused = refusal(error)
        raise Refused(refused.message, field=LENT_KEY if refused.field == KEY else None) from None
    if found.is_management_key:
        raise Refused(MANAGEMENT_KEY, field=LENT_KEY)
    ours = organization.capabilities.get(UPSTREAM_ID)
    if ours and found.organization_id and ours != found.organization_id:
        raise Refused(OTHER_ACCOUNT, field=LENT_KEY)
    return found


def _workspace_of(organization: Organization, lent: LentKey, found: current_key.CurrentKey) -> Workspace:
    """By OpenRouter's word, else by the key's own row here, else by what the person says."""
    row = Key.objects.filter(organization=organization, hash=key_hash(lent.key)).first()
    told = found.workspace_id or (row.workspace_uid if row else "")
    if told and lent.workspace_uid and told != lent.workspace_uid:
        raise Refused("OpenRouter says that the key belongs to another workspace.", field=WORKSPACE)
    uid = told or lent.workspace_uid
    if not uid:
        raise Refused(
            "OpenRouter does not say which workspace this key belongs to. Choose it.", field=WORKSPACE
        )
    workspace = Workspace.objects.filter(organization=organization, uid=uid, gone_at=None).first()
    if workspace is None:
        raise Refused(UNKNOWN_WORKSPACE, field=LENT_KEY)
    return workspace


def _keep(
    actor: User,
    organization: Organization,
    lent: LentKey,
    found: current_key.CurrentKey,
    workspace: Workspace,
) -> InferenceKey:
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        before = InferenceKey.objects.filter(organization=organization, workspace_uid=workspace.uid).first()
        row, _ = InferenceKey.objects.update_or_create(
            organization=organization,
            workspace_uid=workspace.uid,
            defaults={
                "base_url": organization.base_url,
                "secret": lent.key,
                "key_label": shown_label(found.label, lent.key),
                "key_hash": key_hash(lent.key),
                "added_by": actor,
                "added_at": timezone.now(),
                "refused_at": None,
                "refusal": "",
            },
        )
        verb = "create" if before is None else "update"
        _note(actor, row, workspace.name, verb, before=_told(before) if before else None, after=_told(row))
    return row


def inference_key_remove(*, actor: User, key: InferenceKey) -> None:
    """Forget it. At OpenRouter it goes on working, and the presets that were read with it stay here."""
    with transaction.atomic():
        row = InferenceKey.objects.select_for_update().filter(pk=key.pk).first()
        if row is None:
            return
        workspace = Workspace.objects.filter(organization=row.organization, uid=row.workspace_uid).first()
        name = workspace.name if workspace else row.workspace_uid
        _note(actor, row, name, "delete", before=_told(row), after=None)
        row.delete()


def _told(row: InferenceKey) -> dict[str, Any]:
    return {"inference_key_label": row.key_label, "workspace_uid": row.workspace_uid}


def _note(actor: User, row: InferenceKey, name: str, verb: str, **values: Any) -> None:
    target = Target(type="inference_key", id=row.workspace_uid, name=f"Key of {name}")
    note(actor=actor, organization=row.organization, action=f"inference_key.{verb}", target=target, **values)
