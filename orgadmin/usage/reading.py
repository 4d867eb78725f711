"""Reading use: sums over spans of days, from the smallest table that can answer.

Whole months come from the roll-ups by month and ragged ends from those by day, so that a year costs hardly
more than a month. Keys have no roll-up by day: of a ragged span only those keys are added up that can be
among the largest, which their months tell. Filters by another dimension than the one grouped by need the
facts, which are read for at most 31 days, or for a handful of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, F, Q, QuerySet, Sum, Value

from orgadmin.inventory.money import to_dollars
from orgadmin.usage.models import MEASURES, Dimension, Grain, UsageDay, UsageRollup, month_of

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
        super().__init__(f"Filters of this kind can be combined for at most {MOST_FACT_DAYS} days.")


@dataclass(frozen=True, slots=True)
class Amounts:
    """The measures of one group. Money in US dollars, exact."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    usage: Decimal = Decimal(0)
    byok_usage: Decimal = Decimal(0)

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, name) + getattr(other, name) for name in MEASURES))

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(*(getattr(self, name) - getattr(other, name) for name in MEASURES))

    @property
    def total(self) -> Decimal:
        """Credits and BYOK together."""
        return self.usage + self.byok_usage

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def per_million(self) -> Decimal | None:
        """Dollars for a million tokens, BYOK included; None without tokens."""
        return self.total * 1_000_000 / self.tokens if self.tokens else None


NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both ends included; empty when ``until`` is before ``since``."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return max(0, (self.until - self.since).days + 1)

    @property
    def before(self) -> Span:
        """As many days, just before."""
        return Span(self.since - timedelta(days=self.days), self.since - timedelta(days=1))


@dataclass(frozen=True)
class Question:
    """Whose use, of which days, and what of it: for each filtered dimension the parts that count."""

    organization_id: int
    span: Span
    filters: Mapping[Dimension, frozenset[int]] = field(default_factory=dict)

    def without(self, dimension: Dimension) -> Question:
        return replace(self, filters={d: parts for d, parts in self.filters.items() if d is not dimension})


def total(question: Question) -> Amounts:
    """Everything together."""
    return sum(groups(question, _cheapest(question)).values(), NOTHING)


def _cheapest(question: Question) -> Dimension:
    """What to add up by when only the sum is wanted."""
    return next(iter(question.filters)) if len(question.filters) == 1 else Dimension.TOTAL


def groups(question: Question, dimension: Dimension) -> dict[int, Amounts]:
    """Sums by part of the dimension, of every part there is. For keys of an unfiltered span see
    ``largest_keys``. Raises TooMuch."""
    rows = _rows(question, dimension, months_apart=False)
    return {part: amounts for (_, part), amounts in _added(rows, lambda _: None).items()}


def by_time(
    question: Question, dimension: Dimension, parts: Iterable[int], *, grain: str
) -> dict[tuple[date, int], Amounts]:
    """Sums by bucket and part. ``grain`` is day, week (from Monday) or month; a bucket is named by its first
    day. Raises TooMuch."""
    wanted = frozenset(parts)
    if dimension is not Dimension.TOTAL:
        held = question.filters.get(dimension)
        chosen = wanted if held is None else wanted & held
        question = replace(question, filters={**question.filters, dimension: chosen})
    rows = _rows(question, dimension, by_day=grain != "month")
    return _added(rows, BUCKETS[grain])


def day_of(day: date) -> date:
    return day


def week_of(day: date) -> date:
    """The Monday on which its week began, as OpenRouter's limits count (FACTS 1.8)."""
    return day - timedelta(days=day.weekday())


# What the bucket of a day is called: its first day.
BUCKETS: Mapping[str, Callable[[date], date]] = {"day": day_of, "week": week_of, "month": month_of}

Row = tuple[date, int, Amounts]


def _added(rows: Iterable[Row], bucket: Any) -> dict[tuple[Any, int], Amounts]:
    found: dict[tuple[Any, int], Amounts] = {}
    for day, part, amounts in rows:
        place = bucket(day), part
        before = found.get(place)
        found[place] = amounts if before is None else before + amounts
    return found


