"""An answer as CSV: the columns of its table, the figures as OpenRouter gave them.

Money is US dollars with all digits, a rate a ratio from 0 to 1, latency milliseconds. That rows are missing,
and what OpenRouter warns of, stands on the page: words among the figures would break whatever reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from django.http import StreamingHttpResponse

from dashboard.analytics.reading import Reading, labels_of
from orgadmin.accounts.models import Organization
from orgadmin.pages import csv_of

# Buckets that are named by their first day; the others need the time of day.
_DAYS = frozenset({"day", "week", "month"})


def stream(organization: Organization, reading: Reading) -> StreamingHttpResponse:
    """Every row of the answer, in OpenRouter's order."""
    return csv_of("analytics", organization.slug, _columns(reading), _lines(reading))


def _columns(reading: Reading) -> list[str]:
    question = reading.kept.question
    found = [reading.bucket_name] if question.granularity else []
    for name, heading in zip(question.dimensions, reading.headings, strict=True):
        found += [heading, f"{heading} e-mail"] if name == "user" else [heading]
    return [*found, *(column.label for column in reading.columns)]


def _lines(reading: Reading) -> Iterator[list[str]]:
    question = reading.kept.question
    for row in reading.rows:
        cells = [_moment(row.moment, question.granularity)] if question.granularity else []
        for name, label in zip(question.dimensions, labels_of(row, question.dimensions), strict=True):
            cells += [label.text, label.note] if name == "user" else [label.text]
        yield [*cells, *(_figure(row.metrics.get(column.metric.name)) for column in reading.columns)]


def _moment(moment: datetime | None, granularity: str) -> str:
    if moment is None:
        return ""
    return moment.date().isoformat() if granularity in _DAYS else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _figure(value: int | Decimal | None) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
