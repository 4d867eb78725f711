"""How presets are mirrored: each workspace with its own inference key (FACTS trap 37).

Versions are asked for where a preset moved since they were last asked for, and are written as they come:
nothing changes them any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.db import transaction

from orgadmin.accounts.connection import inference_client
from orgadmin.accounts.lent_keys import lent_keys, note_lent_key_refused, note_presets_read
from orgadmin.accounts.models import InferenceKey, Organization
from orgadmin.audit.text import writable
from orgadmin.inventory.models import Preset, PresetVersion, Workspace
from orgadmin.inventory.preset_models import models_of
from orgadmin.inventory.preset_secrets import without_secrets
from orgadmin.inventory.ways import Way
from orgadmin.openrouter import jsontext, presets
from orgadmin.openrouter.errors import NotFound, Unauthorized
from orgadmin.openrouter.transport import OpenRouter, Patience

BY_MANAGER = "presets_by_manager"
"""The capability: whether OpenRouter shows presets to the management key."""


def plain(found: presets.Preset | presets.PresetWithVersion, place: str) -> SimpleNamespace:
    """The client's object as columns hold it, without what its versions say. ``place`` is the workspace of
    the credential, for a preset that names none."""
    return SimpleNamespace(
        uid=found.id,
        slug=found.slug,
        name=found.name,
        description=found.description,
        status=found.status,
        status_updated_at=found.status_updated_at,
        designated_version_uid=found.designated_version_id,
        workspace_uid=found.workspace_id or place,
        creator_user_id=found.creator_user_id,
        created_at=found.created_at,
        updated_at=found.updated_at,
        live_version=None,
        newest_version=None,
        pinned_models=[],
        extra={name: value for name, value in found.extra.items() if name != "designated_version"},
    )


def keep_versions(organization: Organization, found: Sequence[presets.PresetVersion]) -> None:
    """Write versions, those we have already included: that changes nothing."""
    rows = [
        PresetVersion(
            organization=organization,
            preset_uid=version.preset_id[:64],
            uid=version.id[:64],
            number=version.version,
            settings=jsontext.dumps(without_secrets(version.config)),
            system_prompt=None if version.system_prompt is None else writable(version.system_prompt),
            creator_id=writable(version.creator_id)[:100],
            created_at=version.created_at,
        )
        for version in found
        if 0 < version.version < 2**31
    ]
    PresetVersion.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["organization", "preset_uid", "number"],
        update_fields=["uid", "settings", "system_prompt", "creator_id", "created_at"],
    )


@dataclass
class Reader:
    """Reads presets with one credential. ``workspaces`` gathers those it was shown presets of."""

    organization: Organization
    client: OpenRouter
    place: str = ""
    workspaces: set[str] = field(default_factory=set)

    def walk(self) -> Iterator[Sequence[Any]]:
        for page in presets.walk(self.client):
            rows = [plain(one, self.place) for one in page]
            known = {
                row.uid: row
                for row in Preset.objects.filter(
                    organization=self.organization, uid__in=[row.uid for row in rows]
                )
            }
            self.workspaces.update(row.workspace_uid for row in rows)
            yield [row for row in rows if self._with_versions(row, known.get(row.uid))]

    def _with_versions(self, row: SimpleNamespace, ours: Preset | None) -> bool:
        """Fill in what the versions say; False when the preset went while we walked."""
        if ours is not None and _is_as_it_was(row, ours):
            row.live_version, row.newest_version = ours.live_version, ours.newest_version
            row.pinned_models = ours.pinned_models
            return True
        try:
            found = [one for page in presets.versions_walk(self.client, slug=row.slug) for one in page]
        except NotFound:
            return False
        # A slug means another preset in another workspace, and a management key may meet that one.
        note_versions(row, [one for one in found if one.preset_id == row.uid])
        keep_versions(self.organization, [one for one in found if one.preset_id == row.uid])
        return True


def note_versions(row: Any, found: Sequence[presets.PresetVersion]) -> None:
    """What a preset's versions say of it, on whatever has its columns."""
    live = next((one for one in found if one.id == row.designated_version_uid), None)
    row.live_version = live.version if live else None
    row.newest_version = max((one.version for one in found), default=None)
    row.pinned_models = [writable(name) for name in models_of(live.config)] if live else []


def _is_as_it_was(row: SimpleNamespace, ours: Preset) -> bool:
    return (row.updated_at, row.designated_version_uid) == (ours.updated_at, ours.designated_version_uid)


def ways(organization: Organization, manager: OpenRouter, patience: Patience) -> Iterator[Way]:
    """Each lent key for its workspace; where one lacks, the management key, which OpenRouter may refuse."""
    covered = set()
    for key in lent_keys(organization):
        covered.add(key.workspace_uid)
        try:
            client = inference_client(key, patience=patience)
        except Unauthorized as error:
            note_lent_key_refused(key, writable(error.message))
            continue
        yield _with_key(organization, key, client)
    alive = Workspace.objects.filter(organization=organization, gone_at=None)
    if not covered or alive.exclude(uid__in=covered).exists():
        yield _as_manager(organization, manager)


def _with_key(organization: Organization, key: InferenceKey, client: OpenRouter) -> Way:
    reader = Reader(organization, client, key.workspace_uid)
    return Way(
        client,
        reader.walk,
        covers=lambda: {key.workspace_uid},
        refused=lambda error: note_lent_key_refused(key, writable(error.message)),
        read=lambda: note_presets_read(key),
        is_first=key.presets_read_at is None,
    )


def _as_manager(organization: Organization, client: OpenRouter) -> Way:
    reader = Reader(organization, client)

    def note(may: bool) -> None:
        with transaction.atomic():
            row = Organization.objects.select_for_update().only("capabilities").get(pk=organization.pk)
            if row.capabilities.get(BY_MANAGER) is not may:
                row.capabilities = {**row.capabilities, BY_MANAGER: may}
                row.save(update_fields=["capabilities"])

    return Way(
        client,
        reader.walk,
        # It sees the default workspace, even where nothing is left there.
        covers=lambda: reader.workspaces | {organization.default_workspace_uid or ""},
        refused=lambda _: note(False),
        read=lambda: note(True),
        is_first=organization.capabilities.get(BY_MANAGER) is not True,
    )


PRESET_COLUMNS: Mapping[str, str] = {
    name: name
    for name in (
        *("slug", "name", "description", "status", "status_updated_at", "live_version", "newest_version"),
        *(
            "pinned_models",
            "designated_version_uid",
            "workspace_uid",
            "creator_user_id",
            "created_at",
            "updated_at",
        ),
    )
}
# What a version says stands in the version; its number says that there is another one.
PRESET_VOLATILE = frozenset({
    "status_updated_at", "pinned_models", "designated_version_uid", "creator_user_id", "created_at",
    "updated_at",
})  # fmt: skip
