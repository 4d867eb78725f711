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
from dashboard.spend.drawing import Drawing, writer
from dashboard.spend.filters import AMOUNTS, GROUPS, SpendFilters
from dashboard.spend.table import Comparison, Line, Table, growth
from orgadmin.accounts.models import Organization
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import ACTIVITY_DAYS, today
from orgadmin.usage.history import Progress, progress
from orgadmin.usage.labels import labels, part_of
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageRollup
from orgadmin.usage.openday import (
    NOT_OPEN,
    asked_at,
    is_counted,
    is_known,
    opening_of,
    providers_untold_until,
    settled_through,
    was_pulled,
)
from orgadmin.usage.ranking import Opening, largest
from orgadmin.usage.reading import Question, total
from orgadmin.usage.spans import Span

LISTED = 50
SOURCES: Mapping[str, str] = {
    "activity": "OpenRouter's activity",
    "analytics": "OpenRouter's analytics",
    "import": "an imported file",
}


@dataclass(frozen=True)
class Spend:
    """The page. ``open_days`` are the days that are not complete yet, ``is_open_known`` says whether they
    count here, ``is_open_split`` whether they could be told by part, ``is_open_counted`` whether with their
    requests and tokens. ``counted`` is as of ``Line``. ``fetched`` tells how far the history of these days
    has come, while it is still being fetched; up to ``untold_until`` providers are asked for and not told.

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
    untold_until: date | None
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
        return growth(self.before, self.closed, self.filters.measure)


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
    found = Found(organization, filters, own)
    closed_total = total(found.question)
    everything = closed_total + sum((amounts for _, _, amounts in found.whole), NOTHING)
    compared_span, before_span = filters.compared(found.question.span)
    compared, previous = (replace(found.question, span=span) for span in (compared_span, before_span))
    closed = closed_total if compared == found.question else total(compared)
    before = total(previous) if found.can_compare(compared_span, before_span) else None
    comparison = None if before is None else Comparison(compared, closed, previous, before)
    table = Table(found, everything, closed_total, comparison)
    return Spend(
        filters=filters,
        span=found.asked,
        total=everything,
        counted=found.counted(everything, closed_total) if found.question.filters else everything,
        closed=closed,
        closed_span=compared_span,
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
        untold_until=found.providers_untold_until(),
        note=found.note(),
        write=writer(filters.measure),
    )


def chart_of(organization: Organization, filters: SpendFilters) -> tuple[Chart, str]:
    """The bars alone, and where their figures are from."""
    found = Found(organization, filters, {})
    return found.chart(), found.note()


class Found:
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
    def asks_providers(self) -> bool:
        return Dimension.PROVIDER in {self.filters.dimension, *self.question.filters}

    def can_compare(self, *spans: Span) -> bool:
        return all(was_pulled(self.organization, span, with_providers=self.asks_providers) for span in spans)

    def providers_untold_until(self) -> date | None:
        if not self.asks_providers:
            return None
        return providers_untold_until(self.organization, self.question.span)

    @property
    def reaches_history(self) -> bool:
        """Whether days are asked for that activity had forgotten when the organization was connected."""
        return self.question.span.since < today() - timedelta(days=ACTIVITY_DAYS)

    def chart(self) -> Chart:
        return self.drawing.draw(self.parts, self.names, self.asked)

    def _open_day(self) -> str:
        at = asked_at(self.organization, self.question, self.filters.dimension)
        source = "analytics" if self.is_counted else "the counters of keys"
        return f"the open day from {source}" + (f" as of {at:%H:%M}" if at else "")

    def note(self) -> str:
        """Where the figures are from."""
        words = [SOURCES[source] for source in _sources(self.organization, self.question.span)]
        if self.opened.days and self.is_known:
            words.append(self._open_day())
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
