"""What can be done to destinations: an audit entry, one change at OpenRouter, its outcome, our row.

Secrets come as ``Secret`` and open in the client alone; the log, the row and whatever is told of an error
know masks.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target
from orgadmin.audit.tokens import token_of
from orgadmin.inventory.acts import failed, hush, note_refused
from orgadmin.inventory.destination_config import kept_config
from orgadmin.inventory.destination_nouns import plain
from orgadmin.inventory.models import Destination
from orgadmin.observability.drafts import (
    DestinationEdit,
    Sent,
    config_told,
    differing,
    opened,
    raw_secrets,
    settings_of,
)
from orgadmin.observability.recording import mark_gone, mirror, note_found_gone, succeeded, target_of
from orgadmin.observability.sending import changes_of
from orgadmin.openrouter import destinations as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience

# How far OpenRouter's clock may be behind ours when we look for a destination it just made.
CLOCK_SKEW = timedelta(minutes=2)


class EditConflict(Exception):
    """Somebody changed the destination meanwhile. ``theirs`` is what OpenRouter has now, all settings."""

    def __init__(self, theirs: Mapping[str, Any]) -> None:
        super().__init__("Somebody else changed this destination in the meantime.")
        self.theirs = theirs


def destination_create(
    *,
    actor: User,
    organization: Organization,
    kind: str,
    workspace_uid: str,
    draft: Mapping[str, Any],
    config: Sent,
    form_token: uuid.UUID,
) -> str:
    """POST /observability/destinations once; the id of the new one. ``draft`` holds what is set besides its
    ``config``.

    Raises AlreadySubmitted for a form sent twice (nothing is sent), and OpenRouterError (Conflict for the
    sixth of a type); with ``outcome_unknown`` it may exist: it was looked for, and the next pull looks again.
    """
    client = client_for(organization)
    told = {**draft, "config": kept_config(kind, opened(config))}
    started = audit.start(
        actor=actor,
        organization=organization,
        action="destination.create",
        target=Target(type="destination", id="", name=draft["name"]),
        after={**told, "type": kind, "workspace_uid": workspace_uid},
        form_token=token_of(form_token, actor=actor, organization=organization),
    )
    message = ""
    found: SimpleNamespace
    try:
        made = upstream.create(
            client, kind=kind, draft=changes_of({**draft, "config": config}), workspace_id=workspace_uid
        )
        found = plain(made)
    except OpenRouterError as error:
        hush(error, raw_secrets(config))
        lost = (
            _look_for(client, organization, started, kind, workspace_uid, told)
            if error.outcome_unknown
            else None
        )
        if lost is None:
            failed(started, error)
            raise
        found = lost
        message = f"{error.message} It was found: it was created."
    succeeded(started, organization=organization, found=found, message=message)
    return str(found.id)


def _look_for(
    client: OpenRouter,
    organization: Organization,
    started: Entry,
    kind: str,
    workspace_uid: str,
    told: Mapping[str, Any],
) -> SimpleNamespace | None:
    """The destination we do not know yet that says all that was sent. A create is never repeated blindly."""
    try:
        listed = [plain(one) for page in upstream.walk(client, workspace_id=workspace_uid) for one in page]
    except OpenRouterError:
        return None
    known = set(Destination.objects.filter(organization=organization).values_list("uid", flat=True))
    for one in listed:
        is_recent = one.created_at is None or one.created_at >= started.at - CLOCK_SKEW
        is_new = is_recent and one.type == kind and one.id not in known
        if is_new and not differing(told, settings_of(one), masks_alike=True):
            return one
    return None


def destination_update(
    *, actor: User, destination: Destination, edit: DestinationEdit, patience: Patience = WEB
) -> bool:
    """PATCH /observability/destinations/{id} with what the editor changed; False when there was nothing to
    send.

    OpenRouter has no versions, so it is read right before it is written: raises EditConflict when it is no
    longer what the editor saw. Raises OpenRouterError; NotFound also marks our row gone, Forbidden says that
    the account has locked its privacy settings.
    """
    if not edit:
        return False
    client = client_for(destination.organization, patience=patience)
    found = _read(client, destination)
    theirs = settings_of(found)
    if differing(edit.seen, theirs):
        mirror(organization=destination.organization, found=found)
        raise EditConflict(theirs)
    before = {name: theirs[name] for name in edit.changed}
    after = dict(edit.changed)
    if edit.config:
        before["config"] = theirs["config"]
        after["config"] = config_told(destination.type, theirs["config"], edit.config)
    started = audit.start(
        actor=actor,
        organization=destination.organization,
        action="destination.update",
        target=target_of(destination),
        before=before,
        after=after,
    )
    sent = {**edit.changed, **({"config": edit.config} if edit.config else {})}
    _send(client, destination, started, sent, found)
    return True


def destination_set_enabled(*, actor: User, destination: Destination, enabled: bool) -> None:
    """PATCH /observability/destinations/{id} with its switch alone; safe to repeat. Raises OpenRouterError;
    NotFound also marks our row gone."""
    client = client_for(destination.organization)
    started = audit.start(
        actor=actor,
        organization=destination.organization,
        action="destination.enable" if enabled else "destination.disable",
        target=target_of(destination),
        before={"enabled": destination.enabled},
        after={"enabled": enabled},
    )
    _send(client, destination, started, {"enabled": enabled}, None)


def _send(
    client: OpenRouter,
    destination: Destination,
    started: Entry,
    sent: Mapping[str, Any],
    read_before: SimpleNamespace | None,
) -> None:
    config: Sent = sent.get("config", {})
    message = ""
    try:
        made = plain(upstream.update(client, destination_id=destination.uid, changes=changes_of(sent)))
    except OpenRouterError as error:
        hush(error, raw_secrets(config))
        if not error.outcome_unknown:
            failed(started, error)
            if isinstance(error, NotFound):
                note_found_gone(destination)
            raise
        made = _settle_lost(client, destination, started, config, read_before, error)
        message = f"{error.message} It was read again: the change took effect."
    succeeded(started, organization=destination.organization, found=made, sent=config, message=message)


def _settle_lost(
    client: OpenRouter,
    destination: Destination,
    started: Entry,
    config: Sent,
    read_before: SimpleNamespace | None,
    error: OpenRouterError,
) -> SimpleNamespace:
    """The answer never came: read it and record what is true. Raises the error unless it took effect.

    A new secret shows nothing but a mask, and an old one may have the same: then it counts that the
    destination was touched since it was read.
    """
    try:
        found = plain(upstream.get(client, destination_id=destination.uid))
    except OpenRouterError:
        failed(started, error)
        raise error from None
    is_there = not differing(started.after or {}, settings_of(found), masks_alike=True)
    is_touched = read_before is None or found.updated_at != read_before.updated_at
    if is_there and (is_touched or not raw_secrets(config)):
        return found
    error.outcome_unknown = False
    failed(started, error, seen="It was read again: nothing changed.")
    raise error


def _read(client: OpenRouter, destination: Destination) -> SimpleNamespace:
    """As it is upstream this moment."""
    try:
        return plain(upstream.get(client, destination_id=destination.uid))
    except OpenRouterError as error:
        if isinstance(error, NotFound):
            note_found_gone(destination)
        note_refused(destination.organization, error)
        raise


def destination_delete(*, actor: User, destination: Destination) -> None:
    """DELETE /observability/destinations/{id}. One that is already gone counts as deleted. The audit entry
    keeps all that it said, its secrets as masks. Raises OpenRouterError."""
    client = client_for(destination.organization)
    started = audit.start(
        actor=actor,
        organization=destination.organization,
        action="destination.delete",
        target=target_of(destination),
        before={
            **settings_of(destination),
            "type": destination.type,
            "workspace_uid": destination.workspace_uid,
        },
    )
    try:
        upstream.delete(client, destination_id=destination.uid)
    except OpenRouterError as error:
        if not (error.outcome_unknown and _is_gone(client, destination, error)):
            failed(started, error)
            raise
    succeeded(started, organization=destination.organization, found=None)
    mark_gone(destination)


def _is_gone(client: OpenRouter, destination: Destination, error: OpenRouterError) -> bool:
    """Whether a deletion whose answer never came took effect; the error then knows."""
    try:
        upstream.get(client, destination_id=destination.uid)
    except NotFound:
        return True
    except OpenRouterError:
        return False
    error.outcome_unknown = False
    return False
