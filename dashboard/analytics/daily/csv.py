"""The daily record as CSV: a line for each day and label, a column for each metric of the dimension.

Figures are as OpenRouter gave them: money in US dollars with all digits, a rate a ratio from 0 to 1, latency
in milliseconds, throughput in tokens a second. Memory does not grow with the number of lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import StreamingHttpResponse

from dashboard.analytics.daily.filters import DailyFilters
from dashboard.analytics.daily.selectors import Offer, dimension_name, newest_day
from orgadmin.accounts.models import Organization
from orgadmin.pages import csv_of
from orgadmin.usage.harvested import Record
from orgadmin.usage.spans import Span


def stream(organization: Organization, filters: DailyFilters, offer: Offer) -> StreamingHttpResponse:
    """Every row of the chosen days, oldest first."""
    columns = offer.columns.get(filters.by, {})
    labels = [dimension_name(filters.by)] if filters.by else []
    head = ["Day (UTC)", *labels, *(column.label for column in columns.values())]
    record = Record(organization, filters.by)
    bounds = record.bounds()
    span = filters.span(bounds.since, newest_day(bounds)) if bounds else None
    return csv_of(
        "daily-record", organization.slug, head, _lines(record, span, list(columns)) if span else ()
    )


def _lines(record: Record, span: Span, metrics: Sequence[str]) -> Iterator[list[str]]:
    for day, label, figures in record.each(span):
        names = [label] if record.dimension else []
        yield [day.isoformat(), *names, *(_figure(figures.get(name)) for name in metrics)]


def _figure(value: Any) -> str:
    """As a decimal number, never with an exponent; nothing where there is no figure."""
    try:
        exact = Decimal(value) if isinstance(value, str | int) else None
    except InvalidOperation:
        exact = None
    return "" if exact is None else f"{exact:f}"
