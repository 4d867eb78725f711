"""The charts of an answer, one a metric: stacked bars for what adds up, lines for what must not be added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboard.analytics import buckets
from dashboard.analytics.reading import Column, Label, Reading, labels_of
from dashboard.charts import Bucket, Chart, Series
from dashboard.lines import Line, Lines
from orgadmin.openrouter.analytics import Row

MOST_CHARTS, MOST_SERIES = 4, 7

Name = tuple[Label, ...]


@dataclass(frozen=True)
class Picture:
    """``notes`` say what the chart leaves out."""

    chart: Chart | Lines
    is_stacked: bool
    notes: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing above zero to draw, and so nothing to see."""
        values = (value for series in self.chart.series for value in series.values)
        return not any(value is not None and value > 0 for value in values)


@dataclass(frozen=True)
class Gallery:
    """``why_none`` says why there is no chart at all."""

    pictures: Sequence[Picture]
    why_none: str = ""


def pictures(reading: Reading) -> Gallery:
    question = reading.kept.question
    if not question.granularity or not reading.rows:
        return Gallery([])
    known = {row.moment for row in reading.rows if row.moment is not None}
    starts = buckets.starts(reading.kept.period, question.granularity, known)
    if len(starts) > buckets.MOST:
        return Gallery([], "There are too many buckets for a chart: choose wider ones, or a shorter range.")
    shown = reading.columns[:MOST_CHARTS]
    return Gallery([_Drawing(reading, column, starts).picture() for column in shown])


@dataclass(frozen=True)
class _Drawing:
    reading: Reading
    column: Column
    starts: list[datetime]

    def picture(self) -> Picture:
        found = self._values()
        # Where rows are missing a stack would be a false total, and a bar that is not there a false zero.
        if self.column.is_additive and not self.reading.is_partial:
            return self._bars(found)
        return self._lines(found)

    def _values(self) -> dict[Name, dict[datetime, list[Decimal | None]]]:
        """The figures by name and bucket, in the order of their first row; several where names collide."""
        found: dict[Name, dict[datetime, list[Decimal | None]]] = {}
        for row in self.reading.rows:
            if row.moment is not None:
                at = found.setdefault(self._name(row), {}).setdefault(row.moment, [])
                value = row.metrics.get(self.column.metric.name)
                at.append(None if value is None else Decimal(value))
        return found

    def _name(self, row: Row) -> Name:
        return tuple(labels_of(row, self.reading.kept.question.dimensions))

    def _text(self, name: Name) -> str:
        return " · ".join(label.text for label in name) or self.column.label

    @property
    def _caption(self) -> str:
        by = " and ".join(self.reading.headings)
        return f"{self.column.label} by {by}" if by else self.column.label

    @property
    def _buckets(self) -> list[Bucket]:
        granularity = self.reading.kept.question.granularity
        return [buckets.bucket(start, granularity, self.reading.now) for start in self.starts]

    # --- what adds up ---

    def _bars(self, found: dict[Name, dict[datetime, list[Decimal | None]]]) -> Picture:
        sums = {name: self._sums(of) for name, of in found.items()}
        ranked = sorted(sums, key=lambda name: -sum(sums[name], Decimal(0)))
        shown, rest = ranked[:MOST_SERIES], ranked[MOST_SERIES:]
        series = [Series(self._text(name), at, sums[name]) for at, name in enumerate(shown, start=1)]
        if rest:
            left = [sum((sums[name][at] for name in rest), Decimal(0)) for at in range(len(self.starts))]
            series.append(Series(f"Everything else ({len(rest)})", 8, left))
        notes = []
        if any(value < 0 for one in series for value in one.values):
            notes.append("What is below zero has no bar: the table has it.")
        return Picture(self._chart(series), True, notes)

    def _chart(self, series: list[Series]) -> Chart:
        return Chart(self._caption, self._buckets, series, self.column.write, self.reading.bucket_name)

    def _sums(self, of: dict[datetime, list[Decimal | None]]) -> list[Decimal]:
        """Nothing happened in a bucket without rows: here it is a zero."""
        return [
            sum((value or Decimal(0) for value in of.get(start, ())), Decimal(0)) for start in self.starts
        ]

    # --- what does not ---

    def _lines(self, found: dict[Name, dict[datetime, list[Decimal | None]]]) -> Picture:
        clear = [name for name, of in found.items() if all(len(values) == 1 for values in of.values())]
        shown = clear[:MOST_SERIES]
        lines = [
            Line(self._text(name), at, [found[name].get(start, [None])[0] for start in self.starts])
            for at, name in enumerate(shown, start=1)
        ]
        notes = []
        if len(clear) > len(shown):
            notes.append(f"{len(shown)} of {len(clear)} lines are drawn: the table has all of them.")
        if len(clear) < len(found):
            notes.append("Names that several rows share have no line, for nobody can tell which is which.")
        chart = Lines(self._caption, self._buckets, lines, self.column.write, self.reading.bucket_name)
        return Picture(chart, False, notes)
