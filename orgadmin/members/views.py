"""The members of the organization at OpenRouter, and one of them: what they hold and what it costs."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.inventory import guardrails
from orgadmin.members.selectors import SHOWN, SORTS, keys_of, member_of, rows
from orgadmin.pages import ListFilters, csv_of, page_of, respond

COLUMNS = ("name", "email", "member_id", "role", "keys", "spent_this_month_usd")


@allow(Permission.READ)
def list_members(request: OrgRequest) -> HttpResponse:
    filters = ListFilters.of(request.GET, SORTS)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
    }
    return respond(request, "members/list.html", context, fragment="members/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    found = rows(request.organization, ListFilters.of(request.GET, SORTS))
    lines = (
        (
            str(row.member),
            row.member.email,
            row.member.uid,
            row.member.role,
            row.keys,
            "" if row.spent is None else f"{row.spent:f}",
        )
        for row in found
    )
    return csv_of("members", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, member_uid: str) -> HttpResponse:
    member = member_of(request.organization, member_uid)
    keys = keys_of(member)
    context = {
        "organization": request.organization,
        "member": member,
        "keys": keys[:SHOWN],
        "has_more": len(keys) > SHOWN,
        "history": history(
            request.organization,
            ("member", "member_assignment"),
            member.uid,
            guardrails.names(request.organization),
        ),
        "guardrail": guardrails.of_members(request.organization, [member.uid]).get(member.uid),
        "reads_all": request.reads_all,
        "now": timezone.now(),
    }
    return respond(request, "members/detail.html", context)
