"""What the requests of a lane are like: how many there are for the money, and how many tokens each has.

All numbers follow from the grains that went down the lane since Monday, by whole divisions only. So what
happened between two moments is a difference of two such numbers, and hours add up to days, days to ranges
and keys to the organization without a rest. What a request costs follows from its tokens and the prices of
its model, so money, requests and tokens tell one story.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.money import NANO
from orgadmin.sandbox.usage import GRAIN

_FEWEST_A_DAY = 25
_MANY_A_DAY = 8_000


class Counts(NamedTuple):
    """Requests and tokens; `reasoning` is part of `completion`, `cached` of `prompt`."""

    requests: int
    prompt: int
    completion: int
    reasoning: int
    cached: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """An ordinary request costs `cost` of what a grain is worth as `weight`. `prompt` and `completion` are
    its tokens, `cached` and `reasoning` 64ths of them; `saving` is nano-dollars for a cached token.

    `guarded` and `echoed` are thousandths of the requests: stopped by a guardrail, answered from the
    response cache. `web`, `file`, `fetch` and `data` are hundredths of the money: web search, file parsing,
    web fetch, and the discount for data logging. `latency` is milliseconds, `throughput` tokens a second.
    """

    weight: int
    cost: int
    prompt: int
    completion: int
    cached: int
    reasoning: int
    saving: int
    guarded: int
    echoed: int
    web: int
    file: int
    fetch: int
    data: int
    latency: int
    throughput: int

    def counts(self, grains: int) -> Counts:
        """Requests and tokens of the grains since Monday. Never fewer for more grains."""
        requests = -(-grains * self.weight // self.cost)
        # The remainders make requests uneven; they stay below one request and so never run backwards.
        prompt = requests * self.prompt + requests * 7_919 % (self.prompt // 2 + 1)
        completion = requests * self.completion + requests * 6_101 % (self.completion // 2 + 1)
        return Counts(
            requests, prompt, completion, completion * self.reasoning // GRAIN, prompt * self.cached // GRAIN
        )

    def counts_for(self, nano: int) -> Counts:
        """Requests and tokens of an amount that was booked at once."""
        return self.counts(max(1, nano // self.weight)) if nano > 0 else NOTHING


NOTHING = Counts(0, 0, 0, 0, 0)


class _Manner(NamedTuple):
    """How a key uses a model, whatever the week: a Traffic before it is scaled to the key's size."""

    prompt: int
    completion: int
    cached: int
    reasoning: int
    guarded: int
    echoed: int
    web: int
    file: int
    fetch: int
    data: int
    latency: float
    throughput: float


def paid_traffic(
    seed: int, salt: str, model: Model, provider: str, *, pace: int, parts: int, week: int
) -> Traffic:
    """The requests that a lane with so many parts (fee included) pays for."""
    manner = _manner(seed, salt, model.id, provider, model.parameters)
    prices = _prices(model)
    daily = pace * parts
    usual = _cost(manner.prompt, manner.completion, manner.cached, prices)
    scale = _scale(daily / max(1, usual))
    prompt = max(1, int(manner.prompt * scale))
    completion = max(1, int(manner.completion * scale))
    cost = max(1, min(_cost(prompt, completion, manner.cached, prices), daily // 4))
    return _traffic(manner, prices, week, salt, weight=parts, cost=cost, prompt=prompt, completion=completion)


def free_traffic(
    seed: int, salt: str, model: Model, provider: str, *, pace: int, daily: float, week: int
) -> Traffic:
    """About so many requests a day that nobody pays for; their number follows the key's grains."""
    manner = _manner(seed, salt, model.id, provider, model.parameters)
    cost = max(1, int(pace / daily))
    free = _Prices(0, 0, 0)
    return _traffic(
        manner, free, week, salt, weight=1, cost=cost, prompt=manner.prompt, completion=manner.completion
    )


def _scale(requests_a_day: float) -> float:
    """Small keys send shorter requests, big ones longer, so that no day has half a request or a million."""
    if requests_a_day < _FEWEST_A_DAY:
        return requests_a_day / _FEWEST_A_DAY
    return min(6.0, (requests_a_day / _MANY_A_DAY) ** 0.5) if requests_a_day > _MANY_A_DAY else 1.0


def _traffic(
    manner: _Manner,
    prices: _Prices,
    week: int,
    salt: str,
    *,
    weight: int,
    cost: int,
    prompt: int,
    completion: int,
) -> Traffic:
    mood = Dice("mood", salt, week)
    return Traffic(
        weight=weight,
        cost=cost,
        prompt=prompt,
        completion=completion,
        cached=manner.cached,
        reasoning=manner.reasoning,
        saving=round(prices.cached - prices.prompt),
        guarded=manner.guarded,
        echoed=manner.echoed,
        web=manner.web,
        file=manner.file,
        fetch=manner.fetch,
        data=manner.data,
        latency=int(manner.latency * mood.between(0.85, 1.2)),
        throughput=int(manner.throughput * mood.between(0.9, 1.1)),
    )


class _Prices(NamedTuple):
    """Nano-dollars a token."""

    prompt: float
    completion: float
    cached: float


def _prices(model: Model) -> _Prices:
    prompt, completion = (float(Decimal(model.prices[name]) * NANO) for name in ("prompt", "completion"))
    cached = model.prices.get("input_cache_read")
    return _Prices(prompt, completion, float(Decimal(cached) * NANO) if cached else prompt)


def _cost(prompt: int, completion: int, cached: int, prices: _Prices) -> int:
    read = prompt * cached / GRAIN
    return int((prompt - read) * prices.prompt + read * prices.cached + completion * prices.completion) or 1


@lru_cache(maxsize=20_000)
def _manner(seed: int, salt: str, model: str, provider: str, parameters: tuple[str, ...]) -> _Manner:
    habit = Dice("requests", seed, salt)
    dice = Dice("requests", seed, salt, model, provider)
    thinks = "reasoning" in parameters
    prompt = habit.between(300, 4_000) * (3.0 if habit.happens(0.2) else 1.0)
    completion = habit.between(60, 900) * (2.2 if thinks else 1.0)
    return _Manner(
        prompt=int(prompt * dice.between(0.7, 1.3)),
        completion=int(completion * dice.between(0.7, 1.3)),
        cached=habit.pick((0, 0, 6, 18, 34, 50)),
        reasoning=int(dice.between(14, 50)) if thinks else 0,
        guarded=habit.pick((0, 0, 0, 2, 9, 25)),
        echoed=habit.pick((0, 0, 0, 0, 40, 150)),
        web=12 if habit.happens(0.12) else 0,
        file=5 if habit.happens(0.08) else 0,
        fetch=3 if habit.happens(0.06) else 0,
        data=1 if habit.happens(0.05) else 0,
        latency=dice.between(350, 1_600) * (2.4 if thinks else 1.0),
        throughput=dice.between(28, 140) * (3.0 if provider == "groq" else 1.0),
    )
