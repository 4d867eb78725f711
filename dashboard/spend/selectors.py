"""What the spend page shows, from the roll-ups of ``orgadmin.usage``: a handful of queries, whatever the
span."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min
from django.urls import reverse

from dashboard import formats
from dashboard.charts import Bucket, Chart, Series
from dashboard.spend.filters import GROUPS, MEASURES, MONEY, SpendFilters
from orgadmin.accounts.models import Organization
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.labels import Label, labels, part_of
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageRollup
from orgadmin.usage.openday import hours, is_known, open_rows, settled_through
from orgadmin.usage.reading import (
    BUCKETS,
    NOTHING,
    Amounts,
    Question,
    Row,
    Span,
    by_time,
    groups,
    largest,
    total,
    value_of,
)

SHOWN = 7
LISTED = 50
REST = "Everything else"
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
    before: Amounts | None
    href: str

    def change(self, measure: str) -> Decimal | None:
        """Part by which the measure grew; None without a before."""
        return _growth(self.before, self.amounts, measure)


def _growth(before: Amounts | None, now: Amounts, measure: str) -> Decimal | None:
    then = value_of(before, measure) if before is not None else None
    value = value_of(now, measure)
    return (
        (Decimal(value) - Decimal(then)) / Decimal(then) if then and then > 0 and value is not None else None
    )


@dataclass(frozen=True)
class Spend:
    """The page. ``span`` has the days that are complete, ``open`` those that are not; ``is_open_known``:
    whether these could be told for this grouping."""

    filters: SpendFilters
    span: Span
    total: Amounts
    before: Amounts | None
    before_span: Span
    chart: Chart
    lines: list[Line]
    rest: Line | None
    count: int
    open_days: int
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
        return _growth(self.before, self.total, self.filters.measure)

    @property
    def note(self) -> str:
        """Where the figures are from."""
        words = [SOURCES[source] for source in self.sources]
        if self.open_days and self.is_open_known:
            words.append("the open day from analytics and key counters")
        return " · ".join(["UTC", ", ".join(words)] if words else ["UTC"])


def writer(measure: str) -> Any:
    """How a value of the measure is spelled."""
    return formats.money if measure in MONEY else lambda value: formats.number(int(value))


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
    opening = open_rows(question, dimension, opened.since) if known else []
    found = _largest(question, dimension, filters.measure, opening)
    everything = total(question) + _sum(opening)
    previous = replace(question, span=Span(asked.since, asked.until).before)
    before = total(previous) if _has_days(organization, previous.span) else None
    names = labels(dimension, found)
    reading = _Reading(organization, filters, question, opening)
    return Spend(
        filters=filters,
        span=asked,
        total=everything,
        before=before,
        before_span=previous.span,
        chart=reading.by_hour(found, names)
        if filters.range == "today"
        else reading.chart(found, names, asked),
        lines=reading.lines(found, names, everything, previous if before is not None else None),
        rest=reading.rest(found, everything),
        count=len(found),
        open_days=opened.days,
        is_open_known=known or not opened.days,
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


def _largest(
    question: Question, dimension: Dimension, measure: str, opening: list[Row]
) -> dict[int, Amounts]:
    """The parts of the table, largest first, the open days added.

    Who is among the largest with the open days is, without them, among twice as many of either.
    """
    ranked_by = "total" if measure == "per_million" else measure
    added: dict[int, Amounts] = {}
    for _, part, amounts in opening:
        added[part] = added.get(part, NOTHING) + amounts
    found = largest(question, dimension, measure=ranked_by, count=2 * LISTED)
    fresh = _ranked({part: added[part] for part in added.keys() - found.keys()}, ranked_by)[:LISTED]
    if fresh and question.span.days:
        among = replace(question, filters={**question.filters, dimension: frozenset(fresh)})
        found |= groups(among, dimension)
    parts = found.keys() | set(fresh)
    together = {part: found.get(part, NOTHING) + added.get(part, NOTHING) for part in parts}
    ranked = _ranked(together, ranked_by)[:LISTED]
    return {part: together[part] for part in ranked if any_of(together[part])}


def _ranked(found: Mapping[int, Amounts], measure: str) -> list[int]:
    return sorted(found, key=lambda part: (-value_of(found[part], measure), part))


def any_of(amounts: Amounts) -> bool:
    return amounts != NOTHING


def _has_days(organization: Organization, span: Span) -> bool:
    """Whether anything is known of the days of a span."""
    return UsageRollup.objects.filter(
        organization_id=organization.pk,
        dimension=Dimension.TOTAL,
        grain=Grain.DAY,
        start__range=(span.since, span.until),
    ).exists()


def _sources(organization: Organization, span: Span) -> list[str]:
    days = DaySum.objects.filter(organization=organization, day__range=(span.since, span.until))
    return sorted(days.exclude(source="").order_by().values_list("source", flat=True).distinct())


@dataclass(frozen=True)
class _Reading:
    organization: Organization
    filters: SpendFilters
    question: Question
    opening: list[Row]

    @property
    def dimension(self) -> Dimension:
        return self.filters.dimension

    # --- the table ---

    def lines(
        self,
        found: Mapping[int, Amounts],
        names: Mapping[int, Label],
        everything: Amounts,
        previous: Question | None,
    ) -> list[Line]:
        before = self._before(found, previous)
        return [
            Line(
                label=names[part],
                amounts=amounts,
                value=value_of(amounts, self.filters.measure),
                share=self._share(amounts, everything),
                before=None if before is None else before.get(part, NOTHING),
                href=self.narrowed(names[part]),
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
            before=None,
            href="",
        )

    def _before(self, found: Mapping[int, Amounts], previous: Question | None) -> dict[int, Amounts] | None:
        if previous is None or not found:
            return None
        held = previous.filters.get(self.dimension)
        parts = frozenset(found) if held is None else held & frozenset(found)
        return groups(replace(previous, filters={**previous.filters, self.dimension: parts}), self.dimension)

    def _share(self, amounts: Amounts, everything: Amounts) -> Decimal | None:
        if self.filters.measure == "per_million":
            return None
        whole = value_of(everything, self.filters.measure)
        return (
            Decimal(value_of(amounts, self.filters.measure)) / Decimal(whole) if whole and whole > 0 else None
        )

    def narrowed(self, label: Label) -> str:
        """The same page for one part alone, grouped by what is worth asking next."""
        if not label.name:
            return ""
        following = {"model": "key", "provider": "model", "key": "model", "member": "key", "workspace": "key"}
        group = following[self.filters.group]
        query = self.filters.query(**{self.filters.group: label.name, "group": group})
        return f"{self._address()}?{query}"

    def _address(self) -> str:
        return reverse("spend:show", kwargs={"organization": self.organization.slug})

    # --- the chart ---

    def draw(self, found: Mapping[int, Amounts], names: Mapping[int, Label], asked: Span) -> Chart:
        if self.filters.range == "today":
            return self.by_hour(found, names)
        return self.chart(found, names, asked)

    def chart(self, found: Mapping[int, Amounts], names: Mapping[int, Label], asked: Span) -> Chart:
        grain = self.filters.bucket(asked)
        shown = list(found)[:SHOWN]
        by_part = by_time(self.question, self.dimension, shown, grain=grain) if shown else {}
        whole = by_time(self.question, self._whole(), self._whole_parts(), grain=grain)
        for day, part, amounts in self.opening:
            bucket = BUCKETS[grain](day)
            if part in shown:
                by_part[bucket, part] = by_part.get((bucket, part), NOTHING) + amounts
            whole[bucket, 0] = whole.get((bucket, 0), NOTHING) + amounts
        starts = sorted({BUCKETS[grain](asked.since + timedelta(days=at)) for at in range(asked.days)})
        totals: dict[date, Amounts] = {}
        for (bucket, _), amounts in whole.items():
            totals[bucket] = totals.get(bucket, NOTHING) + amounts
        series = self._series(shown, names, starts, by_part, totals)
        return Chart(
            caption=f"{MEASURES[self.filters.measure]} by {self.filters.group}",
            buckets=[self._bucket(start, grain, asked) for start in starts],
            series=series,
            write=writer(self.filters.measure),
            bucket_name={"day": "Day (UTC)", "week": "Week from Monday (UTC)", "month": "Month (UTC)"}[grain],
        )

    def _whole(self) -> Dimension:
        """What to add up for the height of a bar."""
        others = self.question.filters
        return next(iter(others)) if len(others) == 1 else Dimension.TOTAL

    def _whole_parts(self) -> frozenset[int]:
        return (
            next(iter(self.question.filters.values())) if len(self.question.filters) == 1 else frozenset({0})
        )

    def _series(
        self,
        shown: list[int],
        names: Mapping[int, Label],
        starts: list[Any],
        by_part: Mapping[tuple[Any, int], Amounts],
        totals: Mapping[Any, Amounts],
    ) -> list[Series]:
        measure = self.filters.measure
        if measure == "per_million":
            values = [_figure(totals.get(start, NOTHING), measure) for start in starts]
            return [Series("All of it", 1, values)]
        series = [
            Series(
                names[part].text,
                number,
                [_figure(by_part.get((start, part), NOTHING), measure) for start in starts],
                self.narrowed(names[part]),
            )
            for number, part in enumerate(shown, start=1)
        ]
        rest = [
            _figure(totals.get(start, NOTHING), measure) - sum((one.values[at] for one in series), Decimal(0))
            for at, start in enumerate(starts)
        ]
        return [*series, Series(REST, 8, rest)] if any(rest) else series

    def _bucket(self, start: date, grain: str, asked: Span) -> Bucket:
        since = max(start, asked.since)
        until = min(_end(start, grain), asked.until)
        title = (
            f"{_short(since)} {since.year}"
            if since == until
            else f"{_short(since)} – {_short(until)} {until.year}"
        )
        label = f"{start:%b %Y}" if grain == "month" else _short(start)
        query = self.filters.query(since=since.isoformat(), until=until.isoformat(), range="", grain="")
        return Bucket(label, title, f"{self._address()}?{query}", is_open=until >= today())

    def by_hour(self, found: Mapping[int, Amounts], names: Mapping[int, Label]) -> Chart:
        """Today, hour by hour, as far as analytics splits it."""
        dimension = self.dimension if is_known(self.question, self.dimension) else Dimension.TOTAL
        has_hours = dimension not in (Dimension.KEY, Dimension.MEMBER)
        rows = hours(self.organization.pk, dimension, midnight(today())) if has_hours else []
        wanted = self.question.filters.get(dimension)
        by_part: dict[tuple[datetime, int], Amounts] = {}
        totals: dict[datetime, Amounts] = {}
        for hour, part, amounts in rows:
            if wanted is None or part in wanted:
                by_part[hour, part] = by_part.get((hour, part), NOTHING) + amounts
                totals[hour] = totals.get(hour, NOTHING) + amounts
        starts = [midnight(today()) + timedelta(hours=at) for at in range(24)]
        shown = list(found)[:SHOWN]
        return Chart(
            caption=f"{MEASURES[self.filters.measure]} by {self.filters.group}, today by the hour",
            buckets=[Bucket(f"{start:%H}", f"{start:%H}:00–{start:%H}:59 UTC") for start in starts],
            series=self._series(shown, names, starts, by_part, totals),
            write=writer(self.filters.measure),
            bucket_name="Hour (UTC)",
        )


def _figure(amounts: Amounts, measure: str) -> Decimal:
    return Decimal(value_of(amounts, measure) or 0)


def _end(start: date, grain: str) -> date:
    if grain == "day":
        return start
    if grain == "week":
        return start + timedelta(days=6)
    return (start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
