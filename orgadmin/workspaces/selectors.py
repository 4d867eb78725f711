"""Reading workspaces: all of them with what they hold, one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Workspace
from orgadmin.pages import ListFilters
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import spent_this_month

SORTS = ("name", "keys", "owners", "spent")


@dataclass(frozen=True)
class Row:
    """A workspace in the list: its live keys, how many people own them, US dollars since the 1st (UTC), None
    while they are not known."""

    workspace: Workspace
    keys: int
    owners: int
    spent: Decimal | None


def rows(organization: Organization, filters: ListFilters) -> list[Row]:
    """Every workspace that the filters let through, in their order: four queries, whatever the number."""
    found = workspaces(organization, filters)
    spent = spent_this_month(organization, Dimension.WORKSPACE)
    keys = keys_and_owners(organization)
    listed = [
        Row(
            workspace,
            *keys.get(workspace.pk, (0, 0)),
            None if spent is None else spent.get(workspace.pk, Decimal(0)),
        )
        for workspace in found
    ]
    return filters.sorted(
        listed,
        {
            "name": lambda row: (row.workspace.name.casefold(), row.workspace.pk),
            "keys": lambda row: row.keys,
            "owners": lambda row: row.owners,
            "spent": lambda row: row.spent or 0,
        },
    )


def workspaces(organization: Organization, filters: ListFilters) -> QuerySet[Workspace]:
    found = Workspace.objects.filter(organization=organization, gone_at__isnull=not filters.gone)
    for word in filters.q.split()[:8]:
        found = found.filter(Q(name__icontains=word) | Q(slug__icontains=word) | Q(uid__iexact=word))
    return found.order_by()


def keys_and_owners(organization: Organization) -> Mapping[int | None, tuple[int, int]]:
    """Live keys and the number of people who own them, by workspace."""
    keys = Key.objects.filter(organization=organization, gone_at=None).order_by()
    counted = keys.values_list("workspace").annotate(Count("pk"), Count("owner", distinct=True))
    return {workspace: (number, owners) for workspace, number, owners in counted}


def workspace_of(organization: Organization, uid: str) -> Workspace:
    """One workspace by its id; Http404 when it is not there."""
    found = Workspace.objects.filter(organization=organization, uid=uid).first()
    if found is None:
        raise Http404("No such workspace.")
    return found
