"""The guardrail list and one guardrail: what it says, who holds it, how much of its budget is used."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.guardrails.selectors import (
    GuardrailFilters,
    key_holders,
    member_holders,
    row_of,
    rows,
    workspace_choices,
)
from orgadmin.guardrails.words import rules_of
from orgadmin.pages import csv_of, page_of, respond

COLUMNS = (
    "name",
    "guardrail_id",
    "workspace",
    "is_default",
    "is_enforced",
    "rules",
    "limit_usd",
    "reset_interval",
    "keys",
    "members",
)


@allow(Permission.READ)
def list_guardrails(request: OrgRequest) -> HttpResponse:
    filters = GuardrailFilters.of(request.GET)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "workspaces": workspace_choices(request.organization),
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
        "may_change": Permission.CHANGE in request.may,
    }
    return respond(request, "guardrails/list.html", context, fragment="guardrails/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    lines = (
        (
            row.name,
            row.guardrail.uid,
            row.workspace.name if row.workspace else "",
            "yes" if row.is_default else "no",
            "yes" if row.is_enforced else "no",
            "; ".join(row.words),
            "" if row.guardrail.limit is None else f"{row.guardrail.limit:f}",
            row.guardrail.reset_interval or "",
            row.keys,
            row.members,
        )
        for row in rows(request.organization, GuardrailFilters.of(request.GET))
    )
    return csv_of("guardrails", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, guardrail_uid: str) -> HttpResponse:
    row = row_of(request.organization, guardrail_uid)
    guardrail = row.guardrail
    names = {row.workspace.uid: row.workspace.name} if row.workspace else {}
    context = {
        "organization": request.organization,
        "row": row,
        "guardrail": guardrail,
        "rules": rules_of(guardrail),
        "keys": key_holders(row, request.GET.get("keys")),
        "members": member_holders(row, request.GET.get("members")),
        "exposure": None if guardrail.limit is None else guardrail.limit * (row.keys + row.members),
        "history": history(request.organization, "guardrail", guardrail.uid, names),
        "may_change": Permission.CHANGE in request.may,
        "reads_all": request.reads_all,
    }
    return respond(request, "guardrails/detail.html", context)
