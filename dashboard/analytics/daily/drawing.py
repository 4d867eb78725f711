"""The chart of the daily record: bars for what adds up, lines for what must not, gaps where no record is.

Over long ranges a bar is a week or a month. A rate has no week: its point is the day in the middle, one of
the week's own figures, because an average of averages would be nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from dashboard.analytics import buckets
from dashboard.analytics.pictures import MOST_SERIES, Picture
from dashboard.analytics.reading import Column
from dashboard.charts import Bucket, Chart, Series
from dashboard.formats import day as spelled
from dashboard.lines import Line, Lines
from orgadmin.usage.clock import midnight
from orgadmin.usage.spans import BUCKETS, Span

# Above so many days a chart has weeks, and above so many months.
DAYS_BY_DAY, DAYS_BY_WEEK = 100, 400
BUCKET_NAMES: Mapping[str, str] = {
    "day": "Day (UTC)",
    "week": "Week from Monday (UTC)",
    "month": "Month (UTC)",
}


def grain_of(span: Span) -> str:
    return "day" if span.days <= DAYS_BY_DAY else "week" if span.days <= DAYS_BY_WEEK else "month"


@dataclass(frozen=True)
class Drawing:
    """``held`` are the days of the span that have a record; ``names`` say what a label is called."""

    caption: str
    column: Column
    span: Span
    held: Collection[date]
    now: datetime

    @property
    def grain(self) -> str:
        return grain_of(self.span)

    def _days(self) -> dict[date, list[date]]:
        """The days of each bucket."""
        found: dict[date, list[date]] = {}
        for day in self.span.each():
            found.setdefault(BUCKETS[self.grain](day), []).append(day)
        return found

    def _buckets(self) -> list[Bucket]:
        return [self._bucket(start, days) for start, days in self._days().items()]

    def _bucket(self, start: date, days: Sequence[date]) -> Bucket:
        """What it is called, and how much of it there is."""
        made = buckets.bucket(midnight(start), self.grain, self.now)
        there = sum(day in self.held for day in days)
        if self.grain == "day":
            return replace(made, is_known=there > 0)
        title = spelled(days[0]) if len(days) == 1 else f"{spelled(days[0])} – {spelled(days[-1])}"
        if there < len(days):
            title = f"{title}, {there} of {len(days)} days recorded"
        return replace(made, title=title, is_known=there > 0)

    def bars(self, sums: Mapping[str, Mapping[date, Decimal]], ranked: Sequence[tuple[str, str]]) -> Picture:
        """``sums`` by label and bucket; ``ranked`` are labels with their names, the largest first."""
        starts = list(self._days())
        shown, rest = ranked[:MOST_SERIES], ranked[MOST_SERIES:]
        series = [
            Series(name, colour, [sums[label].get(start, Decimal(0)) for start in starts])
            for colour, (label, name) in enumerate(shown, start=1)
        ]
        if rest:
            left = [
                sum((sums[label].get(start, Decimal(0)) for label, _ in rest), Decimal(0)) for start in starts
            ]
            series.append(Series(f"Everything else ({len(rest)})", 8, left))
        is_below = any(value < 0 for one in sums.values() for value in one.values())
        chart = Chart(self.caption, self._buckets(), series, self.column.write, BUCKET_NAMES[self.grain])
        return Picture(chart, True, ["What is below zero has no bar: the table has it."] if is_below else [])

    def lines(
        self,
        figures: Mapping[tuple[str, date], Decimal],
        ranked: Sequence[tuple[str, str]],
        weighed_by: str,
    ) -> Picture:
        """``figures`` are by label and day, of the first of ``ranked``: those with most of ``weighed_by``."""
        days, shown = self._days(), ranked[:MOST_SERIES]
        lines = [
            Line(
                name,
                colour,
                [middle([figures.get((label, day)) for day in of]) for of in days.values()],
            )
            for colour, (label, name) in enumerate(shown, start=1)
        ]
        notes = []
        if self.grain != "day":
            notes.append(
                f"A point is the middle one of its {self.grain}'s days: rates have no sum and no average."
            )
        if len(ranked) > len(shown):
            notes.append(
                f"{len(shown)} of {len(ranked)} lines are drawn, those with most {weighed_by}: "
                "the table has all."
            )
        chart = Lines(self.caption, self._buckets(), lines, self.column.write, BUCKET_NAMES[self.grain])
        return Picture(chart, False, notes)


def middle(figures: Sequence[Decimal | None]) -> Decimal | None:
    """One of the figures, as many above as below it; of an even number the lower one of two."""
    known = sorted(value for value in figures if value is not None)
    return known[(len(known) - 1) // 2] if known else None


def stretches(days: Sequence[date]) -> list[str]:
    """Days in the order of time, in words: those that follow each other together."""
    found: list[Span] = []
    for day in days:
        if found and day - found[-1].until == timedelta(days=1):
            found[-1] = Span(found[-1].since, day)
        else:
            found.append(Span(day, day))
    return [
        spelled(one.since) if one.days == 1 else f"{spelled(one.since)} – {spelled(one.until)}"
        for one in found
    ]
