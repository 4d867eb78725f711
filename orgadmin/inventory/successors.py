"""What else names a key must name its successor before the secret of that one is shown (FACTS 3.8).

A slice that has such names registers here when its app is ready; a rotation asks them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orgadmin.accounts.models import Organization, User


@dataclass(frozen=True)
class Succession:
    """One key takes the place of another, by their hashes; ``name`` is the new one's."""

    organization: Organization
    old_hash: str
    new_hash: str
    name: str


# May raise OpenRouterError; whatever it raises is told beside the secret and keeps nothing from being shown.
CarryOver = Callable[[User, Succession], None]
CARRY_OVER: list[CarryOver] = []


def register(carry_over: CarryOver) -> None:
    CARRY_OVER.append(carry_over)
