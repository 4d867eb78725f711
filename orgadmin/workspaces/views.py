"""The workspaces, and one of them: what it is, what it holds, what it costs."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.inventory.models import Member
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.pages import ListFilters, csv_of, page_of, respond
from orgadmin.usage.outlook import behind
from orgadmin.usage.pools import as_of
from orgadmin.workspaces.selectors import (
    SORTS,
    budget_lines,
    guardrails_in,
    has_members,
    keys_and_owners,
    members_by_workspace,
    names_of,
    rows,
    workspace_of,
)

COLUMNS = (
    "name",
    "slug",
    "workspace_id",
    "description",
    "keys",
    "owners",
    "members",
    "spent_this_month_usd",
    *(f"{interval}_budget_usd" for interval in INTERVALS),
    "byok_counts_against_budgets",
)


@allow(Permission.READ)
def list_workspaces(request: OrgRequest) -> HttpResponse:
    filters = ListFilters.of(request.GET, SORTS)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "may_act": Permission.CHANGE in request.may,
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
    }
    return respond(request, "workspaces/list.html", context, fragment="workspaces/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    found = rows(request.organization, ListFilters.of(request.GET, SORTS))
    lines = (
        (
            row.workspace.name,
            row.workspace.slug,
            row.workspace.uid,
            row.workspace.description or "",
            row.keys,
            row.owners,
            "" if row.members is None else row.members,
            "" if row.spent is None else f"{row.spent:f}",
            *(f"{row.limits[name]:f}" if name in row.limits else "" for name in INTERVALS),
            {None: "", True: "yes", False: "no"}[row.workspace.include_byok_in_budgets],
        )
        for row in found
    )
    return csv_of("workspaces", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    workspace = workspace_of(request.organization, workspace_uid)
    past = behind(request.organization, workspace)
    keys, owners = keys_and_owners(request.organization).get(workspace.pk, (0, 0))
    context = {
        "organization": request.organization,
        "workspace": workspace,
        "keys": keys,
        "owners": owners,
        "spent": past.of_month() + past.so_far.total if past.days else None,
        "forecast": past.month_end() if workspace.gone_at is None else None,
        "creator": Member.objects.filter(
            organization=request.organization, uid=workspace.created_by or ""
        ).first(),
        "history": history(
            request.organization, ("workspace", "workspace_budgets"), workspace.uid, names_of(workspace)
        ),
        "lines": budget_lines(workspace),
        "as_of": as_of(request.organization),
        "guardrails": guardrails_in(workspace),
        "members": members_by_workspace(request.organization).get(workspace.uid, 0),
        "is_told": has_members(request.organization, workspace),
        "is_default": workspace.uid == request.organization.default_workspace_uid,
        "lacks_budgets": request.organization.capabilities.get("workspace_budgets") is False,
        "may_act": Permission.CHANGE in request.may and workspace.gone_at is None,
        "reads_all": request.reads_all,
    }
    return respond(request, "workspaces/detail.html", context)
