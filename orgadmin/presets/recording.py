"""The outcome of an act on a preset in the audit log, then our rows. The outcome is written first: if our
rows cannot be written after it, the next pull adopts what OpenRouter has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.acts import CarryOn
from orgadmin.inventory.models import Preset
from orgadmin.inventory.nouns import PRESETS
from orgadmin.inventory.preset_nouns import keep_versions, note_versions, plain
from orgadmin.inventory.preset_secrets import without_secrets
from orgadmin.inventory.summary import refresh_summary
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.presets import PresetWithVersion
from orgadmin.presets.bodies import readable
from orgadmin.presets.credentials import Credential


def target_of(preset: Preset) -> Target:
    return Target(type="preset", id=preset.uid, name=preset.name)


def number_of(found: PresetWithVersion | None) -> int:
    """The number of the version that is served; 0 where there is none."""
    return found.designated_version.version if found and found.designated_version else 0


def told(found: PresetWithVersion) -> dict[str, Any]:
    """What the log keeps of a version."""
    version = found.designated_version
    if version is None:
        return {"live_version": None}
    return {
        "live_version": version.version,
        "system_prompt": version.system_prompt,
        "settings": readable(without_secrets(version.config)),
    }


def succeeded(
    started: Entry, *, credential: Credential, place: str, found: PresetWithVersion, message: str
) -> None:
    """Record that OpenRouter said yes and what it made of the request, then mirror it."""
    target = Target(type="preset", id=found.id, name=found.name)
    after = {**(started.after or {}), **told(found), "newest_version": number_of(found)}
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(started, outcome=Outcome.OK, target=target, message=message, after=after)
    with CarryOn("preset row not saved", preset=found.id):
        mirror(organization=credential.organization, place=place, found=found, ours=frozenset(after))


def failed(started: Entry, error: OpenRouterError, *, credential: Credential, seen: str = "") -> None:
    """Record what OpenRouter answered; ``unknown`` when nobody can say whether the change took effect."""
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(
            started,
            outcome=Outcome.UNKNOWN if error.outcome_unknown else Outcome.FAILED,
            message=f"{error.message} {seen}".rstrip(),
            request_id=error.request_id,
        )
    credential.note(error)


def mirror(
    *, organization: Organization, place: str, found: PresetWithVersion, ours: Collection[str] = frozenset()
) -> Preset:
    """Write an upstream preset and the version that it serves into our rows. ``ours`` are the columns that we
    just changed; what else differs was changed elsewhere, which no pull will see any more: it is noted here.
    """
    version = found.designated_version
    item = plain(found, place)
    note_versions(item, [version] if version else [])
    with transaction.atomic():
        row = Preset.objects.select_for_update().filter(organization=organization, uid=found.id).first()
        now = timezone.now()
        item.newest_version = max(item.newest_version or 0, (row and row.newest_version) or 0) or None
        if version and version.version > 1 + ((row and row.newest_version) or 0):
            # There are versions between that we never met: the next pull must not take this for known.
            item.designated_version_uid = None
        values = PRESETS.values(item, row, None, now)
        if row is not None and row.gone_at is None:
            _note_changes_elsewhere(row, values, ours)
        values |= {"written_at": now, "gone_at": None}
        kept, _ = Preset.objects.update_or_create(organization=organization, uid=found.id, defaults=values)
        keep_versions(organization, [version] if version else [])
    refresh_summary(organization)
    return kept


def _note_changes_elsewhere(row: Preset, values: Mapping[str, Any], ours: Collection[str]) -> None:
    audited = PRESETS.audited(values)
    names = [name for name, value in audited.items() if name not in ours and getattr(row, name) != value]
    if names:
        audit.outside_entry(
            organization=row.organization,
            action="preset.update",
            target=target_of(row),
            before={name: getattr(row, name) for name in names},
            after={name: audited[name] for name in names},
        ).save()


def note_found_gone(preset: Preset) -> None:
    """Somebody deleted it elsewhere, and we met it before a pull did: the log says so now."""
    before = PRESETS.audited({name: getattr(preset, name) for name in PRESETS.columns})
    now = timezone.now()
    with transaction.atomic():
        rows = Preset.objects.filter(pk=preset.pk, gone_at=None)
        if not rows.update(gone_at=now, written_at=now):
            return
        audit.outside_entry(
            organization=preset.organization,
            action="preset.delete",
            target=target_of(preset),
            before=before,
            after=None,
        ).save()
    refresh_summary(preset.organization)
