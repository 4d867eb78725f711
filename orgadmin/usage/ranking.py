"""The largest parts of a span.

There are tens of thousands of keys, and no roll-up of them by day: not all of them can be added up for a
list of fifty. What a key has in its months bounds what it has in the days of them. So the largest of every
month are looked up in the order of an index, and added up exactly; a key that is in none of these lists can
have no more than what the last of each list has, together. As soon as that is less than what the smallest of
the largest has, they are the largest (Fagin's threshold algorithm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from django.db import connection

from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.models import Dimension, Grain, month_of
from orgadmin.usage.reading import Question, Row, groups
from orgadmin.usage.spans import by_month

# How far down each list is read at first, in lengths of what is wanted.
DEPTH = 3
DEEPER = 4
# What bounds a measure: refunds take nothing off a bound.
BOUNDS: Mapping[str, str] = {
    "usage": "usage_above",
    "byok_usage": "byok_above",
    "total": "usage_above + byok_above",
    "tokens": "prompt_tokens + completion_tokens",
}


class Opening(Protocol):
    """What is known of the days that are not complete yet (``orgadmin.usage.openday``)."""

    def whole(self) -> list[Row]:
        """The sums by day; the part says nothing."""

    def of(self, parts: Iterable[int]) -> list[Row]:
        """By day and part, of these parts."""

    def leading(self, measure: str, count: int) -> list[tuple[int, Any]]:
        """The parts with most of the measure and what they have, largest first."""


class _Closed:
    """No open days."""

    def whole(self) -> list[Row]:
        return []

    def of(self, parts: Iterable[int]) -> list[Row]:
        return []

    def leading(self, measure: str, count: int) -> list[tuple[int, Any]]:
        return []


CLOSED = _Closed()


def largest(
    question: Question, dimension: Dimension, *, measure: str, count: int, opening: Opening = CLOSED
) -> dict[int, Amounts]:
    """The parts with most of the measure, the open days included, largest first. Raises TooMuch."""
    if dimension is Dimension.KEY and not question.filters:
        return _largest_keys(question, measure, count, opening)
    found = groups(question, dimension)
    leading = dict.fromkeys((part for part, _ in opening.leading(measure, count)), NOTHING)
    return _first({**leading, **found}, opening, measure, count)


def _first(found: Mapping[int, Amounts], opening: Opening, measure: str, count: int) -> dict[int, Amounts]:
    together = dict(found)
    for _, part, amounts in opening.of(found):
        together[part] += amounts
    ranked = sorted(together, key=lambda part: (-value_of(together[part], measure), part))
    return {part: together[part] for part in ranked[:count] if together[part] != NOTHING}


def _largest_keys(question: Question, measure: str, count: int, opening: Opening) -> dict[int, Amounts]:
    depth, found = DEPTH * count, dict[int, Amounts]()
    while True:
        lists = [*_months(question, measure, depth), opening.leading(measure, depth)]
        fresh = {part for one in lists for part, _ in one} - found.keys()
        found |= dict.fromkeys(fresh, NOTHING) | groups(question.among(Dimension.KEY, fresh), Dimension.KEY)
        best = _first(found, opening, measure, count)
        full = [one for one in lists if len(one) == depth]
        unseen = sum(min(most for _, most in one) for one in full)
        least = min((value_of(amounts, measure) for amounts in best.values()), default=0)
        if not full or (len(best) == count and unseen <= least):
            return best
        depth *= DEEPER


def _months(question: Question, measure: str, depth: int) -> list[list[tuple[int, Any]]]:
    """For each month that the span touches, the keys with most of the measure, and at most how much."""
    bound = BOUNDS.get(measure, measure)
    starts = [month_of(part.since) for part in by_month(question.span)]
    if not starts:
        return []
    each = " UNION ALL ".join(
        f"SELECT * FROM (SELECT start, part, {bound} AS bound FROM usage_usagerollup "  # noqa: S608
        f"WHERE organization_id = {int(question.organization_id)} AND dimension = {Dimension.KEY.value} "
        f"AND grain = {Grain.MONTH.value} AND start = '{start.isoformat()}' "
        f"ORDER BY {bound} DESC LIMIT {int(depth)}) AS of_{at}"
        for at, start in enumerate(starts)
    )
    lists: dict[Any, list[tuple[int, Any]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(each)
        for start, part, most in cursor.fetchall():
            lists.setdefault(start, []).append((part, most))
    is_money = measure in ("usage", "byok_usage", "total")
    return [[(part, _dollars(most) if is_money else most) for part, most in one] for one in lists.values()]


def _dollars(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-9)
