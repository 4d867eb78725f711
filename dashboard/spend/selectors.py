"""What the spend page shows, from the roll-ups of ``orgadmin.usage``: a handful of queries, whatever the
span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min

from dashboard.charts import Chart
from dashboard.spend.drawing import REST, Drawing, writer
from dashboard.spend.filters import GROUPS, SpendFilters
from orgadmin.accounts.models import Organization
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.clock import today
from orgadmin.usage.labels import Label, labels, part_of
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageRollup
from orgadmin.usage.openday import NOT_OPEN, is_known, opening_of, settled_through, was_pulled
from orgadmin.usage.ranking import largest
from orgadmin.usage.reading import Question, Row, groups, total
from orgadmin.usage.spans import Span

LISTED = 50
SOURCES: Mapping[str, str] = {
    "activity": "OpenRouter's activity",
    "analytics": "OpenRouter's analytics",
    "import": "an imported file",
}


@dataclass(frozen=True)
class Line:
    """One row of the table. ``share`` is of the measure's total, ``before`` what the span before had."""

    label: Label
    amounts: Amounts
    value: Any
    share: Decimal | None
    # What it had in the complete days, and in as many days before them; None where nothing is compared.
    closed: Amounts | None
    before: Amounts | None
    href: str

    def change(self, measure: str) -> Decimal | None:
        """Part by which the measure grew over the complete days; None without a before."""
        return None if self.closed is None else _growth(self.before, self.closed, measure)


def _growth(before: Amounts | None, now: Amounts, measure: str) -> Decimal | None:
    then = value_of(before, measure) if before is not None else None
    value = value_of(now, measure)
    if not then or then < 0 or value is None:
        return None
    return (Decimal(value) - Decimal(then)) / Decimal(then)


@dataclass(frozen=True)
class Spend:
    """The page. ``open_days`` are the days that are not complete yet, ``is_open_known`` says whether they
    count here, ``is_open_split`` whether they could be told by part.

    A day so far is never compared with a whole one: ``closed``, the complete days, stand against ``before``,
    as many before them.
    """

    filters: SpendFilters
    span: Span
    total: Amounts
    closed: Amounts
    before: Amounts | None
    before_span: Span
    chart: Chart
    lines: list[Line]
    rest: Line | None
    count: int
    open_days: int
    is_open_split: bool
    is_open_known: bool
    sources: list[str]
    write: Any

    @property
    def value(self) -> Any:
        return value_of(self.total, self.filters.measure)

    @property
    def before_value(self) -> Any:
        return None if self.before is None else value_of(self.before, self.filters.measure)

    @property
    def change(self) -> Decimal | None:
        """Part by which the measure grew against the span before; None without one to compare with."""
        return _growth(self.before, self.closed, self.filters.measure)

    @property
    def note(self) -> str:
        """Where the figures are from."""
        words = [SOURCES[source] for source in self.sources]
        if self.open_days and self.is_open_known:
            words.append("the open day from analytics and key counters")
        return " · ".join(["UTC", ", ".join(words)] if words else ["UTC"])


def first_day(organization: Organization) -> date | None:
    """The oldest day with use."""
    days = UsageRollup.objects.filter(
        organization_id=organization.pk, dimension=Dimension.TOTAL, grain=Grain.DAY
    )
    found: date | None = days.aggregate(first=Min("start"))["first"]
    return found


class NoSuchPart(Exception):
    """A filter names something that this organization does not have."""

    def __init__(self, dimension: str, name: str) -> None:
        super().__init__(f"There is no {dimension} “{name}” here.")


def question_of(
    organization: Organization, filters: SpendFilters, span: Span, own: Mapping[Dimension, frozenset[int]]
) -> Question:
    """The filters as parts. ``own`` bounds what the person may see: theirs and nothing else, whatever the
    address says. Raises NoSuchPart."""
    wanted: dict[Dimension, frozenset[int]] = dict(own)
    for name, text in filters.filtered.items():
        dimension = GROUPS[name]
        part = part_of(dimension, text, organization.pk)
        if part is None or (dimension in own and part not in own[dimension]):
            raise NoSuchPart(name, text)
        wanted[dimension] = frozenset({part})
    return Question(organization.pk, span, wanted)


