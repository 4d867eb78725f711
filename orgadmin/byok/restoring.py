"""Putting back what was changed of credentials. A deleted one cannot come back: its key is wiped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import User
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register
from orgadmin.audit.selectors import Act
from orgadmin.byok.drafts import CredentialEdit, settings_of
from orgadmin.byok.services import EditConflict, credential_update
from orgadmin.inventory.byok_nouns import SETTINGS
from orgadmin.inventory.models import Credential


def _credential(act: Act) -> Credential:
    rows = Credential.objects.filter(organization=act.entry.organization, uid=act.target_id, gone_at=None)
    credential = rows.select_related("organization").first()
    if credential is None:
        raise NotRestorable("This credential was deleted since, and OpenRouter wiped its key.")
    return credential


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    credential = _credential(act)
    then = {
        name: value
        for name, value in (act.before or {}).items()
        if name in SETTINGS and name not in credential.lacks
    }
    return settings_of(credential), then


def _apply(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    credential = _credential(act)
    seen = settings_of(credential)
    try:
        credential_update(
            actor=actor, credential=credential, edit=CredentialEdit(seen=seen, wanted={**seen, **offer.then})
        )
    except EditConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what it is now.") from None
    return f"“{credential}” is as it was."


register(
    "credential",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update", "disable", "enable"}),
        why_not={
            "create": "Delete the credential instead.",
            "delete": "OpenRouter wiped the provider's key with it. Add it again with the key.",
            "rekey": "OpenRouter wiped the key that was there before. Rotate to it again if you have it.",
        },
    ),
)
