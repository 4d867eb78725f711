"""Reading members: all of them with what they hold, one of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404

from orgadmin.accounts.models import Organization
from orgadmin.audit.history import Happening, history
from orgadmin.inventory import guardrails
from orgadmin.inventory.models import Guardrail, Key, Member, MemberAssignment, Workspace, WorkspaceMember
from orgadmin.members.filters import MemberFilters
from orgadmin.members.words import role_words
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import spent_this_month

# Keys on the page of one member; the list of keys has the rest.
SHOWN = 50


@dataclass(frozen=True)
class Row:
    """A member in the list: the workspaces they are in besides the default one and their live keys, counted;
    the guardrail they hold by name and id, both "" where they hold none; US dollars since the 1st (UTC), None
    while they are not known."""

    member: Member
    workspaces: int
    keys: int
    guardrail: str
    guardrail_uid: str
    spent: Decimal | None

    @property
    def role(self) -> str:
        return role_words(self.member.role)


def rows(organization: Organization, filters: MemberFilters) -> list[Row]:
    """Every member that the filters let through, in their order: one query besides those for the spend,
    whatever the number."""
    spent = spent_this_month(organization, Dimension.MEMBER)
    listed = [
        Row(
            member,
            member.places,
            member.live_keys,
            member.guardrail_name or member.guardrail_uid or "",
            member.guardrail_uid or "",
            None if spent is None else spent.get(member.pk, Decimal(0)),
        )
        for member in members(organization, filters)
    ]
    return filters.listed.sorted(
        listed,
        {
            "name": lambda row: (str(row.member).casefold(), row.member.pk),
            "email": lambda row: row.member.email.casefold(),
            "role": lambda row: row.role.casefold(),
            "workspaces": lambda row: row.workspaces,
            "keys": lambda row: row.keys,
            "guardrail": lambda row: (not row.guardrail, row.guardrail.casefold()),
            "spent": lambda row: row.spent or 0,
        },
    )


def members(organization: Organization, filters: MemberFilters) -> QuerySet[Any]:
    """The members with ``places``, ``live_keys``, ``guardrail_uid`` and ``guardrail_name``."""
    mine = {"organization": organization, "gone_at": None}
    keys = Key.objects.filter(owner=OuterRef("pk"), **mine)
    places = WorkspaceMember.objects.filter(user_id=OuterRef("uid"), **mine)
    places = places.exclude(workspace_uid=organization.default_workspace_uid)
    held = MemberAssignment.objects.filter(user_id=OuterRef("uid"), **mine)
    named = Guardrail.objects.filter(organization=organization, uid=OuterRef("guardrail_uid"))
    found = Member.objects.filter(*filters.conditions(organization), organization=organization)
    return found.order_by().annotate(
        live_keys=_number(keys, "owner"),
        places=_number(places, "user_id"),
        guardrail_uid=Subquery(held.values("guardrail_uid")[:1]),
        guardrail_name=Subquery(named.values("name")[:1]),
    )


def _number(rows: QuerySet[Any], column: str) -> Coalesce:
    """How many rows a subquery finds."""
    counted = rows.order_by().values(column).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def member_of(organization: Organization, uid: str) -> Member:
    """One member by their id, present or gone, with the organization; Http404 when they are not there."""
    found = Member.objects.filter(organization=organization, uid=uid).first()
    if found is None:
        raise Http404("No such member.")
    found.organization = organization
    return found


def keys_of(member: Member) -> list[Key]:
    """Their live keys, what spent most this month first."""
    keys = member.keys.filter(gone_at=None).select_related("workspace").defer("extra", "search_text")
    return list(keys.order_by("-usage_monthly", "sort_name", "pk")[: SHOWN + 1])


@dataclass(frozen=True)
class Place:
    """A person in a workspace, or no longer; its id in place of its name where it is not known."""

    row: WorkspaceMember
    name: str

    @property
    def is_known(self) -> bool:
        return self.name != self.row.workspace_uid


def places_of(member: Member) -> list[Place]:
    """Every workspace they are or were in on record, by name; without the default one, where everybody is.
    One query."""
    organization = member.organization
    named = Workspace.objects.filter(organization=organization, uid=OuterRef("workspace_uid"))
    rows = WorkspaceMember.objects.filter(organization=organization, user_id=member.uid)
    rows = rows.exclude(workspace_uid=organization.default_workspace_uid)
    found = rows.annotate(called=Subquery(named.values("name")[:1]))
    places = [Place(row, row.called or row.workspace_uid) for row in found]
    return sorted(places, key=lambda place: (place.name.casefold(), place.row.pk))


def default_workspace(organization: Organization) -> Workspace | None:
    """The workspace that everybody is in; None where it is not known or there is none."""
    uid = organization.default_workspace_uid
    return Workspace.objects.filter(organization=organization, uid=uid, gone_at=None).first() if uid else None


def history_of(member: Member, places: list[Place]) -> list[Happening]:
    """What happened to a person, to the guardrail they hold and to their places in workspaces."""
    organization = member.organization
    names = guardrails.names(organization) | {place.row.workspace_uid: place.name for place in places}
    return history(
        organization,
        ("member", "member_assignment"),
        member.uid,
        names,
        {"workspace_member": [place.row.place for place in places]},
    )
