"""What the days ahead will cost, from what the days behind have cost. Pure functions: no database, no clock.

The level of spend follows the last week or so; the days of the week have factors of their own, medians of
the last eight weeks, so that one runaway Tuesday does not make every Tuesday dear; the trend is the distance
between a quick level and a slow one, and dies away. The interval is taken from the model's own errors: it is
asked, from each of the last days that can tell, for as many days ahead as are asked for now, and laid
beside what came. How far off it was counts, and not to which side: where spend grew steadily, all errors of
the past are to one, and those to come need not be. Where there is too little past for that, the spread of
single days has to do, and the interval is wide.

An estimate is no ledger: inside are floats, and money is exact again only where it leaves.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from statistics import median
from typing import NamedTuple

# What a day adds to the quick and to the slow level is 1 minus this.
QUICK, SLOW = 0.82, 0.95
# The trend is a share of the level a day, at most this, and every day it has this part of the day before.
STEEPEST, DAMPING = 0.03, 0.97
# How many days old the slow level is beyond the quick one.
AGE = 1 / (1 - SLOW) - 1 / (1 - QUICK)
WEEKS = 8
# A day counts as at most so many times what was expected of it: a runaway is no new level, two may be.
CAP = 3.0
# Without so many days there is no trend to speak of, and no error worth learning from.
WARM_UP = 20
# The part of the months that should end in the interval.
COVERED = 0.8
# From how many days of the past the model is asked for its errors: accounts calm down, and wake up.
RECENT = 60
# With fewer days than this an estimate calls itself rough.
ENOUGH = 28
LONGEST = 730
# Standard deviations to either side that hold 80 %.
EIGHTY = 1.2816
CENT = Decimal("0.01")


class Estimate(NamedTuple):
    """What a stretch of days will cost: most likely, and from where to where in four cases of five."""

    low: float
    expected: float
    high: float


class Reach(NamedTuple):
    """For how many days an amount lasts; None: for longer than LONGEST."""

    soonest: float | None
    expected: float | None
    latest: float | None


@dataclass(frozen=True)
class Forecast:
    """What a month will have cost at its end. ``spent`` is what is known of it so far. ``days`` is on how
    many days this rests; ``is_rough``: on too few to know the weekdays and its own errors."""

    month: date
    spent: Decimal
    low: Decimal
    expected: Decimal
    high: Decimal
    days: int
    is_rough: bool

    @property
    def rest(self) -> Decimal:
        """What is still to come of ``expected``."""
        return self.expected - self.spent


class _State(NamedTuple):
    """What was known at the end of a day: dollars of an ordinary day, trend as a share of it, factors from
    Monday on."""

    level: float
    trend: float
    slow: float
    factors: tuple[float, ...]


class Outlook:
    """The model, fitted to ``values``: dollars a day from ``first`` on, None where a day is not known."""

    def __init__(self, values: Sequence[float | None], first: date) -> None:
        self.first = first
        self.values = values
        self._weekday = first.weekday()
        self._states = self._fit()
        self.days = sum(value is not None for value in values)

    @property
    def is_rough(self) -> bool:
        return self.days < ENOUGH

    @property
    def following(self) -> date:
        """The day after the last."""
        return self.first + timedelta(days=len(self.values))

    # --- the fit ---

    def _fit(self) -> list[_State]:
        """One pass, so that every day's state knows its past alone."""
        ratios: list[deque[float]] = [deque(maxlen=WEEKS) for _ in range(7)]
        middles: list[float | None] = [None] * 7
        factors: tuple[float, ...] = (1.0,) * 7
        quick, slow = _Level(QUICK), _Level(SLOW)
        week: deque[float] = deque(maxlen=7)
        states: list[_State] = []
        known = 0
        for at, value in enumerate(self.values):
            weekday = (self._weekday + at) % 7
            if value is None:
                # A gap tells nothing, and what lies on its two sides is no week.
                week.clear()
            else:
                known += 1
                counted = max(value, 0.0)
                if known > 7 and quick.value > 0:
                    counted = min(counted, CAP * quick.value * max(factors[weekday], 0.2))
                quick.add(counted, factors[weekday])
                slow.add(counted, factors[weekday])
                week.append(value)
                if len(week) == 7 and (total := sum(week)) > 0:
                    middle = (weekday - 3) % 7
                    ratios[middle].append(7 * week[3] / total)
                    middles[middle] = max(0.0, median(ratios[middle]))
                    factors = _factors(middles) or factors
            trend = _trend(quick.value, slow.value) if known > WARM_UP else 0.0
            states.append(_State(quick.value, trend, slow.value, factors))
        return states

    # --- what comes ---

    def ahead(self, days: int, *, passed: float = 0.0) -> Estimate | None:
        """The sum of the days that follow the last one; of the first of them the part ``passed`` is over.
        None without a single day to go by."""
        if not self.days:
            return None
        last = len(self.values) - 1
        first_day = self._sum(last, _weights(1))
        expected = max(0.0, self._sum(last, _weights(days)) - passed * first_day)
        low, high = self._spread(days)
        scale = max(expected, self._floor(last, days - passed))
        return Estimate(max(0.0, expected + low * scale), expected, expected + high * scale)

    def missing(self, since: date) -> float:
        """What the days from ``since`` on that are not known may have cost."""
        level, _, _, factors = self._states[-1]
        return sum(
            level * factors[(self._weekday + at) % 7]
            for at in range(max(0, (since - self.first).days), len(self.values))
            if self.values[at] is None
        )

    def _sum(self, origin: int, weights: _Weights) -> float:
        """What the state at the end of the day ``origin`` says of the days after it."""
        level, trend, _, factors = self._states[origin]
        weekday = (self._weekday + origin) % 7
        return level * sum(
            (count + trend * grown) * factors[(weekday + at) % 7]
            for at, (count, grown) in enumerate(zip(weights.counts, weights.grown, strict=True))
        )

    def _floor(self, origin: int, days: float) -> float:
        """Below this an error is no matter of proportion: what wakes up after a rest grows without bound."""
        return self._states[origin].slow * days / 2

    def reach(self, amount: float, *, passed: float = 0.0) -> Reach | None:
        """For how many days an amount lasts, the first of which is partly over. None where nothing is
        spent, or nothing known."""
        if not self.days or self._states[-1].level <= 0:
            return None
        expected = self._lasts(amount, 1.0, passed)
        low, high = self._spread(round(expected or LONGEST) or 1)
        return Reach(
            self._lasts(amount, 1 + high, passed), expected, self._lasts(amount, max(1 + low, 0.01), passed)
        )

    def _lasts(self, amount: float, pace: float, passed: float) -> float | None:
        """Days until the amount is spent, if every day costs ``pace`` times what is expected."""
        if amount <= 0:
            return 0.0
        level, trend, _, factors = self._states[-1]
        weekday = self._weekday + len(self.values)
        growth, since = 1.0, 0.0
        for at in range(LONGEST):
            trend *= DAMPING
            growth += trend
            part = 1 - passed if at == 0 else 1.0
            cost = pace * part * level * growth * factors[(weekday + at) % 7]
            if cost >= amount:
                return since + part * amount / cost
            amount -= cost
            since += part
        return None

    # --- how sure that is ---

    def _spread(self, days: int) -> tuple[float, float]:
        """The ends of the interval as shares of what is expected, below zero and above."""
        rough = self._roughly(days)
        # Of long stretches few are over yet; those of half the past tell as much.
        days = min(days, max(1, (len(self.values) - WARM_UP) // 2))
        errors = self._errors(days)
        if len(errors) < 10:
            return -rough / (1 + rough), rough
        # Windows that overlap say the same thing several times: the fewer there are beside each other, the
        # more of what they say is chance.
        windows = len(errors) / days
        far = _quantile([abs(error) for error in errors], COVERED) * (1 + 0.25 / windows)
        low, high = -far, far
        if len(self.values) - WARM_UP < 5 * days:
            low, high = min(low, -rough / (1 + rough)), max(high, rough)
        return max(low, -1.0), high

    def _errors(self, days: int) -> list[float]:
        """How far off the model would have been, so many days ahead, from the last days that can tell."""
        weights = _weights(days)
        errors: list[float] = []
        last = len(self.values) - days
        for origin in range(max(WARM_UP, last - RECENT), last):
            if self._gaps[origin + 1 + days] > self._gaps[origin + 1]:
                continue
            said = self._sum(origin, weights)
            came = self._sums[origin + 1 + days] - self._sums[origin + 1]
            scale = max(said, self._floor(origin, days))
            if scale > 0:
                errors.append((came - said) / scale)
        return errors

    @cached_property
    def _sums(self) -> list[float]:
        return [0.0, *accumulate(value or 0.0 for value in self.values)]

    @cached_property
    def _gaps(self) -> list[int]:
        return [0, *accumulate(value is None for value in self.values)]

    def _roughly(self, days: int) -> float:
        """The same from the spread of single days: chance adds up, and the level is not known well yet."""
        return min(3.0, EIGHTY * self._scatter * math.sqrt(1 / days + 2 / self.days) + 2 / self.days)

    @cached_property
    def _scatter(self) -> float:
        """How far single days lie from what was expected of them, as a share of the level: their root mean
        square, and never too little where there are few."""
        errors = [
            (value - state.level * state.factors[(self._weekday + at) % 7]) / state.level
            for at, (value, state) in enumerate(zip(self.values, self._states, strict=True))
            if value is not None and state.level > 0
        ][-56:]
        if not errors:
            return 1.0
        return max(0.3, math.sqrt(sum(error * error for error in errors) / len(errors)))


class _Level:
    """Dollars of an ordinary day: spend over factors, the older the day the less it counts. A ratio of sums,
    because a Sunday on which hardly anything happens says little and must not be divided by."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._spent = self._weight = 0.0

    def add(self, spent: float, factor: float) -> None:
        self._spent = self._keep * self._spent + spent
        self._weight = self._keep * self._weight + factor

    @property
    def value(self) -> float:
        return self._spent / self._weight if self._weight > 0 else 0.0


def _trend(quick: float, slow: float) -> float:
    if quick <= 0:
        return 0.0
    return max(-STEEPEST, min(STEEPEST, (quick - slow) / quick / AGE))


def _factors(middles: Sequence[float | None]) -> tuple[float, ...] | None:
    """The weekdays' medians, their mean made 1; None until there is one of each."""
    known = [middle for middle in middles if middle is not None]
    total = sum(known)
    return tuple(7 * middle / total for middle in known) if len(known) == 7 and total > 0 else None


class _Weights(NamedTuple):
    """How often each weekday (counted from the origin's) lies ahead, and how much trend it has by then."""

    counts: tuple[float, ...]
    grown: tuple[float, ...]


def _weights(days: int) -> _Weights:
    counts, grown = [0.0] * 7, [0.0] * 7
    step, sum_of_steps = 1.0, 0.0
    for at in range(1, days + 1):
        step *= DAMPING
        sum_of_steps += step
        counts[at % 7] += 1
        grown[at % 7] += sum_of_steps
    return _Weights(tuple(counts), tuple(grown))


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    before = int(place)
    after = min(before + 1, len(ordered) - 1)
    return ordered[before] + (ordered[after] - ordered[before]) * (place - before)


# --- a month ---------------------------------------------------------------------------------------


def month_end(
    outlook: Outlook, *, today: date, spent: Decimal, so_far: Decimal, passed: float
) -> Forecast | None:
    """What the month of ``today`` will have cost.

    ``outlook`` is of the days up to yesterday, ``spent`` what those of this month cost as far as known,
    ``so_far`` what today has cost when the part ``passed`` of it was over. None without a day to go by.
    """
    month = today.replace(day=1)
    following = (month + timedelta(days=31)).replace(day=1)
    to_come = outlook.ahead((following - today).days, passed=passed)
    if to_come is None:
        return None
    missing, known = outlook.missing(month), spent + so_far
    # Days that are not known are as unsure as those to come.
    unsure = [end / to_come.expected if to_come.expected else 1.0 for end in to_come]
    low, expected, high = (
        known + _money(end + missing * share) for end, share in zip(to_come, unsure, strict=True)
    )
    return Forecast(month, known, low, expected, high, outlook.days, outlook.is_rough)


def _money(amount: float) -> Decimal:
    return Decimal(amount).quantize(CENT)
