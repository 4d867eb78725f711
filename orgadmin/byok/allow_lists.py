"""Keys and people that credentials name: what becomes of them when a key is rotated or somebody leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.urls import reverse

from orgadmin.accounts.models import Organization, User
from orgadmin.byok.selectors import mentions
from orgadmin.byok.services import credential_list_keys, credentials_look
from orgadmin.inventory import leavers, successors
from orgadmin.inventory.leavers import Holding
from orgadmin.inventory.models import Credential, Key, Member
from orgadmin.inventory.successors import Mention, Succession
from orgadmin.openrouter.errors import NotFound, OpenRouterError

MOST_LISTED = 100


class NotCarriedOver(OpenRouterError):
    """Some lists could not be changed, or nobody knows whether they were; or a list had no room for both."""


def carry_over(actor: User, succession: Succession) -> None:
    """Let the successor use every credential that the old key may use; of a full list it takes the old key's
    place. Raises NotCarriedOver, once all were tried."""
    full: list[str] = []

    def beside(listed: Sequence[str]) -> list[str]:
        if succession.old_hash not in listed or succession.new_hash in listed:
            return list(listed)
        if len(listed) < MOST_LISTED:
            return [*listed, succession.new_hash]
        full.append(f"at most {MOST_LISTED} keys fit into a list, so the old key lost its place in one.")
        return _in_place(listed, succession)

    failed = _change_all(actor, succession, beside)
    words = [f"the BYOK credentials {failed} do not let the new key in. Edit their keys."] if failed else []
    if said := [*words, *full]:
        raise NotCarriedOver(" ".join(said))


def retire(actor: User, succession: Succession) -> None:
    """Take the old key out of every list, its successor in: no list is ever left empty. Raises
    NotCarriedOver, once all were tried."""

    def without(listed: Sequence[str]) -> list[str]:
        return _in_place(listed, succession)

    if failed := _change_all(actor, succession, without):
        raise NotCarriedOver(f"the BYOK credentials {failed}. Edit their keys.")


def _change_all(actor: User, succession: Succession, change: Callable[[Sequence[str]], Sequence[str]]) -> str:
    """The names of those that could not be changed. One that is gone names nobody; one that came to name the
    old key since the last sync is met, too, where it serves the key."""
    failed, organization = [], succession.organization
    places = Key.objects.filter(organization=organization, hash=succession.old_hash)
    try:
        for place in places.exclude(workspace_uid="").values_list("workspace_uid", flat=True):
            credentials_look(organization=organization, workspace_uid=place, key_hash=succession.old_hash)
    except OpenRouterError:
        failed.append("that changed since the last sync (they could not be listed)")
    for credential in mentions(succession.organization, succession.old_hash).values():
        try:
            credential_list_keys(actor=actor, credential=credential, change=change)
        except NotFound:
            continue
        except OpenRouterError:
            failed.append(f"“{credential}”")
    return ", ".join(failed)


def _in_place(listed: Sequence[str], succession: Succession) -> list[str]:
    if succession.old_hash not in listed:
        return list(listed)
    replaced = (succession.new_hash if one == succession.old_hash else one for one in listed)
    return list(dict.fromkeys(replaced))


def naming(organization: Organization, key_hash: str) -> list[Mention]:
    return [
        Mention(
            "BYOK credential", str(row), _page(organization, row), row.allowed_api_key_hashes == [key_hash]
        )
        for row in mentions(organization, key_hash).values()
    ]


def held(member: Member, _: Sequence[User]) -> list[Holding]:
    """The credentials that name somebody who leaves, or a key of theirs."""
    rows = Credential.objects.filter(organization=member.organization, gone_at=None)
    named = [row for row in rows if row.allowed_user_ids or row.allowed_api_key_hashes]
    if not named:
        return []
    listed = {one for row in named for one in row.allowed_api_key_hashes or ()}
    keys = set(Key.objects.filter(owner=member, gone_at=None, hash__in=listed).values_list("hash", flat=True))
    return [
        Holding("BYOK credential", str(row), _page(member.organization, row), note)
        for row in named
        if (note := _named(row, member.uid, keys))
    ]


def _named(row: Credential, uid: str, keys: set[str]) -> str:
    people, hashes = row.allowed_user_ids or [], row.allowed_api_key_hashes or []
    theirs = sum(one in keys for one in hashes)
    said = []
    if uid in people:
        said.append("for nobody else" if people == [uid] else "for them among others")
    if theirs:
        said.append("for their keys alone" if theirs == len(hashes) else "for keys of theirs among others")
    return " and ".join(said)


def _page(organization: Organization, row: Credential) -> str:
    return reverse("byok:detail", kwargs={"organization": organization.slug, "credential_uid": row.uid})


successors.register(carry_over=carry_over, retire=retire, mentions=naming)
leavers.register(held)
