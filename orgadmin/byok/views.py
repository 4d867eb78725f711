"""The credentials, one of them, and what is spent past the limits through them."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.byok.coverage import (
    byok_this_month,
    gaps_of_guardrails,
    gaps_of_keys,
    gaps_of_workspaces,
    side_by_side,
)
from orgadmin.byok.known import Known
from orgadmin.byok.selectors import (
    STATES,
    CredentialFilters,
    last_days,
    names_in,
    others_in_line,
    provider_choices,
    row_of,
    rows,
    spent_by_provider,
    spent_through,
    with_changes,
    workspace_choices,
)
from orgadmin.byok.words import LISTS, REGIONS, use_of_credits
from orgadmin.pages import csv_of, page_of, respond

COLUMNS = (
    "provider",
    "order",
    "name",
    "credential_id",
    "label",
    "workspace",
    "is_fallback",
    "disabled",
    "restrictions",
    "created_at",
)
# The limits of each kind that the map shows, and that its CSV has at most.
MOST_GAPS, MOST_EXPORTED = 50, 100_000
GAP_COLUMNS = ("kind", "id", "name", "limit_usd", "interval", "escaped_usd")


@allow(Permission.READ)
def list_credentials(request: OrgRequest) -> HttpResponse:
    filters, known = CredentialFilters.of(request.GET), Known(request.organization)
    found = rows(known, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "states": STATES,
        "workspaces": workspace_choices(request.organization),
        "providers": provider_choices(known),
        "spent": spent_by_provider(known) if found else {},
        "page": page_of(
            len(found),
            request.GET.get("page"),
            lambda at, size: with_changes(request.organization, found[at : at + size]),
        ),
        "may_change": Permission.CHANGE in request.may,
    }
    return respond(request, "byok/list.html", context, fragment="byok/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    lines = (
        (
            row.credential.provider,
            row.credential.sort_order + 1,
            row.credential.name or "",
            row.credential.uid,
            row.credential.label,
            row.place,
            "yes" if row.credential.is_fallback else "no",
            "yes" if row.credential.disabled else "no",
            "; ".join(row.restrictions),
            row.credential.created_at.isoformat() if row.credential.created_at else "",
        )
        for row in rows(Known(request.organization), CredentialFilters.of(request.GET))
    )
    return csv_of("byok", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, credential_uid: str) -> HttpResponse:
    known = Known(request.organization)
    row = row_of(known, credential_uid)
    credential = row.credential
    names = names_in(request.organization, {name: getattr(credential, name) for name in LISTS})
    places = {uid: workspace.name for uid, workspace in known.workspaces.items()}
    context = {
        "organization": request.organization,
        "row": row,
        "credential": credential,
        "lists": [(name, *words, getattr(credential, name)) for name, words in LISTS.items()],
        "names": names,
        "regions": REGIONS,
        "about_credits": use_of_credits(credential),
        "others": others_in_line(known, row),
        "spent": spent_through(known, row),
        "span": last_days(),
        "history": history(request.organization, "credential", credential.uid, {**places, **names}),
        "may_change": Permission.CHANGE in request.may,
        "reads_all": request.reads_all,
    }
    return respond(request, "byok/detail.html", context)


@allow(Permission.READ)
def coverage(request: OrgRequest) -> HttpResponse:
    span, sides = side_by_side(Known(request.organization))
    context = {
        "organization": request.organization,
        "span": span,
        "sides": sides,
        "month": byok_this_month(request.organization),
        "gaps": [
            ("Keys", gaps_of_keys(request.organization, MOST_GAPS)),
            ("Guardrails", gaps_of_guardrails(request.organization, MOST_GAPS)),
            ("Workspace budgets", gaps_of_workspaces(request.organization, MOST_GAPS)),
        ],
    }
    return respond(request, "byok/coverage.html", context)


@allow(Permission.READ)
def export_coverage(request: OrgRequest) -> StreamingHttpResponse:
    kinds = (gaps_of_keys, gaps_of_guardrails, gaps_of_workspaces)
    lines = (
        (
            gap.kind,
            gap.uid,
            gap.name,
            f"{gap.limit:f}",
            gap.interval or "lifetime",
            "" if gap.escaped is None else f"{gap.escaped:f}",
        )
        for gaps_of in kinds
        for gap in gaps_of(request.organization, MOST_EXPORTED).shown
    )
    return csv_of("byok-coverage", request.organization.slug, GAP_COLUMNS, lines)
