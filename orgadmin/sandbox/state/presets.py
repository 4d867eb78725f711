"""The presets of the account and their versions. Each belongs to one workspace, where its slug is its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgadmin.sandbox.errors import NotFoundError

STATUSES = ("active", "disabled", "archived")


@dataclass(slots=True, eq=False)
class PresetRow:
    """One preset. Which of its versions is served is said by that version's id; None serves nothing."""

    id: str
    slug: str
    name: str
    workspace_id: str
    created_at: datetime
    updated_at: datetime
    creator_user_id: str | None = None
    description: str | None = None
    status: str = "active"
    status_updated_at: datetime | None = None
    designated_version_id: str | None = None
    long: bool = False


@dataclass(slots=True, eq=False)
class PresetVersionRow:
    """One version, which nothing changes any more. `settings` is JSON, the very text that was kept."""

    id: str
    preset_id: str
    version: int
    settings: str
    system_prompt: str | None
    creator_id: str
    created_at: datetime

    @property
    def config(self) -> dict[str, Any]:
        return dict(json.loads(self.settings))


class Presets:
    """All presets, and of each its versions, the oldest first."""

    def __init__(self) -> None:
        self._rows: dict[str, PresetRow] = {}
        self._versions: dict[str, list[PresetVersionRow]] = {}

    def __iter__(self) -> Iterator[PresetRow]:
        return iter(self._rows.values())

    def all_versions(self) -> list[PresetVersionRow]:
        return [row for rows in self._versions.values() for row in rows]

    def take_over(self, rows: Iterable[PresetRow], versions: Iterable[PresetVersionRow]) -> None:
        """Holds these and no others."""
        self._rows = {row.id: row for row in rows}
        self._versions = {preset_id: [] for preset_id in self._rows}
        for version in sorted(versions, key=lambda row: row.version):
            self._versions[version.preset_id].append(version)

    def of_workspace(self, workspace_id: str) -> list[PresetRow]:
        """Most recently updated first."""
        rows = [row for row in self if row.workspace_id == workspace_id]
        return sorted(rows, key=lambda row: (row.updated_at, row.slug), reverse=True)

    def find(self, workspace_id: str, slug: str) -> PresetRow | None:
        return next((row for row in self if (row.workspace_id, row.slug) == (workspace_id, slug)), None)

    def get(self, workspace_id: str, slug: str) -> PresetRow:
        row = self.find(workspace_id, slug)
        if row is None:
            raise NotFoundError("Preset not found")
        return row

    def by_id(self, preset_id: str) -> PresetRow:
        if preset_id not in self._rows:
            raise NotFoundError("Preset not found")
        return self._rows[preset_id]

    def versions(self, row: PresetRow) -> list[PresetVersionRow]:
        return self._versions[row.id]

    def version(self, row: PresetRow, number: int) -> PresetVersionRow:
        found = next((one for one in self._versions[row.id] if one.version == number), None)
        if found is None:
            raise NotFoundError("Preset version not found")
        return found

    def designated(self, row: PresetRow) -> PresetVersionRow | None:
        return next((one for one in self._versions[row.id] if one.id == row.designated_version_id), None)

    def add(self, row: PresetRow) -> None:
        self._rows[row.id] = row
        self._versions[row.id] = []

    def add_version(self, version: PresetVersionRow, *, designate: bool = True) -> None:
        row = self._rows[version.preset_id]
        self._versions[row.id].append(version)
        row.updated_at = version.created_at
        if designate:
            row.designated_version_id = version.id

    def delete(self, row: PresetRow) -> None:
        del self._rows[row.id], self._versions[row.id]

    def delete_of_workspace(self, workspace_id: str) -> None:
        for row in self.of_workspace(workspace_id):
            self.delete(row)


def as_settings(config: Mapping[str, Any]) -> str:
    return json.dumps(config, ensure_ascii=False)
