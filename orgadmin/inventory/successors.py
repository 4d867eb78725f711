"""What else names a key, and what becomes of that when another key takes its place or when it goes.

A successor must be named before its secret is shown, and the old key is named no longer once it was retired;
a list of allowed keys must never end up empty or gone meanwhile (FACTS 3.8). A slice that has such names
registers here when its app is ready; a rotation, its end and a deletion ask them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from orgadmin.accounts.models import Organization, User
from orgadmin.openrouter.errors import OpenRouterError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Succession:
    """One key takes the place of another, by their hashes; ``name`` is the new one's."""

    organization: Organization
    old_hash: str
    new_hash: str
    name: str


@dataclass(frozen=True)
class Mention:
    """Something whose list of allowed keys names a key: its noun ("BYOK credential"), its name, the address
    of its page; ``is_alone``: no other key is in the list."""

    noun: str
    name: str
    address: str
    is_alone: bool


# Both may raise OpenRouterError; whatever they raise is told beside the rest and keeps nothing from going on.
CarryOver = Callable[[User, Succession], None]
Mentions = Callable[[Organization, str], Sequence[Mention]]
CARRY_OVER: list[CarryOver] = []
RETIRE: list[CarryOver] = []
MENTIONS: list[Mentions] = []


def register(
    *, carry_over: CarryOver, retire: CarryOver | None = None, mentions: Mentions | None = None
) -> None:
    """``retire`` takes the old key out of what names it, with the successor in its place."""
    CARRY_OVER.append(carry_over)
    if retire is not None:
        RETIRE.append(retire)
    if mentions is not None:
        MENTIONS.append(mentions)


def carried_over(actor: User, succession: Succession) -> tuple[str, ...]:
    """Let everything that names the old key name its successor too; what went wrong, in words."""
    return _each(CARRY_OVER, actor, succession, "could not be carried over")


def retired(actor: User, succession: Succession) -> tuple[str, ...]:
    """Take the old key out of everything that names both; what went wrong, in words."""
    return _each(RETIRE, actor, succession, "still names it alone or beside its successor")


def mentions_of(organization: Organization, key_hash: str) -> list[Mention]:
    return [mention for find in MENTIONS for mention in find(organization, key_hash)]


def _each(acts: Sequence[CarryOver], actor: User, succession: Succession, problem: str) -> tuple[str, ...]:
    said = []
    for act in acts:
        try:
            act(actor, succession)
        except OpenRouterError as error:
            said.append(f"Something that names the old key {problem}: {error.message}")
        except Exception:
            log.exception("succession", problem=problem, old=succession.old_hash, new=succession.new_hash)
            said.append(f"Something that names the old key {problem}. It was logged.")
    return tuple(said)
