"""Where the money goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from dashboard.spend.csv import stream
from dashboard.spend.filters import GRAINS, GROUPS, MEASURES, MONEY, RANGES, SpendFilters
from dashboard.spend.parts import choices
from dashboard.spend.selectors import NoSuchPart, Spend, first_day, known_part, question_of, spend
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.keys.selectors import visible_keys
from orgadmin.pages import respond
from orgadmin.usage.clock import today
from orgadmin.usage.labels import labels
from orgadmin.usage.models import Dimension
from orgadmin.usage.reading import MOST_FACT_DAYS, TooMuch

# What a member's own use is broken down by: the others would say nothing, or name other people.
OWN_GROUPS = ("model", "provider", "key")
SEE = (Permission.READ, Permission.OWN_KEYS)


@allow(*SEE)
def show(request: OrgRequest) -> HttpResponse:
    filters = SpendFilters.of(request.GET)
    if not request.reads_all and filters.group not in OWN_GROUPS:
        filters = replace(filters, group="model")
    found: Spend | None = None
    problem, hint = "", ""
    try:
        found, hint = _spend(request, filters)
    except (NoSuchPart, TooMuch) as refused:
        problem = str(refused)
    filters = found.filters if found else filters
    context = {
        "organization": request.organization,
        "filters": filters,
        "spend": found,
        "problem": problem,
        "hint": hint,
        "ranges": RANGES,
        "groups": {name: f"By {name}" for name in _groups(request)},
        "measures": MEASURES,
        "moneyed": MONEY,
        "bars": {"": "Bars: automatic", **GRAINS},
        "chips": _chips(request, filters),
        "reads_all": request.reads_all,
        "now": timezone.now(),
    }
    return respond(request, "spend/show.html", context, fragment="spend/_swap.html")


def _spend(request: OrgRequest, filters: SpendFilters) -> tuple[Spend, str]:
    """What is asked for. Of one kind of parts there are sums of every span, as long as nothing else divides
    them: then that is shown, with a hint."""
    own = own_parts(request)
    try:
        return spend(request.organization, filters, own), ""
    except TooMuch:
        if own or len(filters.filtered) != 1:
            raise
    (name,) = filters.filtered
    hint = f"Over more than {MOST_FACT_DAYS} days a {name} is shown as a whole, not by {filters.group}."
    return spend(request.organization, replace(filters, group=name), own), hint


@allow(*SEE)
def add_filter(request: OrgRequest) -> HttpResponse:
    """A part to filter by, to be found by its name."""
    filters = SpendFilters.of(request.GET)
    names = _groups(request)
    by = request.GET.get("by", "")
    by = by if by in names else filters.group if filters.group in names else "model"
    text = request.GET.get("q", "").replace("\x00", "")[:200]
    found, is_more = choices(request, filters, by, text, own_parts(request))
    context = {
        "organization": request.organization,
        "filters": filters,
        "dimensions": {name: name.capitalize() for name in names},
        "by": by,
        "text": text,
        "choices": found,
        "is_more": is_more,
    }
    return respond(request, "spend/filter.html", context, fragment="spend/_filter.html")


def _groups(request: OrgRequest) -> Collection[str]:
    return GROUPS if request.reads_all else OWN_GROUPS


@allow(*SEE)
def panel(request: OrgRequest) -> HttpResponse:
    """What one key, member or workspace spent in 30 days, for the page of it: the filters name which."""
    filters = SpendFilters.of(request.GET).of_a_month()
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


@dataclass(frozen=True)
class Chip:
    """One filter: by what, which part in words, and the page without it."""

    name: str
    text: str
    query: str


def _chips(request: OrgRequest, filters: SpendFilters) -> list[Chip]:
    """The filters in words; the address's own word where the person may not know the part."""
    own = own_parts(request)
    chips = []
    for name, texts in filters.filtered.items():
        dimension = GROUPS[name]
        parts = {text: known_part(request.organization, dimension, text, own) for text in texts}
        names = labels(dimension, [part for part in parts.values() if part is not None])
        for text, part in parts.items():
            called = text if part is None else names[part].text
            chips.append(Chip(name, called, filters.without_part(name, text)))
    return chips


def own_parts(request: OrgRequest) -> Mapping[Dimension, frozenset[int]]:
    """What bounds a person's view: nothing for those who read all; a member sees what their keys used."""
    if request.reads_all:
        return {}
    return {Dimension.KEY: frozenset(visible_keys(request).values_list("pk", flat=True))}
