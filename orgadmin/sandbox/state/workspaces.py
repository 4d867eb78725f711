"""The workspaces of the account. One of them is the default, and no answer says which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.errors import InvalidRequestError, NotFoundError


@dataclass(slots=True, eq=False)
class WorkspaceRow:
    """One workspace. `io_logging_api_key_ids` are numbers that no endpoint maps to keys."""

    id: str
    name: str
    slug: str
    created_at: datetime
    long: bool = False
    description: str | None = None
    updated_at: datetime | None = None
    created_by: str | None = None
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    is_observability_broadcast_enabled: bool = False
    is_observability_io_logging_enabled: bool = False
    io_logging_sampling_rate: float | int = 1
    io_logging_api_key_ids: list[int] | None = None
    is_data_discount_logging_enabled: bool = False
    include_byok_in_budgets: bool = False
    disabled_server_tools: list[str] | None = None

    @property
    def default_guardrail_id(self) -> str:
        """Follows from the workspace alone; the guardrail itself may not exist yet."""
        return uuid_text("default-guardrail", self.id)

    @property
    def default_guardrail_name(self) -> str:
        return f"Workspace {self.id} Default"


class Workspaces:
    """All workspaces, newest first, so that the default one (the oldest) is never the obvious first."""

    def __init__(self) -> None:
        self._rows: dict[str, WorkspaceRow] = {}
        self.default_id: str | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[WorkspaceRow]:
        return iter(sorted(self._rows.values(), key=lambda row: row.created_at, reverse=True))

    def add(self, row: WorkspaceRow) -> None:
        self._rows[row.id] = row

    def take_over(self, rows: Iterable[WorkspaceRow], default_id: str | None) -> None:
        """Holds these workspaces and no others."""
        self._rows = {row.id: row for row in rows}
        self.default_id = default_id

    def find(self, workspace_id: str) -> WorkspaceRow | None:
        return self._rows.get(workspace_id)

    def get(self, id_or_slug: str) -> WorkspaceRow:
        """Paths take a UUID or a slug."""
        row = self._rows.get(id_or_slug.lower()) or next(
            (row for row in self._rows.values() if row.slug == id_or_slug), None
        )
        if row is None:
            raise NotFoundError("Workspace not found")
        return row

    def governed_by(self, guardrail_id: str) -> WorkspaceRow | None:
        """The workspace whose default guardrail has this id, whether or not it exists yet."""
        wanted = guardrail_id.lower()
        return next((row for row in self._rows.values() if row.default_guardrail_id == wanted), None)

    def named(self, workspace_id: str | None) -> WorkspaceRow:
        """Parameters and bodies take a UUID only; None means the default workspace."""
        if workspace_id is None:
            if self.default_id is None:
                raise InvalidRequestError("This account has no default workspace: give a workspace_id")
            return self._rows[self.default_id]
        if not is_uuid(workspace_id):
            raise InvalidRequestError('Invalid "workspace_id": expected a UUID')
        row = self._rows.get(workspace_id.lower())
        if row is None:
            raise InvalidRequestError(f"Workspace {workspace_id} not found")
        return row

    def check_slug_free(self, slug: str, *, but: WorkspaceRow | None = None) -> None:
        if any(row.slug == slug and row is not but for row in self._rows.values()):
            raise InvalidRequestError(f'A workspace with the slug "{slug}" exists already')

    def delete(self, row: WorkspaceRow) -> None:
        del self._rows[row.id]
        if row.id == self.default_id:
            self.default_id = None


def is_uuid(text: str) -> bool:
    """The 8-4-4-4-12 spelling only; the other spellings Python reads are refused."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
