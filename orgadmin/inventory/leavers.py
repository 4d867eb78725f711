"""What somebody who leaves the organization still holds or has under way, as the slices know it.

A slice that has such things registers here when its app is ready; the page of a leaver asks them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orgadmin.accounts.models import User
from orgadmin.inventory.models import Member


@dataclass(frozen=True)
class Holding:
    """One thing: its noun ("Rotation"), its name, the address of its page, and what is to be said of it."""

    noun: str
    name: str
    address: str
    note: str = ""


# Given the member (organization loaded) and the people of this dashboard who bear their address.
Find = Callable[[Member, Sequence[User]], Sequence[Holding]]
FINDERS: list[Find] = []


def register(find: Find) -> None:
    FINDERS.append(find)


def holdings_of(member: Member, users: Sequence[User]) -> list[Holding]:
    return [holding for find in FINDERS for holding in find(member, users)]
