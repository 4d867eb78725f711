"""Allow-lists when a key is replaced: its successor is named beside it, and in its place once the old one is
retired, which never opens a destination to every key (FACTS 3.8, trap 17)."""

from __future__ import annotations

from collections.abc import Callable

from django.urls import reverse

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Destination
from orgadmin.inventory.successors import Mention, Succession
from orgadmin.observability.drafts import DestinationEdit, settings_of
from orgadmin.observability.selectors import naming_keys
from orgadmin.observability.services import EditConflict, destination_update
from orgadmin.openrouter.errors import NotFound, OpenRouterError

# Given the hashes that a destination names, those it should name.
Renaming = Callable[[set[str]], set[str]]
TRIES = 2


class NotCarriedOver(OpenRouterError):
    """OpenRouter did not take the successor into an allow-list, or nobody knows whether it did."""


def carry_over(actor: User, succession: Succession) -> None:
    """Let every destination that names the old key name its successor, too. Raises NotCarriedOver, once all
    were tried."""

    def with_successor(named: set[str]) -> set[str]:
        return named | {succession.new_hash} if succession.old_hash in named else named

    if failed := _rename_all(actor, succession, with_successor):
        raise NotCarriedOver(
            f"the destinations {failed} do not send the new key's traffic. Add it to their keys."
        )


def retire(actor: User, succession: Succession) -> None:
    """Put the successor in the old key's place: no list is ever left empty. Raises NotCarriedOver, once all
    were tried."""

    def in_its_place(named: set[str]) -> set[str]:
        old = {succession.old_hash}
        return named - old | {succession.new_hash} if old <= named else named

    if failed := _rename_all(actor, succession, in_its_place):
        raise NotCarriedOver(f"the destinations {failed}. Edit their keys.")


def naming(organization: Organization, key_hash: str) -> list[Mention]:
    return [
        Mention("Destination", str(row), _page(organization, row), row.api_key_hashes == [key_hash])
        for row in naming_keys(organization, {key_hash})
    ]


def _page(organization: Organization, row: Destination) -> str:
    at = {"organization": organization.slug, "destination_uid": row.uid}
    return reverse("observability:detail", kwargs=at)


def _rename_all(actor: User, succession: Succession, renaming: Renaming) -> str:
    """The names of those that could not be changed."""
    failed = []
    for destination in naming_keys(succession.organization, {succession.old_hash}):
        try:
            _rename(actor, destination, renaming)
        except (OpenRouterError, EditConflict):
            failed.append(f"“{destination}”")
    return ", ".join(failed)


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
