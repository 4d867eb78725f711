"""Whether a model may be used under some layers and budgets: allowed as far as can be known, refused and by
which rule, or not knowable and why.

An answer is only as good as what OpenRouter tells: the privacy settings of the account are a ceiling over
all of this and are in no API.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from orgadmin.policy.layers import Budget, Layer, Rules, combine, zdr_group

NO_PROVIDER = "no provider is left that the rules for providers and ZDR allow"


class Outcome(IntEnum):
    """From the strictest on: of several, the least counts."""

    REFUSED = 0
    UNKNOWN = 1
    ALLOWED = 2


@dataclass(frozen=True)
class Endpoint:
    """One provider of a model, by slug; "" where nobody can tell whose it is. ``is_zdr``: keeps no data; None
    where OpenRouter does not say."""

    provider: str
    is_zdr: bool | None = None


@dataclass(frozen=True)
class Offered:
    """A model as the catalog has it, by permaslug; ``endpoints`` is None where they were never told."""

    permaslug: str
    endpoints: tuple[Endpoint, ...] | None = None


@dataclass(frozen=True, order=True)
class Reason:
    """One rule that speaks against the model, and whose it is: the name of a guardrail or of a budget."""

    outcome: Outcome
    rule: str
    source: str


@dataclass(frozen=True)
class Verdict:
    """``reasons`` are those for the outcome, none where the model is allowed."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()


def verdict(model: Offered, layers: Iterable[Layer], budgets: Iterable[Budget] = ()) -> Verdict:
    """The answer for one model, with every rule that led to it."""
    ordered = sorted(layers, key=lambda layer: layer.source)
    reasons = {
        *_of_lists(model, ordered),
        *_of_endpoints(model, ordered),
        *_of_data(ordered),
        *_of_budgets(budgets),
    }
    outcome = min((reason.outcome for reason in reasons), default=Outcome.ALLOWED)
    return Verdict(outcome, tuple(sorted(reason for reason in reasons if reason.outcome == outcome)))


def places(model: Offered, layers: Iterable[Layer]) -> list[tuple[Endpoint, Outcome]]:
    """Each endpoint of a model, and what the rules for providers and ZDR make of it."""
    rules = combine(layers)
    wants_zdr = zdr_group(model.permaslug) in rules.zdr
    return [(endpoint, _at(endpoint, rules, wants_zdr)) for endpoint in model.endpoints or ()]


def remaining(models: Iterable[Offered], layers: Iterable[Layer]) -> list[tuple[Offered, Outcome]]:
    """The models that no rule refuses, with what is known of each; budgets left aside."""
    rules = combine(layers)
    found = ((model, _outcome(model, rules)) for model in models)
    return [(model, outcome) for model, outcome in found if outcome is not Outcome.REFUSED]


def _outcome(model: Offered, rules: Rules) -> Outcome:
    slug = model.permaslug
    is_listed = rules.allowed_models is None or slug in rules.allowed_models
    if not is_listed or slug in rules.ignored_models or rules.is_empty_list:
        return Outcome.REFUSED
    outcome = _reachable(model, rules)
    return min(outcome, Outcome.UNKNOWN) if _asks_what_nobody_tells(rules) else outcome


def _asks_what_nobody_tells(rules: Rules | Layer) -> bool:
    """Whether it matters who trains on data or where data is kept: no endpoint says so in the API."""
    return bool(rules.forbidden) or rules.regions is not None


def _reachable(model: Offered, rules: Rules) -> Outcome:
    """Whether an endpoint is left, as far as the endpoints are known."""
    wants_zdr = zdr_group(model.permaslug) in rules.zdr
    if model.endpoints is None:
        asks_something = rules.allowed_providers is not None or rules.ignored_providers or wants_zdr
        return Outcome.UNKNOWN if asks_something else Outcome.ALLOWED
    return max((_at(endpoint, rules, wants_zdr) for endpoint in model.endpoints), default=Outcome.REFUSED)


def _at(endpoint: Endpoint, rules: Rules, wants_zdr: bool) -> Outcome:
    if not wants_zdr or endpoint.is_zdr:
        return _of_provider(endpoint.provider, rules)
    return (
        Outcome.REFUSED
        if endpoint.is_zdr is False
        else min(Outcome.UNKNOWN, _of_provider(endpoint.provider, rules))
    )


def _of_provider(provider: str, rules: Rules) -> Outcome:
    allowed = rules.allowed_providers
    if not provider and (allowed is not None or rules.ignored_providers):
        return Outcome.UNKNOWN
    if (allowed is not None and provider not in allowed) or provider in rules.ignored_providers:
        return Outcome.REFUSED
    return Outcome.ALLOWED


# --- reasons ---


def _of_lists(model: Offered, layers: Sequence[Layer]) -> Iterable[Reason]:
    for layer in layers:
        name = layer.source.name
        if layer.allowed_models is not None and model.permaslug not in layer.allowed_models:
            yield Reason(Outcome.REFUSED, "is not among the allowed models", name)
        if model.permaslug in layer.ignored_models:
            yield Reason(Outcome.REFUSED, "is among the ignored models", name)


def _of_data(layers: Sequence[Layer]) -> Iterable[Reason]:
    for layer in layers:
        name = layer.source.name
        if layer.forbidden:
            yield Reason(
                Outcome.UNKNOWN, "whether its providers train on data or publish it is in no API", name
            )
        if layer.regions is not None:
            yield Reason(Outcome.UNKNOWN, "where its providers keep data is in no API", name)


def _of_endpoints(model: Offered, layers: Sequence[Layer]) -> Iterable[Reason]:
    """Each layer that leaves no endpoint by itself; where only all together do, all that take one away."""
    rules = combine(layers)
    if rules.is_empty_list:
        yield Reason(Outcome.REFUSED, "the lists of what is allowed have nothing in common", _names(layers))
    outcome = _reachable(model, rules)
    if outcome is Outcome.ALLOWED:
        return
    alone = [layer for layer in layers if _reachable(model, combine([layer])) <= outcome]
    if outcome is Outcome.UNKNOWN:
        yield Reason(outcome, _unknown(model), _names(alone or layers))
    elif not model.endpoints:
        yield Reason(outcome, "no provider offers it at this moment", "OpenRouter")
    elif alone:
        for layer in alone:
            yield Reason(outcome, NO_PROVIDER, layer.source.name)
    else:
        yield Reason(
            outcome, "together they leave no provider", _names(layer for layer in layers if _narrows(layer))
        )


def _unknown(model: Offered) -> str:
    if model.endpoints is None:
        return "its providers are not known here"
    if not all(endpoint.provider for endpoint in model.endpoints):
        return "who serves it is not known for all of its endpoints"
    return "whether its providers keep data is not known"


def _narrows(layer: Layer) -> bool:
    return layer.allowed_providers is not None or bool(layer.ignored_providers or layer.zdr)


def _names(layers: Iterable[Layer]) -> str:
    return ", ".join(dict.fromkeys(layer.source.name for layer in layers))


def _of_budgets(budgets: Iterable[Budget]) -> Iterable[Reason]:
    for budget in budgets:
        if budget.is_used_up:
            yield Reason(Outcome.REFUSED, f"the {_window(budget)} is used up", budget.name)
        elif budget.is_used_up is None:
            yield Reason(
                Outcome.UNKNOWN, f"how much of the {_window(budget)} is used is not known", budget.name
            )


def _window(budget: Budget) -> str:
    return f"{budget.interval or 'lifetime'} {budget.scope}"
