"""How much is used, when: a pure function of a seed, a key's profile and the time.

Amounts are counted in grains of 64 nano-dollars, so that any split of an amount into 64ths (BYOK and
credit, model and provider) is exact at every hour and adds up to the nano-dollar. What a key has used up
to a moment is `pace` times the running sum of a series of day weights shared by many keys, so a range of
any length costs two look-ups and no key needs a table of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.moments import DAY, HOUR

GRAIN = 64
"""Nano-dollars in a grain, and parts into which every amount can be split exactly."""

ORIGIN = 19_723
"""Day number of Monday 1 January 2024: nothing is used before it."""

ORDINARY = 1_000
"""The weight of an ordinary day."""

VARIANTS = 12
"""Different series drawn for each shape."""

SURGE_LASTS = 9 * HOUR

_WEEKS = {
    "office": (1000, 1060, 1080, 1040, 900, 110, 70),
    "steady": (1000, 1010, 1015, 1010, 990, 860, 820),
    "nightly": (1000, 1000, 1000, 1000, 1000, 950, 400),
    "bursty": (1000, 1000, 1000, 1000, 900, 500, 500),
}
_CLOCKS = {
    "office": (0, 0, 0, 0, 0, 1, 4, 14, 40, 62, 70, 66, 52, 60, 72, 74, 66, 48, 30, 20, 14, 8, 3, 1),
    "steady": (
        30,
        26,
        24,
        23,
        24,
        28,
        34,
        42,
        52,
        60,
        64,
        64,
        62,
        64,
        66,
        66,
        64,
        60,
        56,
        52,
        48,
        44,
        38,
        34,
    ),
    "nightly": (40, 90, 100, 80, 30, 6, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 12),
    "bursty": (4, 2, 2, 1, 1, 2, 6, 14, 30, 44, 40, 30, 26, 34, 46, 40, 30, 24, 18, 16, 14, 12, 10, 6),
}
SHAPES = tuple(_WEEKS)
_CLOCK_SUMS = {shape: tuple(accumulate(weights, initial=0)) for shape, weights in _CLOCKS.items()}


@dataclass(frozen=True, slots=True)
class Profile:
    """The habits of one key.

    `pace` is grains on an ordinary day, `step` grains of an ordinary request, `own` the 64ths paid at a
    provider of one's own (BYOK), `shift` whole weeks by which the series is moved, `phase` seconds by
    which its requests come before the end of their share of an hour, `salt` its name among the dice.
    `free` says that only models without a price are used: its grains pass through and nobody is billed.
    `surge` grains come on top in the nine hours from `surge_at` on: a loop that nobody stopped.
    """

    shape: str
    variant: int
    shift: int
    pace: int
    step: int
    own: int
    phase: int
    salt: str
    free: bool = False
    surge: int = 0
    surge_at: int = 0

    @property
    def billed(self) -> int:
        """The 64ths of each grain that are paid from credits."""
        return 0 if self.free else GRAIN - self.own


@dataclass(slots=True)
class Series:
    """Running sums of day weights from ORIGIN on, drawn as far as they are asked for."""

    shape: str
    dice: Dice
    sums: list[int] = field(default_factory=lambda: [0])
    drift: float = 0.0

    def through(self, index: int) -> int:
        """The sum of the weights of the days before day `index`."""
        while len(self.sums) <= index:
            self.sums.append(self.sums[-1] + self._draw(len(self.sums) - 1))
        return self.sums[index]

    def _draw(self, index: int) -> int:
        dice = self.dice
        self.drift = 0.96 * self.drift + 0.05 * dice.bell()
        growth = 0.0009 * (index - 730)
        weight = _WEEKS[self.shape][index % 7] * math.exp(growth + self.drift + 0.12 * dice.bell())
        if self.shape == "bursty":
            weight *= 3.2 if dice.happens(0.22) else 0.08
        if dice.happens(0.006):
            weight *= dice.between(2.5, 6.0)
        return int(weight)


@lru_cache(maxsize=512)
def series(seed: int, shape: str, variant: int) -> Series:
    return Series(shape, Dice("series", seed, shape, variant))


def raw_grains(seed: int, profile: Profile, seconds: int) -> int:
    """What the habits alone have spent up to a moment (seconds since 1970), limits not considered."""
    habit = _habitual(seed, profile, seconds)
    if not profile.surge or seconds <= profile.surge_at:
        return habit
    # The loop sends a request every twenty seconds.
    elapsed = min(seconds - profile.surge_at, SURGE_LASTS) // 20
    return habit + profile.surge * elapsed // (SURGE_LASTS // 20)


def _habitual(seed: int, profile: Profile, seconds: int) -> int:
    """Inside an hour the amount arrives in steps of about one request, never as a smear."""
    day, rest = divmod(seconds, DAY)
    if day < ORIGIN:
        day, rest = ORIGIN, 0
    sums = series(seed, profile.shape, profile.variant)
    index = day - ORIGIN + 7 * profile.shift
    end = sums.through(index + 1)
    before = profile.pace * sums.sums[index] // ORDINARY
    today = profile.pace * end // ORDINARY - before
    hour, second = divmod(rest, HOUR)
    clock = _CLOCK_SUMS[profile.shape]
    start = today * clock[hour] // clock[24]
    if not second:
        return before + start
    amount = today * clock[hour + 1] // clock[24] - start
    steps = min(360, max(1, amount // profile.step))
    early = (profile.phase * (hour + 7)) % (HOUR // steps)
    return before + start + amount * ((second + early) * steps // HOUR) // steps
