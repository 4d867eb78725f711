from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.model_catalog import Architecture, Percentiles, Pricing, UnixMoment, below
from orgadmin.openrouter.reading import read_data, read_list
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model at a provider. `model_id` is the model's canonical slug, `provider_name` a display name, `tag`
    what requests name it by: three vocabularies, which only the list of providers brings together.

    `status` 0 is normal; what the negative ones mean is not published. Uptimes are percent.
    `latency_last_30m` (milliseconds) and `throughput_last_30m` (tokens a second) are None for callers without
    a key, and where little happened. Lengths are tokens.
    """

    name: str
    model_id: str
    model_name: str
    provider_name: str
    tag: str
    quantization: str | None
    context_length: int
    pricing: Pricing
    supported_parameters: tuple[str, ...]
    max_prompt_tokens: int | None = None
    max_completion_tokens: int | None = None
    supports_implicit_caching: bool | None = None
    supports_voice_cloning: bool = False
    status: int | None = None
    uptime_last_5m: Decimal | None = None
    uptime_last_30m: Decimal | None = None
    uptime_last_1d: Decimal | None = None
    latency_last_30m: Percentiles | None = None
    throughput_last_30m: Percentiles | None = None
    perf_last_30m_by_workload: Mapping[str, Any] | None = None
    service_tier: str | None = None
    native_tools: Mapping[str, Any] | None = None
    supports_tool_choice: Mapping[str, Any] | None = None
    supports_diarization: bool | None = None
    supports_image_reference: bool | None = None
    supports_multiple_audio_references: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEndpoints:
    """A model with everybody who serves it, the provider its price is taken from first. A router has none."""

    id: str
    name: str
    created: UnixMoment
    description: str | None
    architecture: Architecture
    endpoints: tuple[Endpoint, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def of_model(client: OpenRouter, *, model_id: str) -> ModelEndpoints:
    """`GET /models/{author}/{slug}/endpoints`, with the key, which unlocks the speeds. NotFound if there is
    no such model; ValueError for what cannot be the id of one.
    """
    answer = client.request("GET", below(model_id, before=("models",), after=("endpoints",)))
    return read_data(ModelEndpoints, answer)


def zdr(client: OpenRouter) -> tuple[Endpoint, ...]:
    """`GET /endpoints/zdr`: every endpoint that keeps no data, with the key, which unlocks the speeds. One
    answer, of megabytes.
    """
    return read_list(Endpoint, client.request("GET", "/endpoints/zdr"))
