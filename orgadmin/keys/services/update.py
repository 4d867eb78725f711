"""Editing, disabling and enabling a key: what changed and nothing else, and never over somebody's head."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.inventory.acts import CarryOn, Refused, failed, note_refused
from orgadmin.inventory.models import Key
from orgadmin.inventory.nouns import stored
from orgadmin.keys.drafts import EDITABLE, KeyEdit
from orgadmin.keys.selectors import disabled_by
from orgadmin.keys.services.recording import (
    found_gone,
    mirror,
    succeeded,
    target_of,
)
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience


class EditConflict(Exception):
    """Somebody changed the same fields meanwhile. ``theirs`` is what OpenRouter has now, all fields."""

    def __init__(self, *, theirs: Mapping[str, Any], fields: tuple[str, ...]) -> None:
        super().__init__("Somebody else changed this key in the meantime.")
        self.theirs = theirs
        self.fields = fields


def editable(key: Any) -> dict[str, Any]:
    """The editable values of a row or of an upstream key, comparable with each other."""
    return {name: stored(getattr(key, name)) for name in EDITABLE}


def key_update(*, actor: User, key: Key, edit: KeyEdit) -> bool:
    """PATCH /keys/{hash} with the fields that the editor changed; False when there was nothing to send.

    OpenRouter has no versions, so the key is read right before it is written: raises EditConflict when a
    field the editor changed is no longer what they saw. Raises OpenRouterError as the client does; NotFound
    also marks our row gone.
    """
    if not edit.changed:
        return False
    client = client_for(key.organization)
    found = _read(client, key)
    theirs = editable(found)
    clash = tuple(
        name
        for name, value in edit.changed.items()
        if theirs[name] != edit.seen.get(name) and theirs[name] != value
    )
    if clash:
        mirror(organization=key.organization, found=found)
        raise EditConflict(theirs=theirs, fields=clash)
    changes = {name: value for name, value in edit.changed.items() if theirs[name] != value}
    if not changes:
        mirror(organization=key.organization, found=found)
        return False
    if "limit_reset" in changes and "limit" not in changes and changes["limit_reset"] is not None:
        # FACTS trap 10: a window sent alone may be judged against the body alone. The limit beside it is the
        # one there is now, which somebody else may have lowered; without one a window makes no sense.
        if theirs["limit"] is None:
            raise EditConflict(theirs=theirs, fields=("limit",))
        changes["limit"] = theirs["limit"]
    send_changes(actor=actor, key=key, client=client, action="key.update", before=theirs, changes=changes)
    return True


def key_as_it_is(*, key: Key, patience: Patience = WEB) -> Key:
    """Our row brought up to date with what OpenRouter has this moment. Raises OpenRouterError; NotFound also
    marks the row gone."""
    found = _read(client_for(key.organization, patience=patience), key)
    return mirror(organization=key.organization, found=found)


def key_raise_limit(*, actor: User, key: Key, amount: Decimal, form_token: uuid.UUID) -> Decimal:
    """Add an amount to what the limit is at OpenRouter now; the new limit. Raises Refused, with words for
    the person, where the key has no limit any more; AlreadySubmitted; EditConflict; OpenRouterError."""
    fresh = key_as_it_is(key=key)
    if fresh.limit is None:
        raise Refused("This key has no limit any more: it can spend all the credits there are.")
    seen, limit = editable(fresh), Decimal(fresh.limit) + amount
    with audit.once(form_token):
        key_update(actor=actor, key=fresh, edit=KeyEdit(seen=seen, wanted={**seen, "limit": limit}))
    return limit


def key_set_disabled(*, actor: User, key: Key, disabled: bool, patience: Patience = WEB) -> None:
    """The soft off switch, reversible. Raises OpenRouterError."""
    send_changes(
        actor=actor,
        key=key,
        client=client_for(key.organization, patience=patience),
        action="key.disable" if disabled else "key.enable",
        before={"disabled": key.disabled},
        changes={"disabled": disabled},
    )


class Locked(Exception):
    """An administrator disabled the key: its owner may not enable it."""

    def __init__(self) -> None:
        super().__init__("An administrator disabled this key. Ask them to enable it.")


def own_key_set_disabled(*, actor: User, key: Key, disabled: bool, patience: Patience = WEB) -> bool:
    """The same switch in the hands of a member: False when the key is like that already.

    It is read first, since our row may not know yet that somebody locked it; and disabling it once more
    would make that lock look like the member's own. Raises Locked, and OpenRouterError.
    """
    found = _read(client_for(key.organization, patience=patience), key)
    row = mirror(organization=key.organization, found=found)
    if row.disabled is disabled:
        return False
    if not disabled and not disabled_by(user=actor, key=row):
        raise Locked
    key_set_disabled(actor=actor, key=row, disabled=disabled, patience=patience)
    return True


def send_changes(
    *,
    actor: User,
    key: Key,
    client: OpenRouter,
    action: str,
    before: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    """One audited PATCH. When its answer is lost the key is read again: a change is either there or not."""
    started = audit.start(
        actor=actor,
        organization=key.organization,
        action=action,
        target=target_of(key),
        before={name: before[name] for name in changes},
        after=dict(changes),
    )
    try:
        found = upstream.update(client, key_hash=key.hash, changes=upstream.KeyChanges(**changes))
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            if isinstance(error, NotFound):
                found_gone(key)
            raise
        _settle_lost(client, key, started, changes, error)
    else:
        succeeded(started, organization=key.organization, found=found)


def _read(client: OpenRouter, key: Key) -> upstream.Key:
    try:
        return upstream.get(client, key_hash=key.hash)
    except OpenRouterError as error:
        if isinstance(error, NotFound):
            found_gone(key)
        note_refused(key.organization, error)
        raise


def _settle_lost(
    client: OpenRouter, key: Key, started: Entry, changes: Mapping[str, Any], error: OpenRouterError
) -> None:
    """The answer never came: read the key and record what is true. Raises the error unless it took effect."""
    try:
        found = upstream.get(client, key_hash=key.hash)
    except OpenRouterError:
        failed(started, error)
        raise error from None
    if all(stored(getattr(found, name)) == stored(value) for name, value in changes.items()):
        succeeded(
            started,
            organization=key.organization,
            found=found,
            message=f"{error.message} The key was read again: the change took effect.",
        )
        return
    # Now known: the caller may say so and offer another try.
    error.outcome_unknown = False
    failed(started, error, seen="The key was read again: nothing changed.")
    with CarryOn("key row not saved", key=key.hash):
        mirror(organization=key.organization, found=found)
    raise error
