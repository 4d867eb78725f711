"""Spans of days, and how one is put together from months and days.

Whole months are read as months. Of a month that is only partly wanted the days are read, or the month less
the days that are not wanted, whichever is fewer: so no end of a span costs more than half a month of days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orgadmin.usage.models import Grain, month_of

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both ends included; empty when ``until`` is before ``since``."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return max(0, (self.until - self.since).days + 1)

    @property
    def before(self) -> Span:
        """As many days, just before."""
        return Span(self.since - timedelta(days=self.days), self.since - DAY)

    def each(self) -> list[date]:
        return [self.since + timedelta(days=at) for at in range(self.days)]


@dataclass(frozen=True, slots=True)
class Piece:
    """Days or months (by their first days) whose sums count, or, ``is_minus``, are taken off again."""

    grain: Grain
    starts: tuple[date, ...]
    is_minus: bool = False


def pieces(span: Span) -> list[Piece]:
    """What adds up to the span; pieces of days lie within one month each."""
    months: list[date] = []
    days: list[Piece] = []
    for part in by_month(span):
        first, last = month_of(part.since), next_month(part.since) - DAY
        missing = [*Span(first, part.since - DAY).each(), *Span(part.until + DAY, last).each()]
        if len(missing) < part.days:
            months.append(first)
            if missing:
                days.append(Piece(Grain.DAY, tuple(missing), is_minus=True))
        else:
            days.append(Piece(Grain.DAY, tuple(part.each())))
    return [Piece(Grain.MONTH, tuple(months)), *days] if months else days


def by_month(span: Span) -> list[Span]:
    """The span cut wherever a month ends."""
    found, since = [], span.since
    while since <= span.until:
        until = min(span.until, next_month(since) - DAY)
        found.append(Span(since, until))
        since = until + DAY
    return found


def next_month(day: date) -> date:
    return month_of(month_of(day) + timedelta(days=31))


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before the one of ``day``."""
    first = month_of(day)
    for _ in range(months):
        first = month_of(first - DAY)
    return first


def day_of(day: date) -> date:
    return day


def week_of(day: date) -> date:
    """The Monday on which its week began, as OpenRouter's limits count (FACTS 1.8)."""
    return day - timedelta(days=day.weekday())


# What the bucket of a day is called: its first day.
BUCKETS: Mapping[str, Callable[[date], date]] = {"day": day_of, "week": week_of, "month": month_of}
