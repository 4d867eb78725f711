"""Which models and providers a key's use goes to, week by week, to the nano-dollar.

Every key has a handful of lanes (a model at a provider). A week fixes how many 64ths of each grain go down
each lane, so any amount of grains splits without a rest, and whatever is summed up from here agrees with
the counters of the key. Which models they are changes from quarter to quarter, as newer ones come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from orgadmin.sandbox.catalog import Model, models
from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.moments import DAY
from orgadmin.sandbox.traffic import Traffic, free_traffic, paid_traffic
from orgadmin.sandbox.usage import GRAIN, ORIGIN, Profile

QUARTER = 13 * 7 * DAY
"""The seconds after which a key may turn to other models."""

_FAVOURITES = {"anthropic": 9.0, "openai": 9.0, "google": 7.0, "deepseek": 3.0, "x-ai": 2.5, "qwen": 2.0}


@dataclass(frozen=True, slots=True)
class Lane:
    """`parts` of 64 go to this model at this provider; `byok` says that they are paid there directly, and
    `fee` parts are then billed to credits for it. A lane without parts is that of a free model."""

    model: Model
    provider: str
    parts: int
    byok: bool
    fee: int
    traffic: Traffic


@lru_cache(maxsize=60_000)
def lanes(seed: int, profile: Profile, week: int) -> tuple[Lane, ...]:
    """The lanes of a key in the week that begins at `week`; parts and fees add up to 64, or to 0 for a key
    that uses free models only."""
    return (*_paid_lanes(seed, profile, week), *_free_lanes(seed, profile, week))


def _paid_lanes(seed: int, profile: Profile, week: int) -> Iterator[Lane]:
    if profile.free:
        return
    choices = _choices(seed, profile.salt, _quarter(week))
    dice = Dice("lanes", seed, profile.salt, week)
    fee = min(GRAIN - profile.own, round(profile.own * 0.05))
    paid = _shares(dice, len(choices), GRAIN - profile.own - fee)
    own = _shares(dice, min(2, len(choices)), profile.own)
    for byok, shares in ((False, paid), (True, own)):
        for number, ((model, provider), parts) in enumerate(zip(choices, shares, strict=False)):
            if parts:
                part_of_fee = fee if byok and number == 0 else 0
                manner = paid_traffic(
                    seed,
                    profile.salt,
                    model,
                    provider,
                    pace=profile.pace,
                    parts=parts + part_of_fee,
                    week=week,
                )
                yield Lane(model, provider, parts, byok, part_of_fee, manner)


def _free_lanes(seed: int, profile: Profile, week: int) -> Iterator[Lane]:
    dice = Dice("free models", seed, profile.salt, _quarter(week))
    if not profile.free and not Dice("tries free models", seed, profile.salt).happens(0.3):
        return
    offer = _offered(_quarter(week), free=True)
    for _ in range(2 if profile.free else 1):
        model = dice.pick(offer)
        provider = dice.pick(model.providers)
        daily = dice.between(40, 900) if profile.free else dice.between(4, 150)
        manner = free_traffic(seed, profile.salt, model, provider, pace=profile.pace, daily=daily, week=week)
        yield Lane(model, provider, 0, False, 0, manner)


def _shares(dice: Dice, count: int, total: int) -> list[int]:
    """`total` in `count` uneven pieces; the first is the favourite."""
    pieces = []
    left = total
    for _ in range(count - 1):
        pieces.append(int(left * dice.between(0.35, 0.8)))
        left -= pieces[-1]
    return [*pieces, left]


def _quarter(week: int) -> int:
    return max(0, (week - ORIGIN * DAY) // QUARTER)


@lru_cache(maxsize=20_000)
def _choices(seed: int, salt: str, quarter: int) -> tuple[tuple[Model, str], ...]:
    """One to four models that a key uses in a quarter, each at one of its providers, the favourite first."""
    count = Dice("models", seed, salt).weighted((1, 2, 3, 4), (35, 35, 20, 10))
    chosen: dict[str, tuple[Model, str]] = {}
    for place in range(count):
        model, provider = _choice(seed, salt, place, quarter)
        chosen.setdefault(model.id, (model, provider))
    return tuple(chosen.values())


def _choice(seed: int, salt: str, place: int, quarter: int) -> tuple[Model, str]:
    """What was chosen for a place when somebody last looked for something better."""
    since = quarter
    while since and not Dice("looks around", seed, salt, place, since).happens(0.3):
        since -= 1
    model, provider = _chosen_in(seed, salt, place, since)
    # A model that has gone since is replaced by what is on offer now.
    return (model, provider) if _there(model, quarter) else _chosen_in(seed, salt, place, quarter)


def _chosen_in(seed: int, salt: str, place: int, quarter: int) -> tuple[Model, str]:
    dice = Dice("model", seed, salt, place, quarter)
    offer = _offered(quarter, free=False)
    point = dice.unit() * _weights(quarter)[-1]
    model = next(model for model, reach in zip(offer, _weights(quarter), strict=True) if point < reach)
    return model, dice.pick(model.providers)


@lru_cache(maxsize=200)
def _offered(quarter: int, *, free: bool) -> tuple[Model, ...]:
    """The models with a price (or without one) that somebody could choose in a quarter, newest first."""
    usable = [model for model in models() if model.costs != free and model.providers]
    there = [model for model in usable if _there(model, quarter)]
    return tuple(there or usable)


@lru_cache(maxsize=200)
def _weights(quarter: int) -> tuple[float, ...]:
    """Running sums of how much the offered models are liked: the newer the better."""
    offer = _offered(quarter, free=False)
    return tuple(
        accumulate(_FAVOURITES.get(model.author, 0.7) / (8 + rank) for rank, model in enumerate(offer))
    )


def _there(model: Model, quarter: int) -> bool:
    start = ORIGIN * DAY + quarter * QUARTER
    return model.created <= start and (model.gone is None or model.gone >= start + QUARTER)
