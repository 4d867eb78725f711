"""The presets, one of them with its versions, and the difference between any two."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.inventory.models import Preset, PresetVersion
from orgadmin.inventory.preset_models import models_of
from orgadmin.pages import csv_of, page_of, respond
from orgadmin.presets.diffs import difference, rows_of
from orgadmin.presets.selectors import (
    STATUSES,
    PresetFilters,
    live_of,
    may_write,
    people_named,
    pinned,
    places,
    preset_of,
    rows,
    version_of,
    versions_of,
    workspace_named,
)
from orgadmin.presets.snippets import making, using

COLUMNS = (
    "name",
    "slug",
    "preset_id",
    "workspace",
    "workspace_id",
    "status",
    "live_version",
    "newest_version",
    "models",
    "description",
    "updated_at",
)


@allow(Permission.READ)
def list_presets(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    filters = PresetFilters.of(request.GET)
    found = rows(organization, filters)
    everywhere = places(organization)
    context = {
        "organization": organization,
        "summary": organization.summary,
        "filters": filters,
        "statuses": list(STATUSES.items()),
        "workspaces": [(place.workspace.slug, place.workspace.name) for place in everywhere],
        "closed": [place for place in everywhere if place.state != "open"],
        "open_places": [place for place in everywhere if place.state == "open"],
        "may_act": Permission.CHANGE in request.may,
        "may_manage": Permission.MANAGE in request.may,
        "page": page_of(len(found), request.GET.get("page"), lambda at, size: found[at : at + size]),
    }
    return respond(request, "presets/list.html", context, fragment="presets/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    lines = (
        (
            row.preset.name,
            row.preset.slug,
            row.preset.uid,
            row.workspace.name if row.workspace else "",
            row.preset.workspace_uid,
            row.preset.status,
            row.preset.live_version or "",
            row.preset.newest_version or "",
            " ".join(row.preset.pinned_models),
            row.preset.description or "",
            row.preset.updated_at.isoformat() if row.preset.updated_at else "",
        )
        for row in rows(request.organization, PresetFilters.of(request.GET))
    )
    return csv_of("presets", request.organization.slug, COLUMNS, lines)


@allow(Permission.READ)
def detail(request: OrgRequest, preset_uid: str) -> HttpResponse:
    preset = preset_of(request.organization, preset_uid)
    return _page(request, preset, live_of(preset))


@allow(Permission.READ)
def version(request: OrgRequest, preset_uid: str, number: int) -> HttpResponse:
    preset = preset_of(request.organization, preset_uid)
    found = version_of(preset, number)
    if found is None:
        raise Http404("This preset has no such version.")
    return _page(request, preset, found)


def _page(request: OrgRequest, preset: Preset, shown: PresetVersion | None) -> HttpResponse:
    organization = request.organization
    workspace = workspace_named(organization, preset.workspace_uid)
    people = people_named(organization)
    config = shown.config if shown else {}
    names = {preset.workspace_uid: workspace.name} if workspace else {}
    is_open = preset.gone_at is None and may_write(organization, preset.workspace_uid)
    context: dict[str, Any] = {
        "organization": organization,
        "preset": preset,
        "workspace": workspace,
        "shown": shown,
        "is_live": shown is not None and shown.number == preset.live_version,
        "fields": rows_of(config),
        "models": pinned(preset, models_of(config)),
        "versions": versions_of(preset),
        "people": people,
        "statuses": STATUSES,
        "snippets": using(organization.base_url, preset.slug),
        "again": making(organization.base_url, preset.slug, config, shown.system_prompt) if shown else None,
        "history": history(organization, "preset", preset.uid, {**people, **names}),
        "is_open": is_open,
        "may_act": Permission.CHANGE in request.may and is_open,
        "may_manage": Permission.MANAGE in request.may,
        "reads_all": request.reads_all,
    }
    return respond(request, "presets/detail.html", context)


@allow(Permission.READ)
def compare(request: OrgRequest, preset_uid: str) -> HttpResponse:
    preset = preset_of(request.organization, preset_uid)
    versions = versions_of(preset)
    old, new = _two_of(request.GET, preset, versions)
    context = {
        "organization": request.organization,
        "preset": preset,
        "versions": versions,
        "old": old,
        "new": new,
        "difference": difference((old.config, old.system_prompt), (new.config, new.system_prompt))
        if old and new
        else None,
    }
    return respond(request, "presets/compare.html", context, fragment="presets/_compare.html")


def _two_of(
    query: QueryDict, preset: Preset, versions: list[PresetVersion]
) -> tuple[PresetVersion | None, PresetVersion | None]:
    """The two that the address asks for; without a word the live one and the one before it."""
    by_number = {str(row.number): row for row in versions}
    new = by_number.get(query.get("new", "")) or by_number.get(str(preset.live_version))
    new = new or (versions[0] if versions else None)
    older = [row for row in versions if new is not None and row.number < new.number]
    return by_number.get(query.get("old", "")) or (older[0] if older else new), new
