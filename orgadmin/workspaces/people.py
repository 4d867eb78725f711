"""Who is in a workspace, who could be, and what was ticked in its forms."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from orgadmin.accounts.models import Organization
from orgadmin.audit.text import writable
from orgadmin.inventory.models import Member, Workspace, WorkspaceMember
from orgadmin.workspaces.membership import MOST_AT_ONCE
from orgadmin.workspaces.snapshot import contents_of

LONGEST = 200


@dataclass(frozen=True)
class Chosen:
    """People by id, at most as many as fit into one act; ``q`` is looked for. ``form_token`` is there once
    the act is meant."""

    selected: tuple[str, ...]
    is_cut: bool
    q: str
    form_token: uuid.UUID | None

    @classmethod
    def of(cls, data: QueryDict) -> Chosen:
        named = [text for text in data.getlist("selected") if text and text == writable(text)]
        unique = tuple(dict.fromkeys(text[:100] for text in named))
        return cls(
            selected=unique[:MOST_AT_ONCE],
            is_cut=len(unique) > MOST_AT_ONCE,
            q=data.get("q", "").strip().replace("\x00", "")[:LONGEST],
            form_token=_token(data.get("form_token", "")),
        )


def _token(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@dataclass(frozen=True)
class Person:
    """Somebody in a workspace. ``keys`` are their live keys in it that still work: with one, OpenRouter does
    not let them go (FACTS 3.9)."""

    member: Member
    place: WorkspaceMember
    keys: int


def people_in(workspace: Workspace, q: str = "") -> list[Person]:
    """Who is in a workspace, by name: three queries. Who is not in the organization any more is left out."""
    places = {
        place.user_id: place
        for place in WorkspaceMember.objects.filter(
            organization=workspace.organization_id, workspace_uid=workspace.uid, gone_at=None
        )
    }
    keys = _working_keys(workspace)
    found = _named(workspace.organization, q).filter(uid__in=list(places))
    return [Person(one, places[one.uid], keys.get(one.uid, 0)) for one in found]


def people_beside(workspace: Workspace, q: str = "") -> QuerySet[Member]:
    """The members of the organization who are not in the workspace."""
    inside = WorkspaceMember.objects.filter(
        organization=workspace.organization_id, workspace_uid=workspace.uid, gone_at=None
    )
    return _named(workspace.organization, q).exclude(uid__in=inside.values("user_id"))


def members_named(organization: Organization, uids: Sequence[str]) -> list[Member]:
    """These of the organization's members, each once."""
    return list(Member.objects.filter(organization=organization, uid__in=uids, gone_at=None))


def _named(organization: Organization, q: str) -> QuerySet[Member]:
    found = Member.objects.filter(organization=organization, gone_at=None)
    for word in q.split()[:8]:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        found = found.filter(named | Q(email__icontains=word) | Q(uid__iexact=word))
    return found.order_by("first_name", "last_name", "email", "pk")


def _working_keys(workspace: Workspace) -> Mapping[str, int]:
    """Live keys by the person who made them."""
    keys = contents_of(workspace).active.exclude(creator_user_id=None).order_by()
    return dict(keys.values_list("creator_user_id").annotate(Count("pk")))


def blocked(workspace: Workspace, members: Sequence[Member]) -> dict[str, int]:
    """Which of these people OpenRouter would not let go, and how many working keys of theirs are to blame."""
    keys = _working_keys(workspace)
    return {one.uid: keys[one.uid] for one in members if one.uid in keys}
