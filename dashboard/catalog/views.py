"""The list of models, and one of them."""

from __future__ import annotations

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from dashboard.catalog import changes as lately
from dashboard.catalog import csv, filters
from dashboard.catalog.changes import ChangeFilters, changes_page
from dashboard.catalog.filters import ModelFilters
from dashboard.catalog.one import model_of, offered, one, rulings
from dashboard.catalog.selectors import models_of
from dashboard.catalog.words import paragraphs, price_rows
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import page_of, respond

# What OpenRouter sells is public; what is used of it, and what guardrails say, is for readers.
SEE = (Permission.READ, Permission.OWN_KEYS)


@allow(*SEE)
def list_models(request: OrgRequest) -> HttpResponse:
    wanted = ModelFilters.of(request.GET, reads_all=request.reads_all)
    found = models_of(request.organization, wanted, reads_all=request.reads_all)
    rows = found.rows
    context = {
        "organization": request.organization,
        "models": found,
        "page": page_of(len(rows), request.GET.get("page"), lambda start, size: rows[start : start + size]),
        "filters": wanted,
        "choices": filters,
        "reads_all": request.reads_all,
        "today": timezone.now().date(),
    }
    return respond(request, "catalog/list.html", context, fragment="catalog/_list.html")


@allow(*SEE)
def export(request: OrgRequest) -> StreamingHttpResponse:
    wanted = ModelFilters.of(request.GET, reads_all=request.reads_all)
    found = models_of(request.organization, wanted, reads_all=request.reads_all)
    return csv.stream(found.rows, request.organization, reads_all=request.reads_all)


@allow(*SEE)
def changes(request: OrgRequest) -> HttpResponse:
    wanted = ChangeFilters.of(request.GET, reads_all=request.reads_all)
    context = {
        "organization": request.organization,
        "page": changes_page(request.organization, wanted, request.GET.get("page")),
        "filters": wanted,
        "choices": lately,
        "reads_all": request.reads_all,
    }
    return respond(request, "catalog/changes.html", context, fragment="catalog/_changes.html")


@allow(*SEE)
def detail(request: OrgRequest, model_slug: str) -> HttpResponse:
    model = model_of(request.organization, model_slug.replace("\x00", "")[:200])
    if model is None:
        raise Http404("There is no such model in the catalog.")
    found = one(model)
    context = {
        "organization": request.organization,
        "found": found,
        "model": model,
        "prices": price_rows(model.prices),
        "description": paragraphs(model.description),
        "rulings": rulings(request.organization, offered(found)) if request.reads_all else None,
        "reads_all": request.reads_all,
    }
    return respond(request, "catalog/detail.html", context)
