"""Charts as SVG, drawn on the server: stacked bars, one path a series; and a line over time.

A chart holds its figures once, as a table; ``static/js/chart.js`` reads tooltip and legend from there. Bars
are drawn in a box that is stretched to the width there is, so a bucket is one unit wide and values are scaled
to ``HEIGHT``; a line's box is as wide as it is high. Whatever carries text, or must stay round, lies outside
that box and is placed in per cent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from markupsafe import Markup, escape

HEIGHT = 1000
# Of the width of a bucket; the rest is air.
BAR = 0.82
TICKS = 4
COLOURS = 8
UNKNOWN_CELL = Markup('<td class="end" data-value=""><span class="unknown" title="No figure">—</span></td>')


@dataclass(frozen=True)
class Bucket:
    """One bar: ``label`` stands under it, ``title`` in its tooltip; ``href`` leads to what it is made of.
    ``is_open``: more may come. Not ``is_known``: nobody recorded it, so that its zeros are no figures."""

    label: str
    title: str
    href: str = ""
    is_open: bool = False
    is_known: bool = True


@dataclass(frozen=True)
class Series:
    """One colour of the stack. ``colour`` 1 to 8; 8 is grey, for the rest."""

    label: str
    colour: int
    values: Sequence[Decimal]
    href: str = ""

    @property
    def total(self) -> Decimal:
        return sum(self.values, Decimal(0))


def cells(bucket: Bucket, values: Sequence[Decimal | None], write: Callable[[Decimal], str]) -> Markup:
    """The values of one bucket as cells of the table: there are hundreds of them on a page."""
    # A number, and a text that is escaped.
    return Markup("").join(
        UNKNOWN_CELL
        if value is None or not bucket.is_known
        else Markup(f'<td class="end" data-value="{value}">{escape(write(value))}</td>')  # noqa: S704
        for value in values
    )


@dataclass(frozen=True)
class Chart:
    """Stacked bars. ``write`` spells a value with its unit."""

    caption: str
    buckets: Sequence[Bucket]
    series: Sequence[Series]
    write: Callable[[Decimal], str]
    # What the buckets are called in the table.
    bucket_name: str = "Day (UTC)"
    # The same for the values beside the lines, which are round.
    write_tick: Callable[[Decimal], str] | None = None

    @cached_property
    def top(self) -> Decimal:
        """The value at the upper edge: a round number not below the highest bar."""
        highest = max(
            (sum(self._above(at), Decimal(0)) for at in range(len(self.buckets))), default=Decimal(0)
        )
        return nice(highest / TICKS) * TICKS if highest > 0 else Decimal(TICKS)

    @cached_property
    def ticks(self) -> list[str]:
        """The values beside the lines, from the top down to zero."""
        write = self.write_tick or self.write
        return [write(self.top / TICKS * step) for step in range(TICKS, -1, -1)]

    def _above(self, at: int) -> list[Decimal]:
        return [max(series.values[at], Decimal(0)) for series in self.series]

    @cached_property
    def paths(self) -> list[str]:
        """A path a series. What is below zero has no bar; the table shows it."""
        top = self.top
        heights = [0.0] * len(self.buckets)
        paths: list[str] = []
        for series in self.series:
            pieces: list[str] = []
            for at, value in enumerate(series.values):
                height = float(max(value, Decimal(0)) / top) * HEIGHT
                if height > 0:
                    base = HEIGHT - heights[at]
                    pieces.append(f"M{at + (1 - BAR) / 2:.2f} {base:.1f}h{BAR}v{-height:.1f}h-{BAR}z")
                    heights[at] += height
            paths.append("".join(pieces))
        return paths

    @property
    def labelled(self) -> list[tuple[str, Bucket]]:
        return labelled(self.buckets)

    @property
    def rows(self) -> list[tuple[Bucket, list[Decimal], Decimal]]:
        """The table: a bucket, its values in the order of the series, their sum."""
        return [
            (bucket, values, sum(values, Decimal(0)))
            for at, bucket in enumerate(self.buckets)
            for values in [[series.values[at] for series in self.series]]
        ]

    def cells(self, bucket: Bucket, values: Sequence[Decimal]) -> Markup:
        return cells(bucket, values, self.write)

    @property
    def is_empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)

    @property
    def has_refunds(self) -> bool:
        """Whether something lies below zero, where no bar can show it."""
        return any(value < 0 for series in self.series for value in series.values)


@dataclass(frozen=True)
class Point:
    """One reading of a line. ``moment`` is where it stands and, in UTC, what it is called; ``step`` is by how
    much the value jumped just before."""

    moment: datetime
    value: Decimal
    step: Decimal = Decimal(0)


@dataclass(frozen=True)
class LineChart:
    """A value over time, with the moments marked at which it jumped. Both lists are in the order of time;
    ``jumps`` stand for themselves, whether or not they are among the points."""

    caption: str
    since: datetime
    until: datetime
    points: Sequence[Point]
    jumps: Sequence[Point]
    write: Callable[[Decimal], str]
    # What value and jumps are called in the table.
    value_name: str
    step_name: str

    @cached_property
    def ticks(self) -> list[Decimal]:
        """Round values beside the lines, from the top down; zero is among them."""
        values = [Decimal(0), *(point.value for point in self._drawn)]
        step = nice((max(values) - min(values)) / TICKS) if any(values) else Decimal(1)
        first, last = math.floor(min(values) / step), math.ceil(max(values) / step)
        return [step * number for number in range(max(last, first + 1), first - 1, -1)]

    @property
    def lines(self) -> list[tuple[str, bool]]:
        """How far down each tick's line lies, in per cent, and whether it is zero."""
        ticks = self.ticks
        return [(f"{100 * at / (len(ticks) - 1):.2f}", tick == 0) for at, tick in enumerate(ticks)]

    @cached_property
    def _drawn(self) -> list[Point]:
        """The points, and of each jump where it began and where it ended, so that it is drawn upright."""
        ends = [
            Point(jump.moment, value) for jump in self.jumps for value in (jump.value - jump.step, jump.value)
        ]
        # Sorting keeps the two ends of a jump in their order.
        return sorted([*ends, *self.points], key=lambda point: point.moment)

    @property
    def path(self) -> str:
        """The line in a box of HEIGHT × HEIGHT."""
        places = [
            f"{self._across(point) * HEIGHT:.1f} {self._down(point) * HEIGHT:.1f}" for point in self._drawn
        ]
        return f"M{'L'.join(places)}" if places else ""

    @property
    def area(self) -> str:
        """What lies between the line and zero."""
        drawn = self._drawn
        if not drawn:
            return ""
        zero = self._down(Point(self.since, Decimal(0))) * HEIGHT
        first, last = (self._across(point) * HEIGHT for point in (drawn[0], drawn[-1]))
        return f"{self.path}L{last:.1f} {zero:.1f}L{first:.1f} {zero:.1f}z"

    @property
    def marks(self) -> list[tuple[str, str, Point]]:
        """Where each jump ended, across and down in per cent."""
        return [
            (f"{self._across(jump) * 100:.2f}", f"{self._down(jump) * 100:.2f}", jump) for jump in self.jumps
        ]

    @property
    def rows(self) -> list[tuple[str, str, Point]]:
        """The table: each point, and where it stands across and down in per cent."""
        return [
            (f"{self._across(point) * 100:.2f}", f"{self._down(point) * 100:.2f}", point)
            for point in self.points
        ]

    @property
    def labelled(self) -> list[tuple[str, str]]:
        """Where along the width a moment is named, in per cent, and its name."""
        return [
            (f"{self._part(moment) * 100:.2f}", name)
            for moment, name in named_moments(self.since, self.until)
        ]

    def _part(self, moment: datetime) -> float:
        return (moment - self.since) / ((self.until - self.since) or timedelta(seconds=1))

    def _across(self, point: Point) -> float:
        return min(1.0, max(0.0, self._part(point.moment)))

    def _down(self, point: Point) -> float:
        top, *_, bottom = self.ticks
        return float((top - point.value) / (top - bottom))


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How far apart moments are named, until there are at most MOST_NAMED of them.
APART = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY)
MOST_NAMED = 8


