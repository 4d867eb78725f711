"""The workspaces, and one of them: what it is, what it holds, what it costs."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.inventory.models import Member
from orgadmin.pages import ListFilters, csv_of, page_of, respond
from orgadmin.usage.outlook import behind
from orgadmin.workspaces.selectors import SORTS, keys_and_owners, rows, workspace_of

COLUMNS = ("name", "slug", "workspace_id", "description", "keys", "owners", "spent_this_month_usd")


@allow(Permission.READ)
def list_workspaces(request: OrgRequest) -> HttpResponse:
    filters = ListFilters.of(request.GET, SORTS)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
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
            "" if row.spent is None else f"{row.spent:f}",
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
        "history": history(request.organization, "workspace", workspace.uid),
        "reads_all": request.reads_all,
    }
    return respond(request, "workspaces/detail.html", context)
