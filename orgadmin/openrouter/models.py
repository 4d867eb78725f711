from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.model_catalog import Architecture, Pricing, UnixMoment, below
from orgadmin.openrouter.paging import Unrepeated
from orgadmin.openrouter.reading import read_count, read_data, read_list
from orgadmin.openrouter.transport import OpenRouter

LARGEST_PAGE = 1_000
ALL = ("all",)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopProvider:
    """The endpoint that a model's price and limits are taken from. Lengths are tokens."""

    is_moderated: bool
    context_length: int | None = None
    max_completion_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerRequestLimits:
    """The most tokens one request may have."""

    prompt_tokens: Decimal
    completion_tokens: Decimal
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultParameters:
    """What a model uses when a request does not say; None leaves it to the provider."""

    temperature: Decimal | None = None
    top_p: Decimal | None = None
    top_k: Decimal | None = None
    frequency_penalty: Decimal | None = None
    presence_penalty: Decimal | None = None
    repetition_penalty: Decimal | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """How a model may be told to think. `supported_efforts` None means any effort."""

    mandatory: bool
    default_enabled: bool | None = None
    default_effort: str | None = None
    supported_efforts: tuple[str, ...] | None = None
    supports_max_tokens: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indices:
    """Indices by Artificial Analysis; None where it has not measured."""

    intelligence_index: Decimal | None = None
    coding_index: Decimal | None = None
    agentic_index: Decimal | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaRanking:
    """A place in one category of one Design Arena. `win_rate` is in percent."""

    arena: str
    category: str
    elo: Decimal
    rank: int
    win_rate: Decimal
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """What others have measured."""

    artificial_analysis: Indices | None = None
    design_arena: tuple[ArenaRanking, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTarget:
    """The model that a `~author/name-latest` stands for; `slug` is that model's id."""

    slug: str
    name: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of the catalog. `id` (`author/slug`, with or without a `:variant`) may come to mean another
    model, `canonical_slug` never does: guardrails, activity and analytics speak of the latter.

    `pricing` is that of the top provider. `expiration_date` is the UTC day on which it may be removed.
    Lengths are tokens.
    """

    id: str
    canonical_slug: str
    name: str
    created: UnixMoment
    context_length: int | None
    architecture: Architecture
    pricing: Pricing
    top_provider: TopProvider
    supported_parameters: tuple[str, ...]
    description: str | None = None
    per_request_limits: PerRequestLimits | None = None
    default_parameters: DefaultParameters | None = None
    supported_voices: tuple[str, ...] | None = None
    links: Mapping[str, Any] | None = None
    reasoning: Reasoning | None = None
    benchmarks: Benchmarks | None = None
    knowledge_cutoff: date | None = None
    expiration_date: date | None = None
    hugging_face_id: str | None = None
    alias_target: AliasTarget | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """What to narrow the list to and how to sort it; None asks for nothing. Everything is listed by default,
    while upstream alone would list models that write.

    `output_modalities` keeps models that give any of them. Prices are dollars a million tokens, `context`
    tokens, `tool_success_rate` 0 to 1; `providers` are display names, `model_authors` slugs.
    """

    output_modalities: tuple[str, ...] = ALL
    input_modalities: tuple[str, ...] | None = None
    supported_parameters: tuple[str, ...] | None = None
    model_authors: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    category: str | None = None
    sort: str | None = None
    q: str | None = None
    arch: str | None = None
    context: int | None = None
    distillable: bool | None = None
    zdr: bool = False
    region: str | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_output_price: Decimal | None = None
    max_output_price: Decimal | None = None
    min_age_days: int | None = None
    max_age_days: int | None = None
    min_intelligence_index: Decimal | None = None
    max_intelligence_index: Decimal | None = None
    min_coding_index: Decimal | None = None
    max_coding_index: Decimal | None = None
    min_agentic_index: Decimal | None = None
    max_agentic_index: Decimal | None = None
    min_tool_success_rate: Decimal | None = None
    max_tool_success_rate: Decimal | None = None

    def params(self) -> dict[str, Any]:
        """The query parameters: several words are joined by commas, `zdr` is `true` or absent."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        values["zdr"] = True if self.zdr else None
        return {
            name: ",".join(value) if isinstance(value, tuple) else _plain(value)
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A page of models. `total_count` and `more` are None when an older server does not page: then these are
    all.
    """

    items: tuple[Model, ...]
    total_count: int | None
    more: bool | None


EVERYTHING = ModelQuery()


def page(
    client: OpenRouter,
    *,
    query: ModelQuery = EVERYTHING,
    offset: int = 0,
    limit: int = LARGEST_PAGE,
    with_key: bool = False,
) -> ModelPage:
    """`GET /models`, one request of 1 to 1,000 models.

    The list is public and asked for without the key, because an organization may have upstream hide models
    from callers with one; `with_key` asks for that view. InvalidRequest for a word upstream does not know.
    """
    return _page(client, "/models", offset, limit, query.params(), anonymous=not with_key)


def walk(
    client: OpenRouter,
    *,
    query: ModelQuery = EVERYTHING,
    limit: int = LARGEST_PAGE,
    with_key: bool = False,
) -> Iterator[tuple[Model, ...]]:
    """Every model that fits, page by page, each once."""
    return _walk(lambda offset: page(client, query=query, offset=offset, limit=limit, with_key=with_key))


def walk_usable(client: OpenRouter, *, limit: int = LARGEST_PAGE) -> Iterator[tuple[Model, ...]]:
    """`GET /models/user`: every model that the client's own key may use, page by page, each once.

    It is about one inference key, whose secret the client must hold. Forbidden for a management key.
    """
    params = {"output_modalities": ",".join(ALL)}
    return _walk(lambda offset: _page(client, "/models/user", offset, limit, params))


def walk_embeddings(client: OpenRouter, *, limit: int = LARGEST_PAGE) -> Iterator[tuple[Model, ...]]:
    """`GET /embeddings/models`: every model that embeds, page by page, each once."""
    return _walk(lambda offset: _page(client, "/embeddings/models", offset, limit, {}, anonymous=True))


def get(client: OpenRouter, *, model_id: str) -> Model:
    """`GET /model/{author}/{slug}`: by id, with its variant if it has one, or by an alias of it. NotFound if
    there is none; ValueError for what cannot be the id of a model.
    """
    return read_data(Model, client.request("GET", below(model_id, before=("model",)), anonymous=True))


def count(client: OpenRouter, *, output_modalities: tuple[str, ...] = ALL) -> int:
    """`GET /models/count`: how many models there are that give any of these."""
    params = {"output_modalities": ",".join(output_modalities)}
    return read_data(_Count, client.request("GET", "/models/count", params=params, anonymous=True)).count


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    count: int
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def _page(
    client: OpenRouter,
    path: str,
    offset: int,
    limit: int,
    params: Mapping[str, Any],
    *,
    anonymous: bool = False,
) -> ModelPage:
    if offset < 0 or not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"An offset starts at 0 and a page holds 1 to {LARGEST_PAGE:,} models.")
    asked = {**params, "offset": offset, "limit": limit}
    answer = client.request("GET", path, params=asked, anonymous=anonymous)
    items = read_list(Model, answer)
    links = answer.get("links")
    if not isinstance(links, Mapping) or "total_count" not in answer:
        return ModelPage(items, None, None)
    return ModelPage(items, read_count(answer, "total_count"), links.get("next") is not None)


def _walk(fetch: Callable[[int], ModelPage]) -> Iterator[tuple[Model, ...]]:
    unrepeated = Unrepeated[Model](lambda row: row.id)
    offset = 0
    while True:
        found = fetch(offset)
        offset += len(found.items)
        yield unrepeated.new(found.items) if found.items else ()
        if not found.items or not found.more:
            return


def _plain(value: Any) -> Any:
    """A Decimal in digits: a query takes no exponent."""
    return format(value, "f") if isinstance(value, Decimal) else value
