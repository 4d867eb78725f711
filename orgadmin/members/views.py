"""The members of the organization at OpenRouter, and one of them: what they hold and what it costs."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.inventory import guardrails
from orgadmin.members.filters import GUARDRAILS, KEYS, MemberFilters
from orgadmin.members.selectors import (
    SHOWN,
    default_workspace,
    history_of,
    keys_of,
    member_of,
    places_of,
    rows,
)
from orgadmin.members.words import role_words, workspace_role_words
from orgadmin.pages import csv_of, page_of, respond

COLUMNS = (
    "name",
    "email",
    "member_id",
    "role",
    "workspaces",
    "keys",
    "guardrail",
    "guardrail_id",
    "spent_this_month_usd",
)


@allow(Permission.READ)
def list_members(request: OrgRequest) -> HttpResponse:
    filters = MemberFilters.of(request.GET)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "capabilities": request.organization.capabilities,
        "filters": filters,
        "guardrail_choices": GUARDRAILS,
        "key_choices": KEYS,
        "workspaces": [
            (row["slug"], row["name"]) for row in request.organization.summary.get("workspace_choices", [])
        ],
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
    }
    return respond(request, "members/list.html", context, fragment="members/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    found = rows(request.organization, MemberFilters.of(request.GET))
    lines = (
        (
            str(row.member),
            row.member.email,
            row.member.uid,
            row.member.role,
            row.workspaces,
            row.keys,
            row.guardrail,
            row.guardrail_uid,
            "" if row.spent is None else f"{row.spent:f}",
        )
        for row in found
    )
    return csv_of("members", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, member_uid: str) -> HttpResponse:
    organization = request.organization
    member = member_of(organization, member_uid)
    keys, places = keys_of(member), places_of(member)
    context = {
        "organization": organization,
        "capabilities": organization.capabilities,
        "member": member,
        "role": role_words(member.role),
        "keys": keys[:SHOWN],
        "has_more": len(keys) > SHOWN,
        "places": [place for place in places if place.row.gone_at is None],
        "default_workspace": default_workspace(organization),
        "workspace_role_words": workspace_role_words,
        "history": history_of(member, places),
        "guardrail": guardrails.of_members(organization, [member.uid]).get(member.uid),
        "may_change": Permission.CHANGE in request.may,
        "reads_all": request.reads_all,
        "now": timezone.now(),
    }
    return respond(request, "members/detail.html", context)
