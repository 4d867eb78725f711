"""Who belongs to which workspace. The default one is everybody's and keeps no rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orgadmin.sandbox.dice import uuid_text
from orgadmin.sandbox.state.members import MemberRow
from orgadmin.sandbox.state.workspaces import WorkspaceRow


@dataclass(slots=True, eq=False)
class MembershipRow:
    """One person in one workspace. `role` is `admin` or `member`; `managed` says that the organization's
    identity provider (SCIM) put them there, which no answer tells."""

    id: str
    workspace_id: str
    user_id: str
    role: str
    created_at: datetime
    long: bool = False
    managed: bool = False


class Memberships:
    """All memberships, by workspace and person."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, MembershipRow]] = {}

    def __iter__(self) -> Iterator[MembershipRow]:
        return (row for rows in self._rows.values() for row in rows.values())

    def add(self, row: MembershipRow) -> None:
        self._rows.setdefault(row.workspace_id, {})[row.user_id] = row

    def take_over(self, rows: Iterable[MembershipRow]) -> None:
        """Holds these memberships and no others."""
        self._rows = {}
        for row in rows:
            self.add(row)

    def find(self, workspace_id: str, user_id: str) -> MembershipRow | None:
        return self._rows.get(workspace_id, {}).get(user_id)

    def of_workspace(self, workspace_id: str) -> list[MembershipRow]:
        return list(self._rows.get(workspace_id, {}).values())

    def remove(self, row: MembershipRow) -> None:
        del self._rows[row.workspace_id][row.user_id]

    def drop_workspace(self, workspace_id: str) -> None:
        self._rows.pop(workspace_id, None)

    def drop_member(self, user_id: str) -> None:
        for rows in self._rows.values():
            rows.pop(user_id, None)


def role_of(member: MemberRow) -> str:
    """The workspace's word for a role of the organization."""
    return "admin" if member.role == "org:admin" else "member"


def implicit(workspace: WorkspaceRow, members: Iterable[MemberRow]) -> list[MembershipRow]:
    """Everybody, as members of the default workspace."""
    return [
        MembershipRow(
            id=uuid_text("membership", workspace.id, member.id),
            workspace_id=workspace.id,
            user_id=member.id,
            role=role_of(member),
            created_at=workspace.created_at,
            long=workspace.long,
        )
        for member in members
    ]
