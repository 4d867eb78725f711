"""Putting back which version is served: the one from before an act, made again as a new version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from orgadmin.accounts.models import User
from orgadmin.audit.restoring import NotRestorable, Offer, Restorer, register
from orgadmin.audit.selectors import Act
from orgadmin.inventory.acts import Refused
from orgadmin.inventory.models import Preset
from orgadmin.presets.selectors import live_of, may_write, version_of
from orgadmin.presets.services import Moved, preset_restore

GONE = "A deleted preset cannot be brought back from here; make one of the same slug."


def _preset(act: Act) -> Preset:
    rows = Preset.objects.select_related("organization").filter(
        organization=act.entry.organization, uid=act.target_id
    )
    preset = rows.filter(gone_at=None).first()
    if preset is None:
        raise NotRestorable("This preset was deleted since.")
    return preset


def _look(act: Act) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    preset = _preset(act)
    number = (act.before or {}).get("live_version")
    old = version_of(preset, number) if isinstance(number, int) else None
    if old is None:
        raise NotRestorable("It says nothing of the version that was live before, or that one is gone.")
    if not may_write(preset.organization, preset.workspace_uid):
        raise NotRestorable("No inference key of its workspace is known here. Add one in Settings.")
    live = live_of(preset)
    if live is not None and (live.settings, live.system_prompt) == (old.settings, old.system_prompt):
        # Its number differs, but it says the same.
        return {"live_version": old.number}, {"live_version": old.number}
    return {"live_version": preset.live_version}, {"live_version": old.number}


def _apply(actor: User, act: Act, offer: Offer, form_token: UUID) -> str:
    preset = _preset(act)
    live = live_of(preset)
    try:
        saved = preset_restore(
            actor=actor,
            preset=preset,
            number=int(offer.then["live_version"]),
            seen=live.number if live else 0,
            form_token=form_token,
        )
    except Refused as refused:
        raise NotRestorable(str(refused)) from None
    except Moved as moved:
        raise NotRestorable(f"{moved} Nothing was restored: look at what it is now.") from None
    return (
        f"Version {offer.then['live_version']} of “{preset.name}” is live again, as version {saved.number}."
    )


register(
    "preset",
    Restorer(
        look=_look,
        apply=_apply,
        verbs=frozenset({"update"}),
        why_not={
            "create": "OpenRouter has no way to take a preset back but its own page.",
            "delete": GONE,
        },
    ),
)
