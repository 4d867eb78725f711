"""The people of the organization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orgadmin.sandbox.errors import NotFoundError


@dataclass(slots=True, eq=False)
class MemberRow:
    """One member. `role` is `org:admin` or `org:member`."""

    id: str
    email: str
    first_name: str | None
    last_name: str | None
    role: str


class Members:
    """All members; a personal account has none and says so with a 404."""

    def __init__(self, *, personal: bool) -> None:
        self.personal = personal
        self._rows: dict[str, MemberRow] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[MemberRow]:
        return iter(self._rows.values())

    def __contains__(self, member_id: object) -> bool:
        return member_id in self._rows

    def add(self, row: MemberRow) -> None:
        self._rows[row.id] = row

    def take_over(self, rows: Iterable[MemberRow]) -> None:
        """Holds these members and no others."""
        self._rows = {row.id: row for row in rows}

    def get(self, member_id: str) -> MemberRow:
        row = self._rows.get(member_id)
        if row is None:
            raise NotFoundError("Member not found")
        return row

    def all(self) -> list[MemberRow]:
        if self.personal:
            raise NotFoundError("This account is not an organization")
        return list(self._rows.values())

    def remove(self, row: MemberRow) -> None:
        del self._rows[row.id]
