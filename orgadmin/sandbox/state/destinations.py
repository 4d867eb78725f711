"""Where the account's traces are sent: the destinations of its workspaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgadmin.sandbox.errors import ConflictError, NotFoundError

MOST_OF_A_TYPE = 5


@dataclass(slots=True, eq=False)
class DestinationRow:
    """One destination. Secrets of `config` are kept as their masks: nothing is ever sent from here.

    `hidden` ones are of a type that no list shows, as those the web page alone can make.
    """

    id: str
    type: str
    name: str | None
    workspace_id: str
    config: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    long: bool = False
    enabled: bool = True
    api_key_hashes: list[str] | None = None
    filter_rules: dict[str, Any] | None = None
    privacy_mode: bool = False
    sampling_rate: float | int = 1
    broadcast_generation_cost: bool = False
    broadcast_generation_identity: bool = False
    broadcast_generation_request_context: bool = False
    broadcast_generation_cost_allocation: bool = False
    regions: list[str] = field(default_factory=lambda: ["global"])
    hidden: bool = False


class Destinations:
    """All destinations, in the order they were made."""

    def __init__(self) -> None:
        self._rows: dict[str, DestinationRow] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[DestinationRow]:
        return iter(self._rows.values())

    def add(self, row: DestinationRow) -> None:
        self._rows[row.id] = row

    def get(self, destination_id: str) -> DestinationRow:
        row = self._rows.get(destination_id.lower())
        if row is None or row.hidden:
            raise NotFoundError("Observability destination not found")
        return row

    def of_workspace(self, workspace_id: str) -> list[DestinationRow]:
        return [row for row in self if row.workspace_id == workspace_id and not row.hidden]

    def check_room(self, workspace_id: str, kind: str) -> None:
        """Raises ConflictError when the workspace has all it may have of a type."""
        if sum(row.type == kind for row in self.of_workspace(workspace_id)) >= MOST_OF_A_TYPE:
            raise ConflictError(f"A workspace has at most {MOST_OF_A_TYPE} destinations of type {kind}")

    def check_name(
        self, workspace_id: str, kind: str, name: str, *, but: DestinationRow | None = None
    ) -> None:
        """Raises ConflictError for the name of another of the type in the workspace."""
        others = (row for row in self.of_workspace(workspace_id) if row.type == kind and row is not but)
        if any(row.name == name for row in others):
            raise ConflictError(f'A {kind} destination named "{name}" exists already')

    def change(self, row: DestinationRow, fields: Mapping[str, Any], now: datetime) -> None:
        for name, value in fields.items():
            setattr(row, name, value)
        row.updated_at = now

    def delete(self, row: DestinationRow) -> None:
        del self._rows[row.id]

    def disable_in(self, workspace_id: str, now: datetime) -> None:
        """What becomes of them when their workspace is deleted."""
        for row in self:
            if row.workspace_id == workspace_id and row.enabled:
                self.change(row, {"enabled": False}, now)

    def take_over(self, rows: Iterable[DestinationRow]) -> None:
        """Holds these and no others."""
        self._rows = {row.id: row for row in rows}
