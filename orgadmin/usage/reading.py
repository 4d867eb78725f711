"""Reading use: sums over spans of days, from the smallest table that can answer.

Whole months come from the roll-ups by month and ragged ends from those by day (``orgadmin.usage.spans``), so
that a year costs hardly more than a month. Keys have no roll-up by day: what is not a whole month comes from
their facts, which is why ``orgadmin.usage.ranking`` asks for few of them. Filters by another dimension than
the one grouped by need the facts, which are read for at most 31 days, or for a handful of keys.

The statements are ours from end to end: names of columns, whole numbers and days, nothing that anybody typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from orgadmin.usage.amounts import NOTHING, Amounts
from orgadmin.usage.models import MEASURES, Dimension, Grain, UsageDay
from orgadmin.usage.spans import BUCKETS, Piece, Span, pieces

MOST_FACT_DAYS = 31
# Whose facts are found by key, and so are few over any span.
FEW_KEYS = 50
COLUMNS: Mapping[Dimension, str] = {
    Dimension.WORKSPACE: "workspace_id",
    Dimension.MODEL: "model_id",
    Dimension.PROVIDER: "provider_id",
    Dimension.MEMBER: "member_id",
    Dimension.KEY: "key_id",
}


class TooMuch(Exception):
    """Filters that need facts over more days than a page may read."""

    def __init__(self) -> None:
        super().__init__(f"Filters of different kinds can be combined for at most {MOST_FACT_DAYS} days.")


@dataclass(frozen=True)
class Question:
    """Whose use, of which days, and what of it: for each filtered dimension the parts that count."""

    organization_id: int
    span: Span
    filters: Mapping[Dimension, frozenset[int]] = field(default_factory=dict)

    def among(self, dimension: Dimension, parts: Iterable[int]) -> Question:
        """The same for some parts only, of those that count."""
        held = self.filters.get(dimension)
        chosen = frozenset(parts) if held is None else held & frozenset(parts)
        return replace(self, filters={**self.filters, dimension: chosen})

    @property
    def is_empty(self) -> bool:
        return not self.span.days or not all(self.filters.values())


Row = tuple[date, int, Amounts]


def total(question: Question) -> Amounts:
    """Everything together."""
    return sum(groups(question, _cheapest(question)).values(), NOTHING)


def _cheapest(question: Question) -> Dimension:
    """What to add up by when only the sum is wanted."""
    return next(iter(question.filters)) if len(question.filters) == 1 else Dimension.TOTAL


def groups(question: Question, dimension: Dimension) -> dict[int, Amounts]:
    """Sums by part of the dimension, of every part there is. For keys of an unfiltered span see
    ``orgadmin.usage.ranking``. Raises TooMuch."""
    if question.is_empty:
        return {}
    if _needs_facts(question, dimension):
        found = _read(f"SELECT {_part(dimension)}, {_SUMS} {_facts(question)} GROUP BY 1")
    else:
        every = " UNION ALL ".join(
            f"SELECT part, {_signed(piece)} {_source(question, dimension, piece)}"
            for piece in pieces(question.span)
        )
        found = _read(f"SELECT part, {_SUMS} FROM ({every}) AS piece GROUP BY part")  # noqa: S608
    return {part: Amounts.of(counts) for part, *counts in found}


def by_time(
    question: Question, dimension: Dimension, parts: Iterable[int], *, grain: str
) -> dict[tuple[date, int], Amounts]:
    """Sums by bucket and part. ``grain`` is day, week (from Monday) or month; a bucket is named by its first
    day. Raises TooMuch."""
    if dimension is not Dimension.TOTAL:
        question = question.among(dimension, parts)
    if question.is_empty:
        return {}
    by_month = grain == "month"
    if _needs_facts(question, dimension) or (dimension is Dimension.KEY and not by_month):
        found = _read(f"SELECT day, {_part(dimension)}, {_SUMS} {_facts(question)} GROUP BY 1, 2")
    elif by_month:
        found = _read(
            " UNION ALL ".join(_by_month(question, dimension, one) for one in pieces(question.span))
        )
    else:
        days = Piece(Grain.DAY, tuple(question.span.each()))
        found = _read(f"SELECT start, part, {', '.join(MEASURES)} {_source(question, dimension, days)}")
    return _in_buckets(found, grain)


def _in_buckets(found: Sequence[Sequence[Any]], grain: str) -> dict[tuple[date, int], Amounts]:
    bucket_of = BUCKETS[grain]
    sums: dict[tuple[date, int], Amounts] = {}
    for start, part, *counts in found:
        # SQLite gives a day as the text it is.
        day = start if isinstance(start, date) else date.fromisoformat(start)
        place, amounts = (bucket_of(day), part), Amounts.of(counts)
        before = sums.get(place)
        sums[place] = amounts if before is None else before + amounts
    return sums


def _needs_facts(question: Question, dimension: Dimension) -> bool:
    return any(filtered is not dimension for filtered in question.filters)


# --- statements ------------------------------------------------------------------------------------

_SUMS = ", ".join(f"CAST(SUM({name}) AS bigint) AS {name}" for name in MEASURES)


def _read(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _signed(piece: Piece) -> str:
    return ", ".join(f"-{name} AS {name}" for name in MEASURES) if piece.is_minus else ", ".join(MEASURES)


def _by_month(question: Question, dimension: Dimension, piece: Piece) -> str:
    """Months as they are; days as one row a part, on one of the days."""
    source = _source(question, dimension, piece)
    if piece.grain == Grain.MONTH:
        return f"SELECT start, part, {', '.join(MEASURES)} {source}"
    sign = "-" if piece.is_minus else ""
    sums = ", ".join(f"{sign}CAST(SUM({name}) AS bigint)" for name in MEASURES)
    return f"SELECT MIN(start), part, {sums} {source} GROUP BY part"


def _source(question: Question, dimension: Dimension, piece: Piece) -> str:
    """The rows of a piece by ``start`` and ``part``: roll-ups, or, of single days of keys, facts.

    Days are listed rather than bounded, so that both databases go straight to the wanted parts of each.
    """
    starts = ", ".join(f"'{start.isoformat()}'" for start in piece.starts)
    organization = f"organization_id = {int(question.organization_id)}"
    if dimension is Dimension.KEY and piece.grain == Grain.DAY:
        columns = f"day AS start, key_id AS part, {', '.join(MEASURES)}"
        keys = _parts(question, dimension, "key_id")
        return (
            f"FROM (SELECT {columns} FROM usage_usageday "  # noqa: S608
            f"WHERE {organization} AND day IN ({starts}){keys}) AS fact"
        )
    return (
        f"FROM usage_usagerollup WHERE {organization} AND dimension = {dimension.value} "
        f"AND grain = {piece.grain.value} AND start IN ({starts}){_parts(question, dimension, 'part')}"
    )


def _parts(question: Question, dimension: Dimension, column: str) -> str:
    wanted = question.filters.get(dimension)
    return "" if wanted is None else f" AND {column} IN ({', '.join(map(str, sorted(wanted)))})"


def _facts(question: Question) -> str:
    keys = question.filters.get(Dimension.KEY)
    if question.span.days > MOST_FACT_DAYS and (keys is None or len(keys) > FEW_KEYS):
        raise TooMuch
    filters = "".join(_parts(question, dimension, COLUMNS[dimension]) for dimension in question.filters)
    span = f"day BETWEEN '{question.span.since.isoformat()}' AND '{question.span.until.isoformat()}'"
    return f"FROM usage_usageday WHERE organization_id = {int(question.organization_id)} AND {span}{filters}"


def _part(dimension: Dimension) -> str:
    return f"{COLUMNS.get(dimension, '0')} AS part"


def facts_of(question: Question) -> QuerySet[UsageDay]:
    """The facts themselves, unordered."""
    conditions = Q(organization_id=question.organization_id)
    conditions &= Q(day__range=(question.span.since, question.span.until))
    for dimension, parts in question.filters.items():
        conditions &= Q(**{f"{COLUMNS[dimension]}__in": parts})
    return UsageDay.objects.filter(conditions).order_by()
