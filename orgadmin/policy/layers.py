"""The guardrails that apply to one subject, and how they combine (FACTS 3.2, 3.3).

Lists of what is allowed are intersected, lists of what is ignored united, zero data retention is asked for as
soon as one layer asks, of two filters the stronger action counts. So the order of layers never matters, and
one more never allows more. Budgets are not merged: each is counted on its own, and the first that is used up
blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce

# Whose models a ZDR switch covers, by the author in a model's slug; "other" is everybody else's.
ZDR_AUTHORS: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "google",
    "x-ai": "xai",
}
OTHER = "other"
ZDR_GROUPS = (*ZDR_AUTHORS.values(), OTHER)
# From the weakest to the strongest. What we do not know is taken for the strongest.
ACTIONS = ("flag", "redact", "block")
# Switches that forbid when they are off: endpoints that train on paid or free use, and that publish prompts.
SWITCHES = ("paid_training", "free_training", "free_publication")


@dataclass(frozen=True, order=True)
class Source:
    """Where a rule comes from. ``rank``: 0 the workspace's default guardrail, 1 the member's, 2 the key's."""

    rank: int
    name: str
    uid: str = ""


@dataclass(frozen=True)
class Layer:
    """One guardrail as it applies. Models by permaslug, providers by slug; None: no list, everything goes.
    ``zdr`` are the groups that it is enforced for, ``forbidden`` the switches that are off, ``filters`` what
    is looked for and what happens then."""

    source: Source
    allowed_models: frozenset[str] | None = None
    ignored_models: frozenset[str] = frozenset()
    allowed_providers: frozenset[str] | None = None
    ignored_providers: frozenset[str] = frozenset()
    zdr: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    regions: frozenset[str] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """A limit in US dollars and how much of it is used in its window; None where that is not known.

    ``scope`` says of what: a key's limit, a guardrail's for one key or member, a workspace's pool.
    ``interval`` is daily, weekly, monthly, or None for ever.
    """

    scope: str
    name: str
    limit: Decimal
    interval: str | None
    includes_byok: bool
    used: Decimal | None

    @property
    def is_used_up(self) -> bool | None:
        """None where nobody can tell."""
        return None if self.used is None else self.used >= self.limit


@dataclass(frozen=True)
class Rules:
    """What all layers together say; the shape is that of a layer."""

    allowed_models: frozenset[str] | None = None
    ignored_models: frozenset[str] = frozenset()
    allowed_providers: frozenset[str] | None = None
    ignored_providers: frozenset[str] = frozenset()
    zdr: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    regions: frozenset[str] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty_list(self) -> bool:
        """Whether the allowed models, providers or regions have nothing in common: everything is refused."""
        return frozenset() in (self.allowed_models, self.allowed_providers, self.regions)


def combine(layers: Iterable[Layer]) -> Rules:
    """The rules of all layers, in whatever order they come."""
    return reduce(_with, layers, Rules())


def _with(rules: Rules, layer: Layer) -> Rules:
    return Rules(
        allowed_models=_in_both(rules.allowed_models, layer.allowed_models),
        ignored_models=rules.ignored_models | layer.ignored_models,
        allowed_providers=_in_both(rules.allowed_providers, layer.allowed_providers),
        ignored_providers=rules.ignored_providers | layer.ignored_providers,
        zdr=rules.zdr | layer.zdr,
        forbidden=rules.forbidden | layer.forbidden,
        regions=_in_both(rules.regions, layer.regions),
        filters={
            name: stronger(rules.filters.get(name), layer.filters.get(name))
            for name in {*rules.filters, *layer.filters}
        },
    )


def _in_both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def stronger(one: str | None, other: str | None) -> str:
    return max((action for action in (one, other) if action is not None), key=strength)


def strength(action: str) -> tuple[int, str]:
    """For comparing; actions that upstream invents later are stronger than those we know."""
    return (ACTIONS.index(action) if action in ACTIONS else len(ACTIONS), action)


def zdr_group(permaslug: str) -> str:
    """Which ZDR switch covers a model."""
    return ZDR_AUTHORS.get(permaslug.partition("/")[0].lstrip("~"), OTHER)
