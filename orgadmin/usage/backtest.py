"""How good the forecast of a month would have been: every day of the past taken for today, and what came.

Pure functions. What the forecast has to beat is the naive run rate: spent so far, by days so far, times the
days of the month. Both are asked on the same days, for whole months with ``BEFORE`` days of history before
them, from the second day on: on the first the run rate has nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from orgadmin.usage.forecast import ENOUGH, Outlook

BEFORE = ENOUGH


@dataclass(frozen=True)
class Try:
    """One day taken for today: how far off were both, as a share of what the month came to, and whether
    that lay in the interval, whose width is ``width``."""

    today: date
    error: float
    naive_error: float
    is_covered: bool
    width: float


@dataclass(frozen=True)
class Score:
    """All the tries. Errors are means of absolute errors as shares (MAPE)."""

    tries: Sequence[Try]

    @property
    def months(self) -> int:
        return len({(one.today.year, one.today.month) for one in self.tries})

    @property
    def error(self) -> float:
        return fmean(one.error for one in self.tries)

    @property
    def naive_error(self) -> float:
        return fmean(one.naive_error for one in self.tries)

    @property
    def coverage(self) -> float:
        return fmean(one.is_covered for one in self.tries)

    @property
    def width(self) -> float:
        return fmean(one.width for one in self.tries)

    @property
    def is_better(self) -> bool:
        return self.error < self.naive_error


def backtest(values: Sequence[float | None], first: date) -> Score | None:
    """Walk through dollars a day from ``first`` on; None where no month can be judged."""
    tries = [one for since, until in _months(values, first) for one in _tries(values, first, since, until)]
    return Score(tries) if tries else None


def _months(values: Sequence[float | None], first: date) -> Iterator[tuple[int, int]]:
    """The months that can be judged, as places in ``values``: the first, and the one after the last."""
    month = first.replace(day=1)
    while True:
        following = (month + timedelta(days=31)).replace(day=1)
        since, until = (month - first).days, (following - first).days
        if until > len(values):
            return
        if since >= BEFORE and None not in values[since:until]:
            yield since, until
        month = following


def _tries(values: Sequence[float | None], first: date, since: int, until: int) -> Iterator[Try]:
    came = sum(value or 0.0 for value in values[since:until])
    if came <= 0:
        return
    for at in range(since + 1, until):
        spent = sum(value or 0.0 for value in values[since:at])
        found = Outlook(values[:at], first).ahead(until - at)
        if found is None:
            continue
        run_rate = spent / (at - since) * (until - since)
        yield Try(
            today=first + timedelta(days=at),
            error=abs(spent + found.expected - came) / came,
            naive_error=abs(run_rate - came) / came,
            is_covered=spent + found.low <= came <= spent + found.high,
            width=(found.high - found.low) / came,
        )
