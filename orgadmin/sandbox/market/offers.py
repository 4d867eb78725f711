"""Offers: a model at a provider, with a price, limits and a state of health."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.dice import Dice
from orgadmin.sandbox.market.providers import Provider, providers
from orgadmin.sandbox.moments import HOUR

_FACTORS = ("0.8", "0.9", "1", "1", "1.1", "1.25", "1.5")
_SPREAD = ("amazon-bedrock", "google-vertex", "azure")
_QUANTIZATIONS = ("fp8", "fp8", "bf16", "fp4", "int8", None)
_TROUBLES = (-1, -2, -3, -5, -10)


@dataclass(frozen=True, slots=True)
class Offer:
    """One endpoint. `factor` times the model's prices is what it costs; `tag` is how requests name it."""

    model: Model
    provider: Provider
    tag: str
    quantization: str | None
    factor: Decimal
    discount: float
    context: int

    @property
    def keeps_nothing(self) -> bool:
        return self.provider.keeps_nothing

    def prices(self) -> dict[str, Any]:
        """Decimal texts by what is paid for. Those of a router say -1: it varies."""
        prices: dict[str, Any] = {
            name: _times(price, self.factor) for name, price in self.model.prices.items()
        }
        if self.discount:
            prices["discount"] = self.discount
        if long := _long_prompts(self.model, prices):
            prices["overrides"] = [long]
        return prices


def offers(model: Model) -> list[Offer]:
    """Who serves a model, the top provider first. An alias is served as what it stands for is."""
    made = []
    for place, slug in enumerate(model.providers):
        provider = providers()[slug]
        dice = Dice("offer", model.alias_of or model.id, slug)
        made.append(_offer(model, provider, dice, place))
        if slug in _SPREAD and dice.happens(0.5):
            first = made[-1]
            made.append(
                Offer(model, provider, f"{slug}/eu", first.quantization, Decimal("1.1"), 0, first.context)
            )
    return made


def _offer(model: Model, provider: Provider, dice: Dice, place: int) -> Offer:
    own = model.weights is None or provider.slug.startswith(model.author.lstrip("~")[:5])
    quantization = None if own else dice.pick(_QUANTIZATIONS)
    factor = Decimal(dice.pick(_FACTORS)) if place else Decimal(1)
    return Offer(
        model=model,
        provider=provider,
        tag=provider.slug if quantization is None else f"{provider.slug}/{quantization}",
        quantization="unknown" if quantization is None and not own else quantization,
        factor=factor,
        discount=dice.pick((0.1, 0.25, 0.5)) if model.costs and dice.happens(0.04) else 0,
        context=model.context if place == 0 or dice.happens(0.7) else max(4_096, model.context // 2),
    )


def top_prices(model: Model) -> dict[str, Any]:
    """What a model is said to cost: what its top provider takes."""
    made = offers(model)
    return made[0].prices() if made else dict(model.prices)


def _times(price: str, factor: Decimal) -> str:
    if factor == 1 or Decimal(price) <= 0:
        return price
    return format((Decimal(price) * factor).normalize(), "f")


def _long_prompts(model: Model, prices: dict[str, Any]) -> dict[str, Any] | None:
    """Some models cost more from 200,000 tokens on."""
    if model.context < 1_000_000 or not model.costs or not Dice("long", model.id).happens(0.5):
        return None
    return {
        "min_prompt_tokens": 200_000,
        "prompt": _times(prices["prompt"], Decimal(2)),
        "completion": _times(prices["completion"], Decimal("1.5")),
    }


def health(offer: Offer, seconds: int, *, figures: bool) -> dict[str, Any]:
    """How an endpoint fares; it changes from hour to hour. `figures` says that the caller may see speeds."""
    dice = Dice("health", offer.model.slug, offer.tag, seconds // HOUR)
    quiet = dice.happens(0.05)
    uptimes = [None if quiet else round(100 - dice.unit() ** 6 * 12, 2) for _ in range(3)]
    busy = figures and not quiet and not dice.happens(0.1)
    latency, throughput = speeds(offer)
    return {
        "status": dice.pick(_TROUBLES) if dice.happens(0.04) else 0,
        "uptime_last_5m": uptimes[0],
        "uptime_last_30m": uptimes[1],
        "uptime_last_1d": uptimes[2],
        "latency_last_30m": percentiles(latency, (1, 1.3, 1.9, 3.4)) if busy else None,
        "throughput_last_30m": percentiles(throughput, (1, 0.85, 0.6, 0.35)) if busy else None,
    }


def speeds(offer: Offer) -> tuple[float, float]:
    """Milliseconds to the first token and tokens a second, at the median."""
    dice = Dice("speed", offer.model.slug, offer.tag)
    return dice.between(180, 2_400), dice.between(12, 240)


def percentiles(median: float, factors: tuple[float, float, float, float]) -> dict[str, float]:
    names = ("p50", "p75", "p90", "p99")
    return {name: round(median * factor, 2) for name, factor in zip(names, factors, strict=True)}
