"""What the spend page shows, from the roll-ups of ``orgadmin.usage``: a handful of queries, whatever the
span."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min

from dashboard.charts import Chart
from dashboard.spend.drawing import REST, Drawing, writer
from dashboard.spend.filters import AMOUNTS, GROUPS, SpendFilters
from orgadmin.accounts.models import Organization
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import ACTIVITY_DAYS, today
from orgadmin.usage.history import Progress, progress
from orgadmin.usage.labels import Label, labels, part_of
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageRollup
from orgadmin.usage.openday import NOT_OPEN, is_counted, is_known, opening_of, settled_through, was_pulled
from orgadmin.usage.ranking import Opening, largest
from orgadmin.usage.reading import Question, groups, total
from orgadmin.usage.spans import Span

LISTED = 50
SOURCES: Mapping[str, str] = {
    "activity": "OpenRouter's activity",
    "analytics": "OpenRouter's analytics",
    "import": "an imported file",
}


@dataclass(frozen=True)
class Line:
    """One row of the table. ``share`` is of the measure's total, ``before`` what the span before had.
    ``counted`` is what its requests and tokens are read from: where those of today are not told, the complete
    days, and None without any."""

    label: Label
    amounts: Amounts
    counted: Amounts | None
    value: Any
    share: Decimal | None
    # What it had in the complete days, and in as many days before them; None where nothing is compared.
    closed: Amounts | None
    before: Amounts | None
    href: str

    def change(self, measure: str) -> Decimal | None:
        """Part by which the measure grew over the complete days; None without a before."""
        return None if self.closed is None else _growth(self.before, self.closed, measure)

    def difference(self, measure: str) -> Any:
        """By how much it grew; None where there is nothing to take from or to take."""
        if self.closed is None or self.before is None:
            return None
        now, then = value_of(self.closed, measure), value_of(self.before, measure)
        return None if now is None or then is None else now - then


def _growth(before: Amounts | None, now: Amounts, measure: str) -> Decimal | None:
    then = value_of(before, measure) if before is not None else None
    value = value_of(now, measure)
    if not then or then < 0 or value is None:
        return None
    return (Decimal(value) - Decimal(then)) / Decimal(then)


@dataclass(frozen=True)
class Spend:
    """The page. ``open_days`` are the days that are not complete yet, ``is_open_known`` says whether they
    count here, ``is_open_split`` whether they could be told by part, ``is_open_counted`` whether with their
    requests and tokens. ``counted`` is as of ``Line``. ``fetched`` tells how far the history of these days
    has come, while it is still being fetched.

    A day so far is never compared with a whole one: ``closed``, the complete days, stand against ``before``,
    those of ``before_span``.
    """

    filters: SpendFilters
    span: Span
    total: Amounts
    counted: Amounts | None
    closed: Amounts
    closed_span: Span
    before: Amounts | None
    before_span: Span
    chart: Chart
    lines: list[Line]
    rest: Line | None
    count: int
    open_days: int
    is_open_split: bool
    is_open_known: bool
    is_open_counted: bool
    fetched: Progress | None
    note: str
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


def first_day(organization: Organization) -> date | None:
    """The oldest day with use."""
    days = UsageRollup.objects.filter(
        organization_id=organization.pk, dimension=Dimension.TOTAL, grain=Grain.DAY
    )
    found: date | None = days.aggregate(first=Min("start"))["first"]
    return found


# Whoever sees their own keys only is not told which workspaces and people there are.
PRIVATE = frozenset({Dimension.WORKSPACE, Dimension.MEMBER})


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
    for name, texts in filters.filtered.items():
        dimension = GROUPS[name]
        parts = [known_part(organization, dimension, text, own) for text in texts]
        for text, part in zip(texts, parts, strict=True):
            if part is None:
                raise NoSuchPart(name, text)
        wanted[dimension] = frozenset(part for part in parts if part is not None)
    return Question(organization.pk, span, wanted)


def known_part(
    organization: Organization, dimension: Dimension, text: str, own: Mapping[Dimension, frozenset[int]]
) -> int | None:
    """The part that an address names; None where there is none that the person may know of."""
    part = None if own and dimension in PRIVATE else part_of(dimension, text, organization.pk)
    return None if dimension in own and part not in own[dimension] else part


def spend(
    organization: Organization, filters: SpendFilters, own: Mapping[Dimension, frozenset[int]]
) -> Spend:
    """Everything of the page. Raises NoSuchPart, and TooMuch for filters that need too many facts."""
    found = _Found(organization, filters, own)
    closed_total = total(found.question)
    everything = closed_total + sum((amounts for _, _, amounts in found.whole), NOTHING)
    closed_span = found.question.span
    previous = replace(found.question, span=filters.before(closed_span))
    before = total(previous) if was_pulled(organization, previous.span) else None
    table = _Table(found, everything, closed_total, previous if before is not None else None)
    return Spend(
        filters=filters,
        span=found.asked,
        total=everything,
        counted=found.counted(everything, closed_total) if found.question.filters else everything,
        closed=closed_total,
        closed_span=closed_span,
        before=before,
        before_span=previous.span,
        chart=found.chart(),
        lines=table.lines(),
        rest=table.rest(),
        count=len(found.parts),
        open_days=found.opened.days,
        is_open_split=found.is_split or not found.opened.days,
        is_open_known=found.is_known,
        is_open_counted=found.is_counted,
        fetched=progress(organization) if found.reaches_history else None,
        note=found.note(),
        write=writer(filters.measure),
    )


def chart_of(organization: Organization, filters: SpendFilters) -> tuple[Chart, str]:
    """The bars alone, and where their figures are from."""
    found = _Found(organization, filters, {})
    return found.chart(), found.note()


class _Found:
    """What table and bars are made from: ``parts``, the largest, the open days added; ``opening``, what these
    days have of them; ``whole``, what they have altogether. ``is_split``: they could be told by part."""

    def __init__(
        self, organization: Organization, filters: SpendFilters, own: Mapping[Dimension, frozenset[int]]
    ) -> None:
        self.organization, self.filters = organization, filters
        oldest = first_day(organization) if filters.range == "all" else None
        self.asked = filters.span(today(), oldest)
        closed, self.opened = _cut(organization, self.asked)
        self.question = question_of(organization, filters, closed, own)
        dimension = filters.dimension
        self.is_split = self._is_told(dimension)
        opening = self._opening(dimension)
        # Not split, the open days may be known all the same: they count in the sum and in the bars.
        self.whole = opening.whole() or self._opening(Dimension.TOTAL).whole()
        self.parts = largest(
            self.question,
            dimension,
            measure="total" if filters.measure == "per_million" else filters.measure,
            count=LISTED,
            opening=opening,
        )
        self.opening = opening.of(self.parts)
        self.names = labels(dimension, self.parts)
        self.drawing = Drawing(organization, filters, self.question, self.opening, self.whole)

    def _is_told(self, dimension: Dimension) -> bool:
        has_analytics = self.organization.capabilities.get(ANALYTICS) is not False
        return (
            self.opened.days > 0
            and (self.filters.measure in AMOUNTS or is_counted(self.question, dimension))
            and is_known(self.question, dimension, has_analytics=has_analytics)
        )

    def _opening(self, dimension: Dimension) -> Opening:
        is_told = self._is_told(dimension)
        return opening_of(self.question, dimension, self.opened.since) if is_told else NOT_OPEN

    @property
    def is_known(self) -> bool:
        return bool(self.whole) or self.is_split or not self.opened.days

    @property
    def is_counted(self) -> bool:
        return not self.opened.days or is_counted(self.question, self.filters.dimension)

    def counted(self, amounts: Amounts, closed: Amounts) -> Amounts | None:
        """What to read requests and tokens from."""
        if self.is_counted:
            return amounts
        return closed if self.question.span.days else None

    @property
    def reaches_history(self) -> bool:
        """Whether days are asked for that activity had forgotten when the organization was connected."""
        return self.question.span.since < today() - timedelta(days=ACTIVITY_DAYS)

    def chart(self) -> Chart:
        return self.drawing.draw(self.parts, self.names, self.asked)

    def note(self) -> str:
        """Where the figures are from."""
        words = [SOURCES[source] for source in _sources(self.organization, self.question.span)]
        if self.opened.days and self.is_known:
            words.append("the open day from analytics and key counters")
        return " · ".join(["UTC", ", ".join(words)] if words else ["UTC"])


def _cut(organization: Organization, asked: Span) -> tuple[Span, Span]:
    """The days with facts, and those that activity is still silent about."""
    settled = settled_through(organization) or today() - timedelta(days=1)
    return Span(asked.since, min(asked.until, settled)), Span(
        max(asked.since, settled + timedelta(days=1)), asked.until
    )


def _sources(organization: Organization, span: Span) -> list[str]:
    days = DaySum.objects.filter(organization=organization, day__range=(span.since, span.until))
    return sorted(days.exclude(source="").order_by().values_list("source", flat=True).distinct())


@dataclass(frozen=True)
class _Table:
    """``previous`` is the same question of the days before; None where there is nothing to compare with."""

    found: _Found
    everything: Amounts
    closed_total: Amounts
    previous: Question | None

    @property
    def measure(self) -> str:
        return self.found.filters.measure

    def lines(self) -> list[Line]:
        before = self._before()
        closed = self._closed()
        return [
            Line(
                label=self.found.names[part],
                amounts=amounts,
                counted=self.found.counted(amounts, closed[part]),
                value=value_of(amounts, self.measure),
                share=self._share(amounts),
                closed=closed[part],
                before=None if before is None else before.get(part, NOTHING),
                href=self.found.drawing.narrowed(self.found.names[part]),
            )
            for part, amounts in self.found.parts.items()
        ]

    def _closed(self) -> dict[int, Amounts]:
        """What the rows have in the complete days."""
        closed = dict(self.found.parts)
        for _, part, amounts in self.found.opening:
            closed[part] -= amounts
        return closed

    def rest(self) -> Line | None:
        """What the rows of the table leave out."""
        left = self.everything - sum(self.found.parts.values(), NOTHING)
        if left == NOTHING:
            return None
        left_closed = self.closed_total - sum(self._closed().values(), NOTHING)
        return Line(
            label=Label(REST, ""),
            amounts=left,
            counted=self.found.counted(left, left_closed),
            value=value_of(left, self.measure),
            share=self._share(left),
            closed=None,
            before=None,
            href="",
        )

    def _before(self) -> dict[int, Amounts] | None:
        if self.previous is None or not self.found.parts:
            return None
        dimension = self.found.filters.dimension
        return groups(self.previous.among(dimension, self.found.parts), dimension)

    def _share(self, amounts: Amounts) -> Decimal | None:
        whole = value_of(self.everything, self.measure)
        if self.measure == "per_million" or not whole or whole <= 0:
            return None
        return Decimal(value_of(amounts, self.measure)) / Decimal(whole)
