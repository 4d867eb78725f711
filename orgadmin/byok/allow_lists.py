"""Keys and people that credentials name: what becomes of them when a key is rotated or somebody leaves."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from orgadmin.accounts.models import Organization, User
from orgadmin.byok.selectors import mentions
from orgadmin.byok.services import credential_list_keys
from orgadmin.inventory import leavers, successors
from orgadmin.inventory.leavers import Holding
from orgadmin.inventory.models import Credential, Key, Member
from orgadmin.inventory.successors import Mention, Succession

MOST_LISTED = 100


def carry_over(actor: User, succession: Succession) -> None:
    """Let the successor use every credential that the old key may use; of a full list it takes the old key's
    place. Raises OpenRouterError."""

    def beside(listed: Sequence[str]) -> list[str]:
        if succession.old_hash not in listed or succession.new_hash in listed:
            return list(listed)
        return [*listed, succession.new_hash] if len(listed) < MOST_LISTED else _in_place(listed, succession)

    for credential in mentions(succession.organization, succession.old_hash).values():
        credential_list_keys(actor=actor, credential=credential, change=beside)


def retire(actor: User, succession: Succession) -> None:
    """Take the old key out of every list, its successor in: no list is ever left empty. Raises
    OpenRouterError."""

    def without(listed: Sequence[str]) -> list[str]:
        return _in_place(listed, succession)

    for credential in mentions(succession.organization, succession.old_hash).values():
        credential_list_keys(actor=actor, credential=credential, change=without)


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