def _rows(
    question: Question, dimension: Dimension, *, by_day: bool = False, months_apart: bool = True
) -> list[Row]:
    """Sums by day (or month) and part, from the smallest table that has them. With ``months_apart`` off, the
    day of a row says nothing, and two ragged ends are read as one."""
    others = {filtered for filtered in question.filters if filtered is not dimension}
    if others or (dimension is Dimension.KEY and by_day):
        return _from_facts(question, dimension, by_day=by_day)
    if dimension is not Dimension.KEY:
        return _from_rollups(question, dimension, by_day=by_day, months_apart=months_apart)
    rows: list[Row] = []
    for grain, span in _pieces(question.span, months_apart):
        piece = replace(question, span=span)
        is_whole = grain == Grain.MONTH
        rows += _from_rollups(piece, dimension, by_day=False) if is_whole else _facts_of_keys(piece)
    return rows


# --- roll-ups --------------------------------------------------------------------------------------


def _from_rollups(
    question: Question, dimension: Dimension, *, by_day: bool, months_apart: bool = True
) -> list[Row]:
    rollups = UsageRollup.objects.filter(
        organization_id=question.organization_id, dimension=dimension
    ).order_by()
    if dimension in question.filters:
        rollups = rollups.filter(part__in=question.filters[dimension])
    spans = [(Grain.DAY, question.span)] if by_day else _pieces(question.span, months_apart)
    rows: list[Row] = []
    for grain, span in spans:
        of_span = rollups.filter(grain=grain, start__range=(span.since, span.until))
        if by_day:
            found = of_span.values_list("start", "part", *MEASURES)
        else:
            # One row a part and span: what is asked for is a month's sum, or that of the days at an end.
            found = of_span.values_list(*_month_columns(grain, span)).annotate(*map(Sum, MEASURES))
        rows += [(row[0] if grain == Grain.MONTH or by_day else span.since, *_amounts(row)) for row in found]
    return rows


def _pieces(span: Span, months_apart: bool) -> list[tuple[Grain, Span]]:
    pieces = split(span)
    has_months = any(grain == Grain.MONTH for grain, _ in pieces)
    return pieces if months_apart or has_months or not pieces else [(Grain.DAY, span)]


def _month_columns(grain: Grain, span: Span) -> tuple[str, str]:
    return ("start", "part") if grain == Grain.MONTH else ("dimension", "part")


def split(span: Span) -> list[tuple[Grain, Span]]:
    """The span as whole months and ragged ends, in order; each end lies within one month."""
    if span.days == 0:
        return []
    first = span.since if span.since.day == 1 else _next_month(span.since)
    last = month_of(span.until + timedelta(days=1))
    if first >= last:
        return [(Grain.DAY, piece) for piece in _by_month(span)]
    pieces = [(Grain.MONTH, Span(first, last - timedelta(days=1)))]
    if span.since < first:
        pieces.insert(0, (Grain.DAY, Span(span.since, first - timedelta(days=1))))
    if last <= span.until:
        pieces.append((Grain.DAY, Span(last, span.until)))
    return pieces


def _by_month(span: Span) -> list[Span]:
    """The span cut wherever a month ends."""
    pieces, since = [], span.since
    while since <= span.until:
        until = min(span.until, _next_month(since) - timedelta(days=1))
        pieces.append(Span(since, until))
        since = until + timedelta(days=1)
    return pieces


def _next_month(day: date) -> date:
    return month_of(month_of(day) + timedelta(days=31))


def _amounts(row: Sequence[Any]) -> tuple[int, Amounts]:
    """Part and measures of a row that begins with its bucket."""
    counts = (int(value or 0) for value in row[2:7])
    money = (Decimal(value or 0) for value in row[7:9])
    return row[1], Amounts(*counts, *money)  # type: ignore[arg-type]


# --- facts -----------------------------------------------------------------------------------------


