"""Deleting a key, for ever."""

from __future__ import annotations

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.inventory.acts import CarryOn, failed
from orgadmin.inventory.models import Key
from orgadmin.inventory.nouns import KEYS
from orgadmin.keys.services.recording import mark_gone, succeeded, target_of
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.errors import NotFound, OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience


def key_delete(*, actor: User, key: Key, patience: Patience = WEB) -> None:
    """DELETE /keys/{hash}. A key that is already gone counts as deleted. Raises OpenRouterError.

    The audit entry keeps what the key was, lifetime spend included: nothing upstream will.
    """
    client = client_for(key.organization, patience=patience)
    before = {name: getattr(key, name) for name in KEYS.columns if name in _KEPT}
    started = audit.start(
        actor=actor, organization=key.organization, action="key.delete", target=target_of(key), before=before
    )
    try:
        upstream.delete(client, key_hash=key.hash)
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            raise
        _settle_lost(client, key, started, error)
    succeeded(started, organization=key.organization, found=None)
    with CarryOn("key row not marked gone", key=key.hash):
        mark_gone(key)


_KEPT = frozenset(
    {
        "name",
        "label",
        "disabled",
        "limit",
        "limit_reset",
        "include_byok_in_limit",
        "usage",
        "byok_usage",
        "created_at",
        "expires_at",
        "creator_user_id",
        "workspace_uid",
    }
)


def _settle_lost(client: OpenRouter, key: Key, started: Entry, error: OpenRouterError) -> None:
    """The answer never came: look for the key. Raises the error unless it is gone."""
    try:
        upstream.get(client, key_hash=key.hash)
    except NotFound:
        return
    except OpenRouterError:
        failed(started, error)
        raise error from None
    # Now known: the caller may say so and offer another try.
    error.outcome_unknown = False
    failed(started, error, seen="OpenRouter still knows the key: it was not deleted.")
    raise error
