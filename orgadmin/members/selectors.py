"""Reading members: all of them with what they hold, one of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member
from orgadmin.pages import ListFilters
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import spent_this_month

SORTS = ("name", "email", "role", "keys", "spent")
# Keys on the page of one member; the list of keys has the rest.
SHOWN = 50


@dataclass(frozen=True)
class Row:
    """A member in the list: their live keys, US dollars since the 1st (UTC), None
    while they are not known."""

    member: Member
    keys: int
    spent: Decimal | None


def rows(organization: Organization, filters: ListFilters) -> list[Row]:
    """Every member that the filters let through, in their order: four queries, whatever the number."""
    spent = spent_this_month(organization, Dimension.MEMBER)
    keys = Key.objects.filter(organization=organization, gone_at=None).order_by()
    counted = dict(keys.values_list("owner").annotate(Count("pk")))
    listed = [
        Row(member, counted.get(member.pk, 0), None if spent is None else spent.get(member.pk, Decimal(0)))
        for member in members(organization, filters)
    ]
    return filters.sorted(
        listed,
        {
            "name": lambda row: (str(row.member).casefold(), row.member.pk),
            "email": lambda row: row.member.email.casefold(),
            "role": lambda row: row.member.role,
            "keys": lambda row: row.keys,
            "spent": lambda row: row.spent or 0,
        },
    )


def members(organization: Organization, filters: ListFilters) -> QuerySet[Member]:
    found = Member.objects.filter(organization=organization, gone_at__isnull=not filters.gone)
    for word in filters.q.split()[:8]:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        found = found.filter(named | Q(email__icontains=word) | Q(uid__iexact=word))
    return found.order_by()


def member_of(organization: Organization, uid: str) -> Member:
    """One member by their id; Http404 when they are not there."""
    found = Member.objects.filter(organization=organization, uid=uid).first()
    if found is None:
        raise Http404("No such member.")
    return found


def keys_of(member: Member) -> list[Key]:
    """Their live keys, what spent most this month first."""
    keys = member.keys.filter(gone_at=None).select_related("workspace").defer("extra", "search_text")
    return list(keys.order_by("-usage_monthly", "sort_name", "pk")[: SHOWN + 1])