def _from_facts(question: Question, dimension: Dimension, *, by_day: bool) -> list[Row]:
    keys = question.filters.get(Dimension.KEY)
    if question.span.days > MOST_FACT_DAYS and (keys is None or len(keys) > FEW_KEYS):
        raise TooMuch
    facts = facts_of(question)
    part = F(COLUMNS[dimension]) if dimension in COLUMNS else Value(0)
    if by_day:
        found = facts.values_list("day").annotate(part_of_it=part).annotate(*map(Sum, MEASURES))
        return [(row[0], *_amounts(row)) for row in found]
    rows: list[Row] = []
    for span in _by_month(question.span):
        of_span = facts.filter(day__range=(span.since, span.until))
        sums = of_span.values_list("organization_id").annotate(part_of_it=part).annotate(*map(Sum, MEASURES))
        rows += [(span.since, *_amounts(row)) for row in sums]
    return rows


def facts_of(question: Question) -> QuerySet[UsageDay]:
    """The facts themselves, unordered."""
    conditions = Q(organization_id=question.organization_id)
    conditions &= Q(day__range=(question.span.since, question.span.until))
    for dimension, parts in question.filters.items():
        conditions &= Q(**{f"{COLUMNS[dimension]}__in": parts})
    return UsageDay.objects.filter(conditions).order_by()


# --- the largest -----------------------------------------------------------------------------------

CANDIDATES = 100


def largest(question: Question, dimension: Dimension, *, measure: str, count: int) -> dict[int, Amounts]:
    """The parts with most of the measure, largest first. Raises TooMuch."""
    if dimension is Dimension.KEY and not question.filters:
        return _largest_keys(question, measure=measure, count=count)
    found = groups(question, dimension)
    return _first(found, measure, count)


def _first(found: Mapping[int, Amounts], measure: str, count: int) -> dict[int, Amounts]:
    ranked = sorted(found, key=lambda part: (-value_of(found[part], measure), part))
    return {part: found[part] for part in ranked[:count]}


def value_of(amounts: Amounts, measure: str) -> Any:
    """The measure of a group: a column, or one of the sums of two."""
    return getattr(amounts, measure)


def _largest_keys(question: Question, *, measure: str, count: int) -> dict[int, Amounts]:
    """The largest keys, without adding all of them up.

    What a key has in its months bounds what it has in the days of them. So keys are added up exactly in the
    order of their bounds, until no bound that is left can reach the smallest of the largest.
    """
    found: dict[int, Amounts] = {}
    while True:
        some = _by_bound(question, measure, len(found))
        exact = replace(question, filters={Dimension.KEY: frozenset(part for part, _ in some)})
        found |= {part: NOTHING for part, _ in some} | groups(exact, Dimension.KEY)
        best = _first(found, measure, count)
        least = min((value_of(amounts, measure) for amounts in best.values()), default=0)
        if len(some) < CANDIDATES or (len(best) == count and some[-1][1] <= least):
            return {part: amounts for part, amounts in best.items() if amounts != NOTHING}


def _by_bound(question: Question, measure: str, skipped: int) -> list[tuple[int, Any]]:
    """The next keys in the order of the most that each can have of the measure in the span: what its months
    have, refunds left out."""
    columns = {
        "usage": ("usage_above",),
        "byok_usage": ("byok_above",),
        "total": ("usage_above", "byok_above"),
        "tokens": ("prompt_tokens", "completion_tokens"),
    }
    names = columns.get(measure, (measure,))
    bound = sum(
        (Sum(name, output_field=BigIntegerField()) for name in names[1:]),
        start=Sum(names[0], output_field=BigIntegerField()),
    )
    months = UsageRollup.objects.filter(
        organization_id=question.organization_id,
        dimension=Dimension.KEY,
        grain=Grain.MONTH,
        start__range=(month_of(question.span.since), question.span.until),
    ).order_by()
    rows = months.values_list("part").annotate(bound=bound).order_by("-bound", "part")
    is_money = names[0].endswith("_above")
    return [
        (part, to_dollars(most) if is_money else most) for part, most in rows[skipped : skipped + CANDIDATES]
    ]


def _facts_of_keys(question: Question) -> list[Row]:
    rows = facts_of(question).values_list("organization_id", "key_id").annotate(*map(Sum, MEASURES))
    return [(question.span.since, *_amounts(row)) for row in rows]
