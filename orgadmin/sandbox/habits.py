"""The spending habits of keys: a few heavy ones, a long tail."""

from __future__ import annotations

import math

from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.moments import HOUR
from orgadmin.sandbox.money import NANO
from orgadmin.sandbox.usage import GRAIN, SHAPES, VARIANTS, Profile

_SHAPE_WEIGHTS = (46, 30, 12, 12)
assert len(_SHAPE_WEIGHTS) == len(SHAPES)


def profile(dice: Dice, *, daily: float, salt: str, own: int = 0) -> Profile:
    """Habits worth about `daily` dollars on an ordinary day, `own` 64ths of them BYOK."""
    shape = dice.weighted(SHAPES, _SHAPE_WEIGHTS)
    request = dice.between(0.0004, 0.03) * max(1.0, math.sqrt(daily))
    return Profile(
        shape=shape,
        variant=dice.below(VARIANTS),
        shift=dice.below(40),
        pace=max(1, round(daily * NANO / GRAIN)),
        step=max(1, round(request * NANO / GRAIN)),
        own=own,
        phase=dice.below(HOUR),
        salt=salt,
    )


def daily_dollars(dice: Dice) -> float:
    """What an ordinary key spends a day: the median is 60 cents, one in fifty spends over 20 dollars."""
    return min(180.0, math.exp(dice.bell() * 1.7 - 0.5))


def newcomer(seed: int, key_hash: str) -> Profile:
    """A key made while the twin runs: small at first, so that its counters move but shout at nobody."""
    dice = Dice("newcomer", seed, key_hash)
    return profile(dice, daily=dice.between(0.3, 4.0), salt=key_hash)
