"""Allow-lists when a key is replaced: its successor is named beside it, and once the old one goes, its hash
is taken out without ever opening a destination to every key (FACTS 3.8, trap 17)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Destination
from orgadmin.inventory.successors import Succession
from orgadmin.observability.drafts import DestinationEdit, settings_of
from orgadmin.observability.selectors import naming_keys
from orgadmin.observability.services import EditConflict, destination_update
from orgadmin.openrouter.errors import NotFound, OpenRouterError

# Given the hashes that a destination names, those it should name.
Renaming = Callable[[set[str]], set[str]]
TRIES = 2


class NotCarriedOver(OpenRouterError):
    """OpenRouter did not take the successor into an allow-list, or nobody knows whether it did."""


@dataclass(frozen=True)
class Forgotten:
    """What came of taking a hash out of the allow-lists: the destinations that do not name it any more, those
    that name nothing else and were left alone (they send nothing from now on), and those that failed with
    why."""

    done: list[Destination] = field(default_factory=list)
    kept: list[Destination] = field(default_factory=list)
    failed: list[tuple[Destination, str]] = field(default_factory=list)


def carry_over(actor: User, succession: Succession) -> None:
    """Let every destination that names the old key name its successor, too. Raises NotCarriedOver, once all
    were tried."""

    def with_successor(named: set[str]) -> set[str]:
        return named | {succession.new_hash} if succession.old_hash in named else named

    failed = []
    for destination in naming_keys(succession.organization, {succession.old_hash}):
        try:
            _rename(actor, destination, with_successor)
        except (OpenRouterError, EditConflict):
            failed.append(destination)
    if failed:
        raise NotCarriedOver(
            f"the destinations {_names(failed)} do not send the new key's traffic. Add it to their keys."
        )


def keys_forget(*, actor: User, organization: Organization, key_hashes: Iterable[str]) -> Forgotten:
    """Take keys that are deleted (or about to be) out of every allow-list that names other keys as well.

    A list is never emptied, since none would mean all keys: a destination that names no other key is left
    alone. Nothing is raised for OpenRouter's errors; each destination tells its own.
    """
    gone, outcome = set(key_hashes), Forgotten()
    for destination in naming_keys(organization, gone):
        if set(destination.api_key_hashes or ()) <= gone:
            outcome.kept.append(destination)
            continue
        try:
            _rename(actor, destination, lambda named: named - gone if named - gone else named)
        except OpenRouterError as error:
            outcome.failed.append((destination, error.message))
        except EditConflict as conflict:
            outcome.failed.append((destination, str(conflict)))
        else:
            outcome.done.append(destination)
    return outcome


def _rename(actor: User, destination: Destination, renaming: Renaming) -> None:
    """Change the allow-list as it is at OpenRouter now; what else somebody changed meanwhile stays. One that
    is gone names nobody."""
    for left in reversed(range(TRIES)):
        seen = settings_of(destination)
        named = set(seen["api_key_hashes"] or ())
        wanted = {**seen, "api_key_hashes": sorted(renaming(named)) if named else None}
        try:
            destination_update(actor=actor, destination=destination, edit=DestinationEdit(seen, wanted))
        except EditConflict:
            if not left:
                raise
            # What there is now was mirrored before it was raised.
            destination.refresh_from_db()
        except NotFound:
            return
        else:
            return


def _names(destinations: Iterable[Destination]) -> str:
    return ", ".join(f"“{one}”" for one in destinations)
