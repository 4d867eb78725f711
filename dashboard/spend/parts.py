"""What can be filtered by: the parts of a dimension that were used, found by a word of their name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import and_

from django.db.models import Q

from dashboard.spend.filters import GROUPS, SpendFilters
from orgadmin.access import OrgRequest
from orgadmin.inventory.search import containing
from orgadmin.keys.selectors import visible_keys
from orgadmin.usage.clock import HISTORY_DAYS, today
from orgadmin.usage.labels import NOBODY, Label, labels
from orgadmin.usage.models import Dimension
from orgadmin.usage.reading import MOST_FACT_DAYS, Question, groups
from orgadmin.usage.spans import Span

MOST = 20


@dataclass(frozen=True)
class Choice:
    """One part and the page that it narrows; ``is_chosen``: it is filtered by already."""

    label: Label
    query: str
    is_chosen: bool


def choices(
    request: OrgRequest,
    filters: SpendFilters,
    name: str,
    text: str,
    own: Mapping[Dimension, frozenset[int]],
) -> tuple[list[Choice], bool]:
    """The parts of the dimension called ``name`` that ``text`` matches, those with most spend first, and
    whether there are more of them than these. ``own`` is what bounds the person's view."""
    if name == "key":
        found = _keys(request, text)
    else:
        found = _used(request.organization.pk, GROUPS[name], text.casefold().split(), own)
    chosen = getattr(filters, name)
    shown = [
        Choice(
            label,
            filters.without_part(name, label.name)
            if label.name in chosen
            else filters.with_part(name, label.name),
            label.name in chosen,
        )
        for label in found[:MOST]
    ]
    return shown, len(found) > MOST


def _keys(request: OrgRequest, text: str) -> list[Label]:
    words = text.casefold().split()
    nobody = NOBODY[Dimension.KEY].values() if request.reads_all and words else ()
    keys = visible_keys(request).filter(reduce(and_, containing(text), Q()))
    found = [
        Label(key.name, key.hash, key.gone_at is not None, key.label)
        for key in keys.only("name", "hash", "gone_at", "label").order_by("-usage_monthly", "-pk")[: MOST + 1]
    ]
    return [*(label for label in nobody if _matches(label, words)), *found]


def _used(
    organization_id: int, dimension: Dimension, words: Sequence[str], own: Mapping[Dimension, frozenset[int]]
) -> list[Label]:
    # What somebody's own keys used is read from facts, of which a page reads a month.
    days = MOST_FACT_DAYS if own else HISTORY_DAYS
    span = Span(today() - timedelta(days=days - 1), today())
    spent = groups(Question(organization_id, span, own), dimension)
    names = labels(dimension, spent)
    ranked = sorted(spent, key=lambda part: (-spent[part].total, part))
    return [names[part] for part in ranked if names[part].name and _matches(names[part], words)]


def _matches(label: Label, words: Sequence[str]) -> bool:
    searched = f"{label.text} {label.name}".casefold()
    return all(word in searched for word in words)
