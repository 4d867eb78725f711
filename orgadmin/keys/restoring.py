"""Putting back what was changed of a key's settings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import User
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register
from orgadmin.audit.selectors import Act
from orgadmin.inventory.models import Key
from orgadmin.keys.drafts import EDITABLE, KeyEdit
from orgadmin.keys.services import EditConflict, key_set_disabled, key_update
from orgadmin.keys.services.update import editable
from orgadmin.openrouter.errors import OpenRouterError

SETTINGS = (*EDITABLE, "disabled")
GONE = "A deleted key cannot come back: OpenRouter never tells a secret twice. Create another in its place."


def _key(act: Act) -> Key:
    key = Key.objects.filter(organization=act.entry.organization, hash=act.target_id).first()
    if key is None or key.gone_at is not None:
        raise NotRestorable(GONE)
    return key


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    key = _key(act)
    now = {name: getattr(key, name) for name in SETTINGS}
    return now, {name: _typed(name, value) for name, value in (act.before or {}).items() if name in now}


def _typed(name: str, value: Any) -> Any:
    return Decimal(str(value)) if name == "limit" and value is not None else value


def _apply(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    key = _key(act)
    seen = editable(key)
    wanted = {name: value for name, value in offer.then.items() if name in EDITABLE}
    try:
        key_update(actor=actor, key=key, edit=KeyEdit(seen=seen, wanted={**seen, **wanted}))
    except EditConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what it is now.") from None
    if "disabled" in offer.then:
        try:
            key_set_disabled(actor=actor, key=key, disabled=offer.then["disabled"])
        except OpenRouterError as error:
            if not wanted:
                raise
            raise NotRestorable(
                f"The settings are as they were, but for whether the key is disabled: {error.message}"
            ) from error
    return f"“{key.name}” is as it was."


register(
    "key",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update", "disable", "enable"}),
        why_not={
            "create": "A new key is taken back by deleting it, on its own page.",
            "rotate": "A new key is taken back by deleting it, on its own page.",
            "retire": "The old key of a rotation is enabled again on its own page.",
            "delete": GONE,
        },
    ),
)
