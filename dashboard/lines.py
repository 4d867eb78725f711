"""Line charts as SVG, drawn on the server: for figures that must not be added up, such as rates.

They share frame, legend and table with the bars of ``dashboard.charts``. Where a figure is missing the line
has a gap; a figure alone between two gaps is a short dash, for a line needs two ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from markupsafe import Markup

from dashboard.charts import HEIGHT, TICKS, Bucket, cells, labelled, nice

DASH = 0.3


@dataclass(frozen=True)
class Line:
    """One line. ``colour`` 1 to 8. A value that is None is not known."""

    label: str
    colour: int
    values: Sequence[Decimal | None]


@dataclass(frozen=True)
class Lines:
    """``write`` spells a value with its unit. The axis begins at zero."""

    caption: str
    buckets: Sequence[Bucket]
    series: Sequence[Line]
    write: Callable[[Decimal], str]
    bucket_name: str = "Day (UTC)"

    @cached_property
    def top(self) -> Decimal:
        """The value at the upper edge: a round number not below the highest point."""
        highest = max(
            (value for line in self.series for value in line.values if value is not None), default=Decimal(0)
        )
        return nice(highest / TICKS) * TICKS if highest > 0 else Decimal(TICKS)

    @cached_property
    def ticks(self) -> list[str]:
        return [self.write(self.top / TICKS * step) for step in range(TICKS, -1, -1)]

    @cached_property
    def paths(self) -> list[str]:
        top = self.top
        return [_path(line.values, top) for line in self.series]

    @property
    def labelled(self) -> list[tuple[str, Bucket]]:
        return labelled(self.buckets)

    def cells(self, bucket: Bucket, values: Sequence[Decimal | None]) -> Markup:
        return cells(bucket, values, self.write)

    @property
    def rows(self) -> list[tuple[Bucket, list[Decimal | None], None]]:
        """The table: a bucket, its values in the order of the series, and no sum."""
        return [
            (bucket, [line.values[at] for line in self.series], None)
            for at, bucket in enumerate(self.buckets)
        ]

    @property
    def is_empty(self) -> bool:
        return all(value is None for line in self.series for value in line.values)


def _path(values: Sequence[Decimal | None], top: Decimal) -> str:
    pieces = []
    for at, value in enumerate(values):
        if value is None:
            continue
        height = HEIGHT - float(max(value, Decimal(0)) / top) * HEIGHT
        before = values[at - 1] if at else None
        after = values[at + 1] if at + 1 < len(values) else None
        if before is None and after is None:
            pieces.append(f"M{at + 0.5 - DASH / 2:.2f} {height:.1f}h{DASH}")
        else:
            pieces.append(f"{'M' if before is None else 'L'}{at + 0.5:.2f} {height:.1f}")
    return "".join(pieces)