def spend(
    organization: Organization, filters: SpendFilters, own: Mapping[Dimension, frozenset[int]]
) -> Spend:
    """Everything of the page. Raises NoSuchPart, and TooMuch for filters that need too many facts."""
    asked = filters.span(today(), first_day(organization))
    closed, opened = _cut(organization, asked)
    question = question_of(organization, filters, closed, own)
    dimension = filters.dimension
    known = opened.days > 0 and is_known(question, dimension)
    opening = opening_of(question, dimension, opened.since) if known else NOT_OPEN
    # Not split, the open days may be known all the same: they count in the sum and in the bars.
    whole = opening.whole()
    if not whole and opened.days > 0 and is_known(question, Dimension.TOTAL):
        whole = opening_of(question, Dimension.TOTAL, opened.since).whole()
    ranked_by = "total" if filters.measure == "per_million" else filters.measure
    found = largest(question, dimension, measure=ranked_by, count=LISTED, opening=opening)
    rows = opening.of(found)
    closed_total = total(question)
    everything = closed_total + _sum(whole)
    previous = replace(question, span=closed.before)
    before = total(previous) if was_pulled(organization, previous.span) else None
    names = labels(dimension, found)
    drawing = Drawing(organization, filters, question, rows, whole)
    table = _Table(filters, drawing)
    return Spend(
        filters=filters,
        span=asked,
        total=everything,
        closed=closed_total,
        before=before,
        before_span=previous.span,
        chart=drawing.draw(found, names, asked),
        lines=table.lines(found, rows, names, everything, previous if before is not None else None),
        rest=table.rest(found, everything),
        count=len(found),
        open_days=opened.days,
        is_open_split=known or not opened.days,
        is_open_known=bool(whole) or known or not opened.days,
        sources=_sources(organization, closed),
        write=writer(filters.measure),
    )


def _cut(organization: Organization, asked: Span) -> tuple[Span, Span]:
    """The days with facts, and those that activity is still silent about."""
    settled = settled_through(organization) or today() - timedelta(days=1)
    return Span(asked.since, min(asked.until, settled)), Span(
        max(asked.since, settled + timedelta(days=1)), asked.until
    )


def _sum(rows: Iterable[Row]) -> Amounts:
    return sum((amounts for _, _, amounts in rows), NOTHING)


def any_of(amounts: Amounts) -> bool:
    return amounts != NOTHING


def _sources(organization: Organization, span: Span) -> list[str]:
    days = DaySum.objects.filter(organization=organization, day__range=(span.since, span.until))
    return sorted(days.exclude(source="").order_by().values_list("source", flat=True).distinct())


@dataclass(frozen=True)
class _Table:
    filters: SpendFilters
    drawing: Drawing

    @property
    def dimension(self) -> Dimension:
        return self.filters.dimension

    def lines(
        self,
        found: Mapping[int, Amounts],
        opening: Iterable[Row],
        names: Mapping[int, Label],
        everything: Amounts,
        previous: Question | None,
    ) -> list[Line]:
        before = self._before(found, previous)
        closed = dict(found)
        for _, part, amounts in opening:
            closed[part] -= amounts
        return [
            Line(
                label=names[part],
                amounts=amounts,
                value=value_of(amounts, self.filters.measure),
                share=self._share(amounts, everything),
                closed=closed[part],
                before=None if before is None else before.get(part, NOTHING),
                href=self.drawing.narrowed(names[part]),
            )
            for part, amounts in found.items()
        ]

    def rest(self, found: Mapping[int, Amounts], everything: Amounts) -> Line | None:
        """What the rows of the table leave out."""
        left = everything - sum(found.values(), NOTHING)
        if not any_of(left):
            return None
        return Line(
            label=Label(REST, ""),
            amounts=left,
            value=value_of(left, self.filters.measure),
            share=self._share(left, everything),
            closed=None,
            before=None,
            href="",
        )

    def _before(self, found: Mapping[int, Amounts], previous: Question | None) -> dict[int, Amounts] | None:
        if previous is None or not found:
            return None
        return groups(previous.among(self.dimension, found), self.dimension)

    def _share(self, amounts: Amounts, everything: Amounts) -> Decimal | None:
        if self.filters.measure == "per_million":
            return None
        whole = value_of(everything, self.filters.measure)
        return (
            Decimal(value_of(amounts, self.filters.measure)) / Decimal(whole) if whole and whole > 0 else None
        )
