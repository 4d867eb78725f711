"""What a key row knows of its workspace and owner: the links, and the text that search reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, Workspace

BATCH = 1000
# Rows written, and locked, at a time.
TOGETHER = 200


@dataclass(frozen=True)
class KeyLinks:
    """Workspaces and members of one organization by their upstream id, loaded once for many keys."""

    workspaces: Mapping[str, int]
    members: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, organization: Organization) -> KeyLinks:
        return cls(
            workspaces=dict(Workspace.objects.filter(organization=organization).values_list("uid", "pk")),
            members={
                member.uid: (member.pk, f"{member} {member.email}")
                for member in Member.objects.filter(organization=organization)
            },
        )

    def columns(
        self, *, name: str, label: str, key_hash: str, creator: str | None, workspace_uid: str
    ) -> dict[str, Any]:
        """The columns of ours that follow from a key's own: two links, and what search and sorting read."""
        owner_id, owner_text = self.members.get(creator or "", (None, ""))
        return {
            "workspace_id": self.workspaces.get(workspace_uid),
            "owner_id": owner_id,
            "search_text": " ".join(filter(None, [name, label, key_hash, owner_text])).casefold(),
            "sort_name": name.casefold()[:100],
        }


def link_keys(organization: Organization) -> None:
    """Bring every key's links up to date after workspaces or members were pulled; writes what differs."""
    _link(organization, Key.objects.filter(organization=organization))


def link_unlinked_keys(organization: Organization) -> None:
    """The same after keys were pulled, for those without a workspace or owner: workspaces and members may
    have arrived while the pull of the keys was under way."""
    unlinked = Q(workspace=None) | Q(owner=None, creator_user_id__isnull=False)
    _link(organization, Key.objects.filter(unlinked, organization=organization))


_READ = (
    "name",
    "label",
    "hash",
    "creator_user_id",
    "workspace_uid",
    "workspace_id",
    "owner_id",
    "search_text",
    "sort_name",
)


def _link(organization: Organization, keys: QuerySet[Key]) -> None:
    links = KeyLinks.of(organization)
    rows = keys.only(*_READ).order_by("pk").iterator(chunk_size=BATCH)
    stale = [key.pk for key in rows if _relinked(key, links)]
    for start in range(0, len(stale), TOGETHER):
        _write(links, stale[start : start + TOGETHER])


def _write(links: KeyLinks, numbers: Sequence[int]) -> None:
    """Link these keys as they are now. They are locked in the order of their primary keys, as a pull locks
    the keys of its page, so that neither waits for the other in a ring."""
    with transaction.atomic():
        rows = Key.objects.select_for_update(no_key=True).only(*_READ).filter(pk__in=numbers).order_by("pk")
        stale = [key for key in rows if _relinked(key, links)]
        Key.objects.bulk_update(stale, ["workspace", "owner", "search_text", "sort_name"])


def _relinked(key: Key, links: KeyLinks) -> bool:
    """Set the columns that follow from the key's own; whether that changed any."""
    wanted = links.columns(
        name=key.name,
        label=key.label,
        key_hash=key.hash,
        creator=key.creator_user_id,
        workspace_uid=key.workspace_uid,
    )
    differs = any(getattr(key, column) != value for column, value in wanted.items())
    for column, value in wanted.items():
        setattr(key, column, value)
    return differs
