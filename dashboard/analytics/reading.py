"""From an answer to what a page shows: a table in upstream's order, totals where they are true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from dashboard.analytics import buckets, units
from dashboard.analytics.kept import Kept
from dashboard.charts import Bucket
from orgadmin.openrouter.analytics import Meta, Metric, Row

UNSET = "Not set"


@dataclass(frozen=True)
class Label:
    """What a row is about: upstream's own word; ``note`` is a second line, ``is_unset`` says that upstream
    gave none."""

    text: str
    note: str = ""
    is_unset: bool = False


@dataclass(frozen=True)
class Column:
    """One metric of the answer."""

    metric: Metric
    label: str
    write: units.Write
    is_additive: bool

    @property
    def is_money(self) -> bool:
        return self.metric.display_format == "currency"


@dataclass(frozen=True)
class Line:
    """One row of the table; ``bucket`` is None where no granularity was asked for."""

    bucket: Bucket | None
    labels: Sequence[Label]
    values: Sequence[int | Decimal | None]


@dataclass(frozen=True)
class Reading:
    """An answer with what /meta says of its metrics."""

    kept: Kept
    meta: Meta
    now: datetime

    @cached_property
    def rows(self) -> list[Row]:
        """Whether upstream's range includes its end is not said: a bucket that begins there is left out."""
        end = self.kept.period.end
        return [row for row in self.kept.answer.rows if row.moment is None or row.moment < end]

    @property
    def is_partial(self) -> bool:
        """Whether rows are missing: by OpenRouter's word, or because a limit was asked for and reached."""
        limit = self.kept.question.limit
        return self.kept.answer.truncated or (limit is not None and len(self.kept.answer.rows) >= limit)

    @cached_property
    def columns(self) -> list[Column]:
        known = {metric.name: metric for metric in self.meta.metrics}
        return [column_of(known.get(name) or _stranger(name)) for name in self.kept.question.metrics]

    @cached_property
    def headings(self) -> list[str]:
        """What the dimensions are called."""
        known = {one.name: one.display_label or one.name for one in self.meta.dimensions}
        return [known.get(name, name) for name in self.kept.question.dimensions]

    @property
    def bucket_name(self) -> str:
        return buckets.name(self.kept.question.granularity)

    def lines(self, offset: int, limit: int) -> list[Line]:
        granularity = self.kept.question.granularity
        return [
            Line(
                bucket=buckets.bucket(row.moment, granularity, self.now) if row.moment else None,
                labels=labels_of(row, self.kept.question.dimensions),
                values=[row.metrics.get(column.metric.name) for column in self.columns],
            )
            for row in self.rows[offset : offset + limit]
        ]

    @property
    def totals(self) -> list[Decimal | None] | None:
        """A sum for each column that has one; None when no sum would be true. A missing part counts nothing:
        upstream leaves out what a cost does not contain."""
        if self.is_partial or len(self.rows) < 2 or not any(column.is_additive for column in self.columns):
            return None
        return [
            sum((row.amount(column.metric.name) for row in self.rows), Decimal(0))
            if column.is_additive
            else None
            for column in self.columns
        ]

    @property
    def shares_labels(self) -> bool:
        """Whether two rows look alike although they are about different things, such as keys of one name."""
        dimensions = self.kept.question.dimensions
        seen = Counter((row.moment, tuple(labels_of(row, dimensions))) for row in self.rows)
        return any(count > 1 for count in seen.values())


def column_of(metric: Metric) -> Column:
    """How the metric's figures are called, written, and whether they may be added up."""
    label = metric.display_label or metric.name
    return Column(metric, label, units.writer(metric.display_format), metric.is_additive)


def _stranger(name: str) -> Metric:
    """A metric that was offered when it was asked and is not any more: shown, never added up."""
    return Metric(name=name, display_label=name, display_format="", is_rate=True)


def labels_of(row: Row, dimensions: Sequence[str]) -> list[Label]:
    email = row.extra.get("user_email")
    return [_label(name, row.dimensions, email if isinstance(email, str) else "") for name in dimensions]


def _label(dimension: str, values: Mapping[str, str | None], email: str) -> Label:
    value = values.get(dimension)
    if value:
        return Label(value, email if dimension == "user" and email != value else "")
    if dimension == "user":
        return Label("Not tied to a member" if value == "" else "Unknown member", email, is_unset=True)
    return Label(UNSET, is_unset=True)
