"""Reading workspaces: all of them with what they hold, one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Guardrail, Key, Workspace, WorkspaceBudgets, WorkspaceMember
from orgadmin.inventory.windows import next_reset
from orgadmin.pages import ListFilters
from orgadmin.usage.pools import LIFETIME, Pools, pools_of

SORTS = ("name", "keys", "owners", "members", "spent", "budget")


@dataclass(frozen=True)
class BudgetLine:
    """One budget and our estimate of what is used of it in its window, None while that is not known.
    ``is_at_least``: the workspace is older than what we know of its use."""

    interval: str
    limit: Decimal
    used: Decimal | None
    is_at_least: bool

    @property
    def share(self) -> Decimal | None:
        return None if self.used is None or not self.limit else self.used / self.limit

    @property
    def left(self) -> Decimal | None:
        return None if self.used is None else self.limit - self.used

    @property
    def resets_at(self) -> datetime | None:
        return next_reset(self.interval, timezone.now())


@dataclass(frozen=True)
class Row:
    """A workspace in the list: its live keys, how many people own them, its members (None: everybody, or
    not told), US dollars since the 1st (UTC), None while they are not known, the budget nearest to its end.
    """

    workspace: Workspace
    keys: int
    owners: int
    members: int | None
    spent: Decimal | None
    limits: Mapping[str, Decimal]
    nearest: BudgetLine | None


def rows(organization: Organization, filters: ListFilters) -> list[Row]:
    """Every workspace that the filters let through, in their order: seven queries, whatever the number."""
    pools = pools_of(organization)
    keys = keys_and_owners(organization)
    members = members_by_workspace(organization)
    budgets = {
        row.workspace_uid: row
        for row in WorkspaceBudgets.objects.filter(organization=organization, gone_at=None)
    }
    listed = []
    for workspace in workspaces(organization, filters):
        lines = lines_of(workspace, budgets.get(workspace.uid), pools)
        spent = None if pools is None else pools.of(workspace.pk, "monthly").counted(with_byok=True)
        listed.append(
            Row(
                workspace,
                *keys.get(workspace.pk, (0, 0)),
                members.get(workspace.uid, 0) if has_members(organization, workspace) else None,
                spent,
                {line.interval: line.limit for line in lines},
                max(lines, key=lambda line: line.share or 0, default=None),
            )
        )
    return filters.sorted(
        listed,
        {
            "name": lambda row: (row.workspace.name.casefold(), row.workspace.pk),
            "keys": lambda row: row.keys,
            "owners": lambda row: row.owners,
            "members": lambda row: -1 if row.members is None else row.members,
            "spent": lambda row: row.spent or 0,
            "budget": lambda row: (row.nearest.share or 0) if row.nearest else -1,
        },
    )


def has_members(organization: Organization, workspace: Workspace) -> bool:
    """Whether we know who is in it: nobody is listed for the default one, and older servers tell of none."""
    is_default = workspace.uid == organization.default_workspace_uid
    return not is_default and organization.capabilities.get("workspace_members") is not False


def members_by_workspace(organization: Organization) -> Mapping[str, int]:
    places = WorkspaceMember.objects.filter(organization=organization, gone_at=None).order_by()
    return dict(places.values_list("workspace_uid").annotate(Count("pk")))


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


def guardrails_in(workspace: Workspace) -> tuple[Guardrail | None, list[Guardrail]]:
    """Its default guardrail, None while nobody configured it, and the others that are filed in it."""
    rows = Guardrail.objects.filter(
        organization=workspace.organization_id, workspace_uid=workspace.uid, gone_at=None
    )
    found = list(rows.only("uid", "name", "organization"))
    default = next((one for one in found if one.uid == workspace.default_guardrail_id), None)
    return default, [one for one in found if one is not default]


def names_of(workspace: Workspace) -> dict[str, str]:
    """What its history may mention by id."""
    return {workspace.uid: workspace.name}


def outcome_of(entry: Entry) -> Entry | None:
    """What an act came to; None while nobody knows."""
    return entry.outcomes.order_by("-id").first()


# --- budgets ---


def limits_of(workspace: Workspace) -> dict[str, Decimal]:
    row = WorkspaceBudgets.objects.filter(
        organization=workspace.organization_id, workspace_uid=workspace.uid, gone_at=None
    ).first()
    return dict(row.limits) if row else {}


def budget_lines(workspace: Workspace) -> list[BudgetLine]:
    """Its budgets, the narrowest first, with our estimate of what is used."""
    row = WorkspaceBudgets.objects.filter(
        organization=workspace.organization_id, workspace_uid=workspace.uid, gone_at=None
    ).first()
    return lines_of(workspace, row, pools_of(workspace.organization) if row else None)


def lines_of(workspace: Workspace, row: WorkspaceBudgets | None, pools: Pools | None) -> list[BudgetLine]:
    limits = row.limits if row else {}
    with_byok = bool(workspace.include_byok_in_budgets)
    is_older = pools is None or workspace.created_at is None or workspace.created_at.date() < pools.first
    return [
        BudgetLine(
            interval,
            limit,
            None if pools is None else pools.of(workspace.pk, interval).counted(with_byok=with_byok),
            interval == LIFETIME and is_older,
        )
        for interval, limit in limits.items()
    ]
