"""What models and their endpoints have in common: prices, what goes in and comes out, percentiles.

Prices are US dollars per single token, request or image. A router says -1 of a price, which means that it
varies and must never be added up: it is None here. Zero is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from orgadmin.openrouter.addresses import path
from orgadmin.openrouter.reading import MisfitError, figure


def _price(value: Any) -> Decimal | None:
    price = figure(value)
    return price if price >= 0 else None


def _moment(value: Any) -> datetime:
    seconds = figure(value)
    try:
        return datetime.fromtimestamp(int(seconds), tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise MisfitError("") from None


Price = Annotated[Decimal | None, _price]
UnixMoment = Annotated[datetime, _moment]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingOverride:
    """Prices that hold under conditions, all of which must be met: above `min_prompt_tokens` (strictly),
    within the UTC clock window from `utc_start` to before `utc_end` (HHMM numbers; it may wrap midnight), on
    `utc_days`. Of several that apply the later wins, price by price.
    """

    min_prompt_tokens: Decimal | None = None
    utc_start: Decimal | None = None
    utc_end: Decimal | None = None
    utc_days: tuple[str, ...] | None = None
    prompt: Price = None
    completion: Price = None
    audio: Price = None
    input_audio_cache: Price = None
    input_cache_read: Price = None
    input_cache_write: Price = None
    input_cache_write_1h: Price = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """US dollars by what is paid for. `prompt` and `completion` are None when they vary; another price is
    None when it varies or does not apply. `discount` is a fraction: what is paid is the price times one minus
    it.
    """

    prompt: Price
    completion: Price
    request: Price = None
    image: Price = None
    image_token: Price = None
    image_output: Price = None
    audio: Price = None
    audio_output: Price = None
    input_audio_cache: Price = None
    web_search: Price = None
    internal_reasoning: Price = None
    input_cache_read: Price = None
    input_cache_write: Price = None
    input_cache_write_1h: Price = None
    discount: Decimal | None = None
    overrides: tuple[PricingOverride, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def varies(self) -> bool:
        """Whether what a token costs depends on where a router sends the request."""
        return self.prompt is None or self.completion is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What goes into a model and comes out of it: `text`, `image`, `file`, `audio`, `video`, `embeddings` and
    whatever upstream thinks of next.
    """

    modality: str | None
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    tokenizer: str | None = None
    instruct_type: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Milliseconds to the first token, or tokens a second, over the last half hour."""

    p50: Decimal
    p75: Decimal
    p90: Decimal
    p99: Decimal
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def below(model_id: str, *, before: tuple[str, ...], after: tuple[str, ...] = ()) -> str:
    """The path of a model, whose id is `author/slug` with or without a `:variant`. ValueError for another."""
    author, slash, slug = model_id.partition("/")
    if not slash or "/" in slug:
        raise ValueError("A model’s id is its author, a slash and its slug.")
    return path(*before, author, slug, *after)