def named_moments(since: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """Round moments of a span (UTC) and their names: hours, days, or firsts of months."""
    apart = next((apart for apart in APART if (until - since) / apart < MOST_NAMED), None)
    if apart is None:
        return _months(since, until)
    seconds = apart.total_seconds()
    moment = datetime.fromtimestamp(-(-since.timestamp() // seconds) * seconds, UTC)
    found = []
    while moment <= until:
        is_day = apart >= DAY or moment.hour == 0
        found.append((moment, f"{moment.day} {moment:%b}" if is_day else f"{moment:%H:%M}"))
        moment += apart
    return found


def _months(since: datetime, until: datetime) -> list[tuple[datetime, str]]:
    moment = since.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (moment := (moment + 32 * DAY).replace(day=1)) <= until:
        found.append((moment, f"{moment:%b %Y}"))
    step = max(1, math.ceil(len(found) / MOST_NAMED))
    return found[::-step][::-1]


def labelled(buckets: Sequence[Bucket]) -> list[tuple[str, Bucket]]:
    """Where along the width a label stands, in per cent, for at most eight of the buckets."""
    count = len(buckets)
    step = max(1, math.ceil(count / 8))
    return [(f"{(at + 0.5) / count * 100:.2f}", buckets[at]) for at in range(0, count, step)]


def nice(value: Decimal) -> Decimal:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below the value."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(value.adjusted())
    return next(step * power for step in map(Decimal, ("1", "2", "2.5", "5", "10")) if step * power >= value)
