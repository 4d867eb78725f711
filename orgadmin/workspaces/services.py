"""What can be done to workspaces: an audit entry, one change at OpenRouter, its outcome, our rows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.acts import failed, note_refused
from orgadmin.inventory.models import Workspace
from orgadmin.openrouter import workspaces as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.workspaces.drafts import WorkspaceEdit, differing, settings_of
from orgadmin.workspaces.recording import mark_gone, mirror, note_found_gone, succeeded, target_of
from orgadmin.workspaces.snapshot import snapshot_of

# How far OpenRouter's clock may be behind ours when we look for a workspace it just made.
CLOCK_SKEW = timedelta(minutes=2)


class EditConflict(Exception):
    """Somebody changed the workspace meanwhile. ``theirs`` is what OpenRouter has now, all settings."""

    def __init__(self, theirs: Mapping[str, Any]) -> None:
        super().__init__("Somebody else changed this workspace in the meantime.")
        self.theirs = theirs


def workspace_create(
    *, actor: User, organization: Organization, draft: Mapping[str, Any], form_token: uuid.UUID
) -> str:
    """POST /workspaces once; the id of the new workspace. ``draft`` holds name, slug and what else is set.

    Raises AlreadySubmitted for a form sent twice (nothing is sent), and OpenRouterError; with
    ``outcome_unknown`` it may exist: its slug was looked for, and the next pull looks again.
    """
    client = client_for(organization)
    started = audit.start(
        actor=actor,
        organization=organization,
        action="workspace.create",
        target=Target(type="workspace", id="", name=draft["name"]),
        after=draft,
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    named = {"name": draft["name"], "slug": draft["slug"]}
    others = {name: value for name, value in draft.items() if name not in named}
    try:
        found, message = upstream.create(client, **named, settings=changes_of(others)), ""
    except OpenRouterError as error:
        made = _look_for(client, started, draft) if error.outcome_unknown else None
        if made is None:
            failed(started, error)
            raise
        found, message = made, f"{error.message} It was found: it was created."
    succeeded(started, organization=organization, found=found, message=message)
    return found.id


def _look_for(client: OpenRouter, started: Entry, draft: Mapping[str, Any]) -> upstream.Workspace | None:
    """The workspace that our lost POST made: no two have one slug. A create is never repeated blindly."""
    try:
        found = upstream.get(client, workspace_id=draft["slug"])
    except OpenRouterError:
        return None
    is_recent = found.created_at is None or found.created_at >= started.at - CLOCK_SKEW
    return found if is_recent and not differing(draft, settings_of(found)) else None


def workspace_update(*, actor: User, workspace: Workspace, edit: WorkspaceEdit) -> bool:
    """PATCH /workspaces/{id} with the settings that the editor changed; False when there was nothing to send.

    OpenRouter has no versions, so it is read right before it is written: raises EditConflict when it is no
    longer what the editor saw. Raises OpenRouterError; NotFound also marks our row gone.
    """
    if not edit.changed:
        return False
    client = client_for(workspace.organization)
    theirs = settings_of(_read(client, workspace))
    if differing(edit.seen, theirs):
        raise EditConflict(theirs)
    started = audit.start(
        actor=actor,
        organization=workspace.organization,
        action="workspace.update",
        target=target_of(workspace),
        before={name: edit.seen[name] for name in edit.changed},
        after=edit.changed,
    )
    message = ""
    try:
        made = upstream.update(client, workspace_id=workspace.uid, changes=changes_of(edit.changed))
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            raise
        made = _settle_lost(client, workspace, started, edit.changed, error)
        message = f"{error.message} It was read again: the change took effect."
    succeeded(started, organization=workspace.organization, found=made, message=message)
    return True


def _read(client: OpenRouter, workspace: Workspace) -> upstream.Workspace:
    """As it is upstream this moment, mirrored too."""
    try:
        found = upstream.get(client, workspace_id=workspace.uid)
    except OpenRouterError as error:
        if isinstance(error, NotFound):
            note_found_gone(workspace)
        note_refused(workspace.organization, error)
        raise
    mirror(organization=workspace.organization, found=found)
    return found


def _settle_lost(
    client: OpenRouter,
    workspace: Workspace,
    started: Entry,
    changes: Mapping[str, Any],
    error: OpenRouterError,
) -> upstream.Workspace:
    """The answer never came: read it and record what is true. Raises the error unless it took effect."""
    try:
        found = upstream.get(client, workspace_id=workspace.uid)
    except OpenRouterError:
        failed(started, error)
        raise error from None
    if not differing(changes, settings_of(found)):
        return found
    error.outcome_unknown = False
    failed(started, error, seen="It was read again: nothing changed.")
    raise error


def workspace_delete(*, actor: User, workspace: Workspace, form_token: uuid.UUID) -> None:
    """DELETE /workspaces/{id}, for ever and with all that is in it, which the audit entry keeps. One that is
    already gone counts as deleted. Raises AlreadySubmitted, and OpenRouterError: InvalidRequest while active
    keys are in it."""
    organization = workspace.organization
    client = client_for(organization)
    started = audit.start(
        actor=actor,
        organization=organization,
        action="workspace.delete",
        target=target_of(workspace),
        before=snapshot_of(workspace),
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    try:
        upstream.delete(client, workspace_id=workspace.uid)
    except OpenRouterError as error:
        if not (error.outcome_unknown and _is_gone(client, workspace, error)):
            failed(started, error)
            raise
    succeeded(started, organization=organization, found=None)
    mark_gone(workspace)


def _is_gone(client: OpenRouter, workspace: Workspace, error: OpenRouterError) -> bool:
    """Whether a deletion whose answer never came took effect; the error then knows."""
    try:
        upstream.get(client, workspace_id=workspace.uid)
    except NotFound:
        return True
    except OpenRouterError:
        return False
    error.outcome_unknown = False
    return False


def changes_of(values: Mapping[str, Any]) -> upstream.WorkspaceChanges:
    """Settings as the client takes them."""
    rate = values.get("io_logging_sampling_rate")
    exact = {} if rate is None else {"io_logging_sampling_rate": Decimal(str(rate))}
    return upstream.WorkspaceChanges(**{**values, **exact})
