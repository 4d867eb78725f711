"""Which models and providers a key's money goes to, hour by hour, to the nano-dollar.

Every key has a handful of lanes (a model at a provider). A week fixes how many 64ths of each grain go down
each lane, so any amount of grains splits without a rest, and whatever is summed up from here agrees with
the counters of the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from orgadmin.sandbox.catalog import Model, models
from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.ledger import Ledger
from orgadmin.sandbox.moments import HOUR, window_start
from orgadmin.sandbox.usage import GRAIN, Profile

_FAVOURITES = {"anthropic": 9.0, "openai": 9.0, "google": 7.0, "deepseek": 3.0, "x-ai": 2.5, "qwen": 2.0}


@dataclass(frozen=True, slots=True)
class Lane:
    """`parts` of 64 go to this model at this provider; `byok` says that they are paid there directly."""

    model: Model
    provider: str
    parts: int
    byok: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """What went down one lane in the hour that began at `hour` (seconds since 1970), in nano-dollars."""

    hour: int
    model: Model
    provider: str
    byok: bool
    nano: int


def slices(ledger: Ledger, start: int, end: int) -> Iterator[Slice]:
    """Everything a key spent from `start` to before `end`, both at full hours; empty slices are left out."""
    before = ledger.grains(start)
    for hour in range(start, end, HOUR):
        after = ledger.grains(hour + HOUR)
        if after > before:
            for lane in lanes(ledger.seed, ledger.profile, window_start("weekly", hour)):
                yield Slice(hour, lane.model, lane.provider, lane.byok, lane.parts * (after - before))
        before = after
    for gift in ledger.gifts:
        if start <= gift.at < end:
            hour = gift.at - gift.at % HOUR
            model, provider = _choices(ledger.seed, ledger.profile)[0]
            for byok, nano in ((False, gift.amounts.usage), (True, gift.amounts.byok)):
                if nano:
                    yield Slice(hour, model, provider, byok, nano)


@lru_cache(maxsize=20_000)
def lanes(seed: int, profile: Profile, week: int) -> tuple[Lane, ...]:
    """The lanes of a key in the week that begins at `week`; their parts add up to 64."""
    choices = _choices(seed, profile)
    dice = Dice("lanes", seed, profile.salt, week)
    paid = _shares(dice, len(choices), GRAIN - profile.own)
    own = _shares(dice, min(2, len(choices)), profile.own)
    return tuple(
        Lane(model, provider, parts, byok)
        for byok, shares in ((False, paid), (True, own))
        for (model, provider), parts in zip(choices, shares, strict=False)
        if parts
    )


def _shares(dice: Dice, count: int, total: int) -> list[int]:
    """`total` in `count` uneven pieces; the first is the favourite."""
    pieces = []
    left = total
    for _ in range(count - 1):
        pieces.append(int(left * dice.between(0.35, 0.8)))
        left -= pieces[-1]
    return [*pieces, left]


@lru_cache(maxsize=20_000)
def _choices(seed: int, profile: Profile) -> tuple[tuple[Model, str], ...]:
    """One to four models that a key was written for, each at one of its providers."""
    dice = Dice("models", seed, profile.salt)
    paid = [model for model in models() if model.costs and model.providers]
    weights = [_FAVOURITES.get(model.author, 0.7) / (8 + rank) for rank, model in enumerate(paid)]
    count = dice.weighted((1, 2, 3, 4), (35, 35, 20, 10))
    chosen = {dice.weighted(paid, weights).id for _ in range(count)}
    return tuple((model, dice.pick(model.providers)) for model in paid if model.id in chosen)
