"""Reading the harvest: sums, extremes and single days of one metric, by label.

Figures lie in JSON and are taken out by the database: a year of three hundred models is a hundred thousand
rows, of which a page needs a few thousand figures. Memory grows with labels × buckets, never with rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import (
    CharField,
    Count,
    DateField,
    F,
    FloatField,
    Func,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.functions import Round

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import Harvest, HarvestMetric
from orgadmin.usage.spans import Span

CHUNK = 2000
# Amounts are added up in billionths of a dollar: whole numbers, which a float holds exactly up to nine
# million dollars a label and bucket. PostgreSQL adds decimals, and needs no such care.
NANO = 1_000_000_000


class _Figure(Func):
    """The figure of one metric in a row: NULL where it has none."""

    output_field = FloatField()

    def __init__(self, metric: str) -> None:
        super().__init__(F("metrics"), Value(metric, CharField()))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = """CAST(JSON_EXTRACT(%(expressions)s || '"') AS REAL)"""
        return self.as_sql(compiler, connection, template=template, arg_joiner=""", '$."' || """, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(%(expressions)s AS numeric)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" ->> ", **context)


class _FirstDay(Func):
    """The first day of the week from Monday, or of the month, that a day lies in. Django's own is a Python
    function on SQLite, called for every row."""

    output_field = DateField()

    def __init__(self, grain: str) -> None:
        super().__init__(F("day"))
        self.grain = grain

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        steps = "'weekday 0', '-6 days'" if self.grain == "week" else "'start of month'"
        return self.as_sql(compiler, connection, template=f"DATE(%(expressions)s, {steps})", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = f"CAST(DATE_TRUNC('{self.grain}', %(expressions)s) AS date)"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True)
class Extremes:
    """What may be said of a rate over a span: its lowest and highest day, and which one is the newest.
    ``weight`` is the sum of another metric that says how much lies behind it; without one, the days."""

    label: str
    lowest: Decimal
    highest: Decimal
    newest: date
    days: int
    weight: Decimal


def metrics_of(organization: Organization) -> dict[str, list[HarvestMetric]]:
    """What is recorded, by dimension: nothing where nothing was harvested yet."""
    found: dict[str, list[HarvestMetric]] = {}
    for row in HarvestMetric.objects.filter(organization=organization).order_by("id"):
        found.setdefault(row.dimension, []).append(row)
    return found


@dataclass(frozen=True)
class Record:
    """The harvest of one dimension of one organization."""

    organization: Organization
    dimension: str

    @property
    def _rows(self) -> QuerySet[Harvest]:
        return Harvest.objects.filter(organization=self.organization, dimension=self.dimension)

    def _within(self, span: Span) -> QuerySet[Harvest]:
        return self._rows.filter(day__range=(span.since, span.until)).order_by()

    def bounds(self) -> Span | None:
        """The first and the last day there is: each is one step in the index."""
        first = self._rows.order_by("day").values_list("day", flat=True).first()
        last = self._rows.order_by("-day").values_list("day", flat=True).first()
        return Span(first, last) if first and last else None

    def days(self, span: Span) -> set[date]:
        """The days of the span that have rows."""
        return set(self._within(span).values_list("day", flat=True).distinct())

    def sums(self, span: Span, metric: str, *, grain: str, is_money: bool) -> dict[str, dict[date, Decimal]]:
        """Of a metric that adds up: its sum by label and first day of the bucket."""
        figure = _Figure(metric)
        rows = self._within(span).annotate(bucket=F("day") if grain == "day" else _FirstDay(grain))
        summed = rows.values_list("label", "bucket").annotate(
            sum=Sum(Round(figure * NANO) if is_money else figure)
        )
        found: dict[str, dict[date, Decimal]] = {}
        for label, bucket, value in summed.iterator(chunk_size=CHUNK):
            if value is not None:
                found.setdefault(label, {})[bucket] = _exact(value).scaleb(-9) if is_money else _exact(value)
        return found

    def extremes(self, span: Span, metric: str, weighed_by: str) -> list[Extremes]:
        """Of a metric that must not be added up: a row a label, the one with most behind it first."""
        rows = self._within(span).annotate(figure=_Figure(metric)).filter(figure__isnull=False)
        weight = Sum(_Figure(weighed_by)) if weighed_by else Count("id")
        found = rows.values_list("label").annotate(
            Min("figure"), Max("figure"), Max("day"), Count("id"), weight=weight
        )
        made = [
            Extremes(label, _exact(low), _exact(high), newest, days, _exact(weight or 0))
            for label, low, high, newest, days, weight in found
        ]
        return sorted(made, key=lambda one: (-one.weight, one.label))

    def figures(
        self, metric: str, labels: Collection[str], days: Span | Collection[date]
    ) -> Mapping[tuple[str, date], Decimal]:
        """The figures of some labels, day by day."""
        when = Q(day__range=(days.since, days.until)) if isinstance(days, Span) else Q(day__in=days)
        rows = self._rows.filter(when, label__in=labels).order_by()
        figures = rows.annotate(figure=_Figure(metric)).filter(figure__isnull=False)
        found = figures.values_list("label", "day", "figure")
        return {(label, day): _exact(figure) for label, day, figure in found}

    def each(self, span: Span) -> Iterator[tuple[date, str, dict[str, Any]]]:
        """Every row with its metrics as they were harvested, oldest day first, in the order of the index."""
        rows = self._within(span).order_by("day", "dimension", "label")
        return iter(rows.values_list("day", "label", "metrics").iterator(chunk_size=CHUNK))


def _exact(value: float | Decimal) -> Decimal:
    """A figure as the database gave it; a whole one without a point."""
    if isinstance(value, float):
        return Decimal(int(value)) if value.is_integer() else Decimal(repr(value))
    exact = Decimal(value)
    return Decimal(int(exact)) if exact == exact.to_integral_value() else exact
