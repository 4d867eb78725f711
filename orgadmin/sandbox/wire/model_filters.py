"""What `GET /models` can be narrowed to and sorted by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.errors import InvalidRequestError
from orgadmin.sandbox.market import traits
from orgadmin.sandbox.market.offers import offers, speeds
from orgadmin.sandbox.moments import DAY, seconds_of
from orgadmin.sandbox.wire.request import Call

Keep = Callable[[Model, str], bool]
Figure = Callable[[Model], float | None]

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
_ENUMS: Mapping[str, tuple[str, ...]] = {
    "category": traits.CATEGORIES,
    "distillable": ("true", "false"),
    "zdr": ("true",),
    "region": ("eu", "us"),
}


def per_million(model: Model, what: str) -> float | None:
    """Dollars a million tokens; None for what varies."""
    price = Decimal(model.prices[what]) * 1_000_000
    return None if price < 0 else float(price)


def _average_price(model: Model) -> float | None:
    prices = [per_million(model, what) for what in ("prompt", "completion")]
    return None if None in prices else sum(price or 0 for price in prices) / 2


def _fastest(place: int) -> Figure:
    def figure(model: Model) -> float | None:
        found = [speeds(offer)[place] for offer in offers(model)]
        return found[0] if found else None

    return figure


def _index(name: str) -> Figure:
    return lambda model: traits.index_of(model, name)


_KEEPS: Mapping[str, Keep] = {
    "category": lambda model, word: word in traits.categories(model),
    "supported_parameters": lambda model, words: set(_words(words)) <= set(model.parameters),
    "input_modalities": lambda model, words: set(_words(words)) <= set(model.takes),
    "q": lambda model, word: word.lower() in f"{model.name} {model.id}".lower(),
    "arch": lambda model, word: model.tokenizer.lower().startswith(word.lower()),
    "model_authors": lambda model, words: model.author in _words(words),
    "providers": lambda model, words: bool(
        set(_words(words)) & {offer.provider.endpoint_name for offer in offers(model)}
    ),
    "distillable": lambda model, word: traits.distillable(model) == (word == "true"),
    "zdr": lambda model, word: any(offer.keeps_nothing for offer in offers(model)),
    "region": lambda model, word: any(word in offer.provider.regions for offer in offers(model)),
}

_RANGES: Mapping[str, Figure] = {
    "price": lambda model: per_million(model, "prompt"),
    "output_price": lambda model: per_million(model, "completion"),
    "intelligence_index": _index("intelligence"),
    "coding_index": _index("coding"),
    "agentic_index": _index("agentic"),
    "tool_success_rate": traits.tool_success,
}
"""By the name behind `min_` and `max_`. A model without the figure is in no range."""

_SORTS: Mapping[str, tuple[Figure, int]] = {
    "most-popular": (traits.popularity, -1),
    "newest": (lambda model: model.created, -1),
    "top-weekly": (traits.popularity, -1),
    "pricing-low-to-high": (_average_price, 1),
    "pricing-high-to-low": (_average_price, -1),
    "context-high-to-low": (lambda model: model.context, -1),
    "throughput-high-to-low": (_fastest(1), -1),
    "latency-low-to-high": (_fastest(0), 1),
    "intelligence-high-to-low": (_index("intelligence"), -1),
    "coding-high-to-low": (_index("coding"), -1),
    "agentic-high-to-low": (_index("agentic"), -1),
    "design-arena-elo-high-to-low": (traits.elo, -1),
}


def of_modalities(call: Call, models: Iterable[Model]) -> list[Model]:
    """Only models that write, unless other output is asked for."""
    wanted = set(_words(call.query.get("output_modalities", "text")))
    return [model for model in models if "all" in wanted or wanted & set(model.gives)]


def filtered(call: Call, models: Iterable[Model]) -> list[Model]:
    """What the query lets through. Raises InvalidRequestError for a value that is none."""
    kept = of_modalities(call, models)
    for name, words in _ENUMS.items():
        if name in call.query and call.query[name] not in words:
            raise InvalidRequestError(f'Invalid "{name}": expected one of {", ".join(words)}')
    for name, keep in _KEEPS.items():
        if call.query.get(name):
            kept = [model for model in kept if keep(model, call.query[name])]
    if "context" in call.query:
        least = call.whole_number("context", default=1, low=1)
        kept = [model for model in kept if model.context >= least]
    for name, figure in {**_RANGES, "age_days": _age(call)}.items():
        kept = _within(call, name, figure, kept)
    return kept


def _age(call: Call) -> Figure:
    return lambda model: (seconds_of(call.now) - model.created) / DAY


def _within(call: Call, name: str, figure: Figure, models: list[Model]) -> list[Model]:
    low, high = (_bound(call, f"{end}_{name}") for end in ("min", "max"))
    if low is None and high is None:
        return models
    known = [(model, value) for model in models if (value := figure(model)) is not None]
    return [
        model for model, value in known if (low is None or value >= low) and (high is None or value <= high)
    ]


def _bound(call: Call, name: str) -> float | None:
    text = call.query.get(name)
    if not text or text == "null":
        return None
    if not _NUMBER.fullmatch(text) or (name.endswith("rate") and float(text) > 1):
        raise InvalidRequestError(f'Invalid "{name}": expected a number')
    return float(text)


def sorted_by(call: Call, models: list[Model]) -> list[Model]:
    """In the order asked for; what has no figure for it comes last."""
    sort = call.query.get("sort")
    if sort is None:
        return models
    if sort not in _SORTS:
        raise InvalidRequestError(f'Invalid "sort": expected one of {", ".join(_SORTS)}')
    figure, sign = _SORTS[sort]

    def place(model: Model) -> Any:
        value = figure(model)
        return (value is None, 0 if value is None else sign * value)

    return sorted(models, key=place)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
