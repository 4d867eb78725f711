"""Where the money goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from dashboard.spend.csv import stream
from dashboard.spend.filters import GRAINS, GROUPS, MEASURES, MONEY, RANGES, SpendFilters
from dashboard.spend.selectors import PRIVATE, NoSuchPart, Spend, first_day, question_of, spend
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.keys.selectors import visible_keys
from orgadmin.pages import respond
from orgadmin.usage.clock import today
from orgadmin.usage.labels import labels, part_of
from orgadmin.usage.models import Dimension
from orgadmin.usage.reading import TooMuch

# What a member's own use is broken down by: the others would say nothing, or name other people.
OWN_GROUPS = ("model", "provider", "key")
SEE = (Permission.READ, Permission.OWN_KEYS)


@allow(*SEE)
def show(request: OrgRequest) -> HttpResponse:
    filters = SpendFilters.of(request.GET)
    if not request.reads_all and filters.group not in OWN_GROUPS:
        filters = replace(filters, group="model")
    found: Spend | None = None
    problem = ""
    try:
        found = spend(request.organization, filters, own_parts(request))
    except (NoSuchPart, TooMuch) as refused:
        problem = str(refused)
    context = {
        "organization": request.organization,
        "filters": filters,
        "spend": found,
        "problem": problem,
        "ranges": RANGES,
        "groups": {name: f"By {name}" for name in (GROUPS if request.reads_all else OWN_GROUPS)},
        "measures": MEASURES,
        "moneyed": MONEY,
        "bars": {"": "Bars: automatic", **GRAINS},
        "chips": _chips(request, filters),
        "reads_all": request.reads_all,
        "now": timezone.now(),
    }
    return respond(request, "spend/show.html", context, fragment="spend/_swap.html")


@allow(*SEE)
def panel(request: OrgRequest) -> HttpResponse:
    """What one key, member or workspace spent in 30 days, for the page of it: the filters name which."""
    asked = SpendFilters.of(request.GET)
    filters = SpendFilters(range="30d", **asked.filtered)
    try:
        found = spend(request.organization, filters, own_parts(request))
    except (NoSuchPart, TooMuch):
        raise Http404("There is nothing to show of that.") from None
    context = {"organization": request.organization, "spend": found, "filters": filters}
    return respond(request, "spend/panel.html", context, fragment="spend/_panel.html")


@allow(*SEE)
def csv(request: OrgRequest) -> StreamingHttpResponse:
    """The facts behind the figures, of the days that are complete."""
    organization = request.organization
    filters = SpendFilters.of(request.GET)
    try:
        span = filters.span(today(), first_day(organization))
        question = question_of(organization, filters, span, own_parts(request))
    except NoSuchPart:
        # What is filtered by something that is not there lets nothing through.
        question = None
    return stream(organization, question)


def _chips(request: OrgRequest, filters: SpendFilters) -> list[tuple[str, str]]:
    """The filters in words."""
    own = own_parts(request)
    return [(name, _called(request, GROUPS[name], text, own)) for name, text in filters.filtered.items()]


def _called(
    request: OrgRequest, dimension: Dimension, text: str, own: Mapping[Dimension, frozenset[int]]
) -> str:
    """What a filtered part is called; the address's own word where the person may not know it."""
    if own and dimension in PRIVATE:
        return text
    part = part_of(dimension, text, request.organization.pk)
    if part is None or (dimension in own and part not in own[dimension]):
        return text
    return labels(dimension, [part])[part].text


def own_parts(request: OrgRequest) -> Mapping[Dimension, frozenset[int]]:
    """What bounds a person's view: nothing for those who read all; a member sees what their keys used."""
    if request.reads_all:
        return {}
    return {Dimension.KEY: frozenset(visible_keys(request).values_list("pk", flat=True))}
