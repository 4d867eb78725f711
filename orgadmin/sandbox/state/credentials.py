"""The provider keys that the account brought itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orgadmin.sandbox.errors import NotFoundError


@dataclass(slots=True, eq=False)
class CredentialRow:
    """One credential; what it is made of is never kept, only `label`. `workspace_id` None: all workspaces.

    None in a list means no restriction. What is `is_required` or `is_byok_only` was chosen on the service's
    web page.
    """

    id: str
    provider: str
    label: str
    workspace_id: str | None
    sort_order: int
    created_at: datetime
    long: bool = False
    name: str | None = None
    disabled: bool = False
    is_fallback: bool = False
    allowed_models: list[str] | None = None
    allowed_api_key_hashes: list[str] | None = None
    allowed_user_ids: list[str] | None = None
    is_required: bool = False
    is_byok_only: bool = False
    declared_region: str | None = None
    declared_zdr: bool | None = None


class Credentials:
    """All credentials, in the order they were made. `listed_everywhere`: whether those of all workspaces are
    in the list of each; no document says."""

    def __init__(self, *, listed_everywhere: bool = True) -> None:
        self._rows: dict[str, CredentialRow] = {}
        self.listed_everywhere = listed_everywhere

    def __iter__(self) -> Iterator[CredentialRow]:
        return iter(self._rows.values())

    def add(self, row: CredentialRow) -> None:
        self._rows[row.id] = row

    def get(self, credential_id: str) -> CredentialRow:
        row = self._rows.get(credential_id.lower())
        if row is None:
            raise NotFoundError("BYOK key not found")
        return row

    def of(self, workspace_id: str, *, provider: str | None, is_default: bool) -> list[CredentialRow]:
        """What the list of a workspace shows: its own, and those of all workspaces in each list or in that of
        the default one alone."""
        places = {workspace_id, None} if self.listed_everywhere or is_default else {workspace_id}
        found = [row for row in self if row.workspace_id in places and provider in (None, row.provider)]
        return sorted(found, key=lambda row: (row.provider, row.is_fallback, row.sort_order))

    def next_place(self, provider: str, workspace_id: str | None) -> int:
        """Behind all others of the provider in the workspace."""
        orders = [
            row.sort_order for row in self if (row.provider, row.workspace_id) == (provider, workspace_id)
        ]
        return max(orders, default=-1) + 1

    def delete(self, row: CredentialRow) -> None:
        del self._rows[row.id]

    def drop_workspace(self, workspace_id: str) -> None:
        self.take_over([row for row in self if row.workspace_id != workspace_id])

    def take_over(self, rows: Iterable[CredentialRow]) -> None:
        """Holds these and no others."""
        self._rows = {row.id: row for row in rows}


def masked(secret: str) -> str:
    """`sk-...AbCd`: what is shown of a provider's key. Of one that is short or written as JSON, less."""
    start = secret[:3] if secret[:3].isprintable() and not secret.lstrip().startswith(("{", "[")) else ""
    return f"{start}...{secret[-4:]}" if len(secret) >= 12 and start else "..."
