"""The bars of the spend page: the largest parts by time, the rest together, today by the hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.urls import reverse

from dashboard import formats
from dashboard.charts import Bucket, Chart, Series
from dashboard.spend.filters import MEASURES, MONEY, SpendFilters
from orgadmin.accounts.models import Organization
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.labels import Label
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import BY_HOUR, hours
from orgadmin.usage.reading import MOST_FACT_DAYS, Question, Row, by_time
from orgadmin.usage.spans import BUCKETS, Span

SHOWN = 7
REST = "Everything else"
# What is worth asking next about one part.
FOLLOWING = {"model": "key", "provider": "model", "key": "model", "member": "key", "workspace": "key"}


def writer(measure: str) -> Any:
    """How a value of the measure is spelled."""
    return formats.money if measure in MONEY else lambda value: formats.number(int(value))


def tick_writer(measure: str) -> Any:
    """The same for round values: no cents where there are none, and thousands in short."""
    if measure in MONEY:
        return lambda value: formats.money(value, 0 if value == value.to_integral_value() else 2)
    return lambda value: formats.compact(int(value))


@dataclass(frozen=True)
class Drawing:
    """What a chart is drawn from: the question, and what is known of the open days, by part and whole."""

    organization: Organization
    filters: SpendFilters
    question: Question
    opening: list[Row]
    opening_whole: list[Row]

    @property
    def dimension(self) -> Dimension:
        return self.filters.dimension

    def narrowed(self, label: Label) -> str:
        """The same page for one part alone, grouped by what is worth asking next; over spans too long for
        two dimensions at once, as it is."""
        if not label.name:
            return ""
        is_short = self.question.span.days <= MOST_FACT_DAYS or self.filters.group == "key"
        group = FOLLOWING[self.filters.group] if is_short else self.filters.group
        query = self.filters.query(**{self.filters.group: label.name, "group": group})
        return f"{self._address}?{query}"

    @cached_property
    def _address(self) -> str:
        return reverse("spend:show", kwargs={"organization": self.organization.slug})

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
        for day, _, amounts in self.opening_whole:
            bucket = BUCKETS[grain](day)
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
            write_tick=tick_writer(self.filters.measure),
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
        if measure == "per_million" or not shown:
            # A price cannot be stacked, and what is not split has no parts to stack.
            values = [_figure(totals.get(start, NOTHING), measure) for start in starts]
            return [Series("All of it", 1, values)] if any(values) else []
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
        title = formats.days(since, until)
        label = f"{start:%b %Y}" if grain == "month" else _short(start)
        query = self.filters.query(since=since.isoformat(), until=until.isoformat(), range="", grain="")
        return Bucket(label, title, f"{self._address}?{query}", is_open=until >= today())

    def by_hour(self, found: Mapping[int, Amounts], names: Mapping[int, Label]) -> Chart:
        """Today, hour by hour, as far as analytics splits it; no bars where it does not tell these hours."""
        source, is_split = self._hourly()
        rows = [] if source is None else hours(self.organization.pk, source, midnight(today()))
        wanted = None if source is None else self.question.filters.get(source)
        by_part: dict[tuple[datetime, int], Amounts] = {}
        totals: dict[datetime, Amounts] = {}
        for hour, part, amounts in rows:
            if wanted is None or part in wanted:
                by_part[hour, part] = by_part.get((hour, part), NOTHING) + amounts
                totals[hour] = totals.get(hour, NOTHING) + amounts
        starts = [midnight(today()) + timedelta(hours=at) for at in range(24)]
        shown = list(found)[:SHOWN] if is_split else []
        return Chart(
            caption=f"{MEASURES[self.filters.measure]} by {self.filters.group}, today by the hour",
            buckets=[Bucket(f"{start:%H}", f"{start:%H}:00–{start:%H}:59 UTC") for start in starts],
            series=self._series(shown, names, starts, by_part, totals),
            write=writer(self.filters.measure),
            write_tick=tick_writer(self.filters.measure),
            bucket_name="Hour (UTC)",
        )

    def _hourly(self) -> tuple[Dimension | None, bool]:
        """By what the hours of this question are known, and whether that splits them as it is asked. Whoever
        is bound to some keys gets none: hours are known for everybody together."""
        asked = {self.dimension, *self.question.filters}
        if len(asked) == 1 and self.dimension in BY_HOUR:
            return self.dimension, True
        filtered = set(self.question.filters) or {Dimension.TOTAL}
        source = filtered.pop()
        return (None, False) if filtered or source not in BY_HOUR else (source, False)


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
