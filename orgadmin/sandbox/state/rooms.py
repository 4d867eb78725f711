"""The chat room: use of the service's own web page, which belongs to no key."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.sandbox.ledger import Gift, Ledger


@dataclass(slots=True, eq=False)
class RoomRow:
    """What one member chatted, or what belongs to nobody: `user_id` is None then."""

    user_id: str | None
    workspace_id: str
    ledger: Ledger


class Rooms:
    """Everybody's part of the chat room. The last one is nobody's."""

    def __init__(self, rows: list[RoomRow]) -> None:
        self.rows = rows

    def usage(self, seconds: int) -> int:
        """Nano-dollars of credit spent in it by `seconds`."""
        return sum(row.ledger.standing(seconds).usage for row in self.rows)

    def book(self, gift: Gift) -> None:
        """An amount of nobody's."""
        self.rows[-1].ledger.gifts.append(gift)

    def leave(self, user_id: str, seconds: int) -> None:
        """A member who has left chats no more."""
        for row in self.rows:
            if row.user_id == user_id:
                row.ledger.close(seconds)
