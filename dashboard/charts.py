"""Charts as SVG, drawn on the server: stacked bars, one path a series.

A chart holds its figures once, as a table; ``static/js/chart.js`` reads tooltip and legend from there. Bars
are drawn in a box that is stretched to the width there is, so a bucket is one unit wide and values are scaled
to ``HEIGHT``; whatever carries text lies outside that box.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

HEIGHT = 1000
# Of the width of a bucket; the rest is air.
BAR = 0.82
TICKS = 4
COLOURS = 8


@dataclass(frozen=True)
class Bucket:
    """One bar: ``label`` stands under it, ``title`` in its tooltip; ``href`` leads to what it is made of.
    ``is_open``: more may come."""

    label: str
    title: str
    href: str = ""
    is_open: bool = False


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


@dataclass(frozen=True)
class Chart:
    """Stacked bars. ``write`` spells a value with its unit."""

    caption: str
    buckets: Sequence[Bucket]
    series: Sequence[Series]
    write: Callable[[Decimal], str]
    # What the buckets are called in the table.
    bucket_name: str = "Day (UTC)"

    @property
    def top(self) -> Decimal:
        """The value at the upper edge: a round number not below the highest bar."""
        highest = max(
            (sum(self._above(at), Decimal(0)) for at in range(len(self.buckets))), default=Decimal(0)
        )
        return nice(highest / TICKS) * TICKS if highest > 0 else Decimal(TICKS)

    @property
    def ticks(self) -> list[Decimal]:
        """The values beside the lines, from the top down to zero."""
        return [self.top / TICKS * step for step in range(TICKS, -1, -1)]

    def _above(self, at: int) -> list[Decimal]:
        return [max(series.values[at], Decimal(0)) for series in self.series]

    @property
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

    @property
    def is_empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)


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
