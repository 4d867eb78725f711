"""The list of destinations and one of them: what it is told, whose traffic it gets, which of it."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.inventory.destination_types import HEADERS, TYPES
from orgadmin.observability.selectors import (
    STATES,
    DestinationFilters,
    Row,
    names_of_keys,
    row_of,
    rows,
    type_choices,
    workspace_choices,
)
from orgadmin.observability.words import SWITCHES, percent, rule_words
from orgadmin.pages import csv_of, page_of, respond

COLUMNS = (
    "type",
    "name",
    "destination_id",
    "workspace",
    "state",
    "keys",
    "sampling_percent",
    "privacy_mode",
    "filter_rules",
)


@allow(Permission.READ)
def list_destinations(request: OrgRequest) -> HttpResponse:
    filters = DestinationFilters.of(request.GET)
    found = rows(request.organization, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "workspaces": workspace_choices(request.organization),
        "types": type_choices(request.organization),
        "states": list(STATES.items()),
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
        "percent": percent,
        "may_change": Permission.CHANGE in request.may,
    }
    return respond(request, "observability/list.html", context, fragment="observability/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    lines = (
        (
            row.label,
            row.name,
            row.destination.uid,
            row.workspace.name if row.workspace else "",
            row.state,
            "all" if row.keys is None else row.keys,
            percent(row.destination.sampling_rate),
            "yes" if row.destination.privacy_mode else "no",
            row.filter_words,
        )
        for row in rows(request.organization, DestinationFilters.of(request.GET))
    )
    return csv_of("destinations", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, destination_uid: str) -> HttpResponse:
    row = row_of(request.organization, destination_uid)
    destination = row.destination
    hashes = destination.api_key_hashes or []
    named = names_of_keys(request.organization, hashes)
    context = {
        "organization": request.organization,
        "row": row,
        "destination": destination,
        "settings": settings_shown(row),
        "headers": destination.config.get(HEADERS) or {},
        "keys": [(one, named.get(one, "")) for one in hashes],
        "rules": rule_words(destination.filter_rules),
        "switches": [
            (label, meaning, getattr(destination, name))
            for name, (label, meaning) in SWITCHES.items()
            if name not in destination.lacks
        ],
        "percent": percent,
        "history": history(
            request.organization,
            "destination",
            destination.uid,
            named | ({row.workspace.uid: row.workspace.name} if row.workspace else {}),
        ),
        "may_change": Permission.CHANGE in request.may,
        "reads_all": request.reads_all,
    }
    return respond(request, "observability/detail.html", context)


def settings_shown(row: Row) -> list[tuple[str, object, bool]]:
    """What the destination is told, headers aside: what it is called, the value (a mask for a secret),
    whether it is a secret. Known settings come in the order of the table, then strangers."""
    config = {name: value for name, value in row.destination.config.items() if name != HEADERS}
    known = TYPES[row.destination.type].settings if row.is_known else ()
    found = [(one.label, config.pop(one.name), one.is_write_only) for one in known if one.name in config]
    return [*found, *((name, value, False) for name, value in config.items())]
