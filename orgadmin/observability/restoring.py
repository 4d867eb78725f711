"""Putting back what was changed of destinations. Secrets are not kept here, so they stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register
from orgadmin.audit.selectors import Act
from orgadmin.audit.words import CONFIG
from orgadmin.inventory.destination_config import is_mask, is_secret
from orgadmin.inventory.destination_nouns import SETTINGS
from orgadmin.inventory.models import Destination
from orgadmin.observability.drafts import DestinationEdit, settings_of
from orgadmin.observability.services import EditConflict, destination_update

# Said once, when it is made.
FIXED = ("regions",)


def _destination(act: Act) -> Destination:
    rows = Destination.objects.filter(organization=_of(act), uid=act.target_id, gone_at=None)
    found = rows.select_related("organization").first()
    if found is None:
        raise NotRestorable("This destination was deleted since. It is made anew, with its secrets.")
    return found


def _of(act: Act) -> Organization:
    return act.entry.organization


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    row = _destination(act)
    now, before = settings_of(row), act.before or {}
    then = {name: before[name] for name in before if name in SETTINGS and name not in {"config", *FIXED}}
    if "name" in then and not then["name"]:
        # A name cannot be cleared.
        del then["name"]
    return (
        {**now, **_plain(row.type, row.config)},
        {**then, **_plain(row.type, before.get("config") or {})},
    )


def _plain(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a config that can be put back: no secret, and nothing of which only a mask is known."""
    return {
        f"{CONFIG}{name}": value
        for name, value in config.items()
        if not is_secret(kind, name) and isinstance(value, str) and not is_mask(value)
    }


def _apply(actor: User, act: Act, offer: Offer, _: UUID) -> str:
    row = _destination(act)
    seen = settings_of(row)
    config = {
        name.removeprefix(CONFIG): value for name, value in offer.then.items() if name.startswith(CONFIG)
    }
    then = {name: value for name, value in offer.then.items() if not name.startswith(CONFIG)}
    edit = DestinationEdit(seen=seen, wanted={**seen, **then}, config=config)
    try:
        destination_update(actor=actor, destination=row, edit=edit)
    except EditConflict as conflict:
        raise NotRestorable(f"{conflict} Nothing was restored: look at what it is now.") from None
    return f"“{row}” is as it was."


register(
    "destination",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update", "enable", "disable"}),
        why_not={
            "create": "A new destination is taken back by deleting it, on its own page.",
            "delete": "Its secrets are not kept here: make it anew with “Add destination”. This entry has "
            "everything else.",
        },
    ),
)
