"""What a guardrail would have refused of what was used: pure, over sums of use.

A provider that is not allowed does not always mean a refusal: OpenRouter would have asked another one. So
dollars that only the provider speaks against are told apart from those that the model does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from orgadmin.policy.layers import Layer, zdr_group

# Whether a provider keeps no data of a model; None where that is not known.
IsZdr = Callable[[str, str], bool | None]


@dataclass(frozen=True)
class Used:
    """What one subject used of a model at a provider (slug; "" where it is not known): US dollars, credits
    and BYOK together."""

    subject: int
    model: str
    provider: str
    dollars: Decimal
    requests: int


@dataclass(frozen=True)
class Hit:
    """Use that the guardrail speaks against: by ``rule`` "model", "provider" or "zdr". ``is_certain``: false
    where it depends on something that is not known."""

    used: Used
    rule: str
    is_certain: bool = True


@dataclass(frozen=True)
class Impact:
    """Of one subject: all it used, what no allowed model would have served, and what would have had to go to
    another provider."""

    dollars: Decimal = Decimal(0)
    refused: Decimal = Decimal(0)
    rerouted: Decimal = Decimal(0)
    hits: tuple[Hit, ...] = ()


def hit(layer: Layer, used: Used, is_zdr: IsZdr) -> Hit | None:
    """The first rule that speaks against this use; None where none does."""
    if layer.allowed_models is not None and used.model not in layer.allowed_models:
        return Hit(used, "model")
    if used.model in layer.ignored_models:
        return Hit(used, "model")
    asks_provider = layer.allowed_providers is not None or bool(layer.ignored_providers)
    if asks_provider and not used.provider:
        return Hit(used, "provider", is_certain=False)
    if layer.allowed_providers is not None and used.provider not in layer.allowed_providers:
        return Hit(used, "provider")
    if used.provider in layer.ignored_providers:
        return Hit(used, "provider")
    if zdr_group(used.model) in layer.zdr:
        keeps_nothing = is_zdr(used.model, used.provider) if used.provider else None
        return None if keeps_nothing else Hit(used, "zdr", is_certain=keeps_nothing is not None)
    return None


def impacts(layer: Layer, use: Iterable[Used], is_zdr: IsZdr) -> dict[int, Impact]:
    """What the guardrail would have meant for each subject that used anything; its hits largest first."""
    found: dict[int, Impact] = {}
    for used in use:
        before = found.get(used.subject, Impact())
        against = hit(layer, used, is_zdr)
        found[used.subject] = Impact(
            dollars=before.dollars + used.dollars,
            refused=before.refused + (used.dollars if against and against.rule == "model" else 0),
            rerouted=before.rerouted + (used.dollars if against and against.rule != "model" else 0),
            hits=(*before.hits, against) if against else before.hits,
        )
    return {
        subject: replace(impact, hits=tuple(sorted(impact.hits, key=lambda one: -one.used.dollars)))
        for subject, impact in found.items()
    }
