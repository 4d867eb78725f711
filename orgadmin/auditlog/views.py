"""The audit log: a list with filters, one act with all its rows, the export."""

from __future__ import annotations

from django.http import Http404, HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.restoring import is_of_a_noun, why_not
from orgadmin.audit.selectors import act_of, people_who_acted
from orgadmin.auditlog import csv
from orgadmin.auditlog.filters import LogFilters, choices
from orgadmin.auditlog.selectors import lines_of, log_page, rows_of
from orgadmin.pages import respond


@allow(Permission.READ)
def list_acts(request: OrgRequest) -> HttpResponse:
    filters = LogFilters.of(request.GET)
    context = {
        "organization": request.organization,
        "filters": filters,
        "choices": choices(filters, people_who_acted(organization=request.organization)),
        "page": log_page(request.organization, filters, number=request.GET.get("page")),
    }
    return respond(request, "auditlog/list.html", context, fragment="auditlog/_list.html")


@allow(Permission.READ)
def entry(request: OrgRequest, entry_id: int) -> HttpResponse:
    act = act_of(organization=request.organization, entry_id=entry_id)
    if act is None:
        raise Http404("No such entry.")
    context = {
        "organization": request.organization,
        "line": lines_of(request.organization, [act])[0],
        "rows": rows_of(act),
        "has_a_way_back": is_of_a_noun(act) and Permission.CHANGE in request.may,
        "why_not": why_not(act),
        "restorations": list(act.entry.restorations.order_by("id")[:20]),
    }
    return respond(request, "auditlog/entry.html", context, fragment="auditlog/_entry.html", dialog=True)


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    return csv.stream(request.organization, LogFilters.of(request.GET))
