"""How models and their endpoints are spelled in answers."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.catalog import Model
from orgadmin.sandbox.market import traits
from orgadmin.sandbox.market.offers import Offer, health, offers, percentiles, speeds, top_prices
from orgadmin.sandbox.moments import seconds_of
from orgadmin.sandbox.wire.request import Call

_TOOLS = {"openrouter:web_search": {"type": "web_search"}}


def model_object(call: Call, model: Model) -> dict[str, Any]:
    """The Model object. What is not known of a model is left out where the service leaves it out."""
    answer = {
        "id": model.id,
        "canonical_slug": model.slug,
        "hugging_face_id": model.weights,
        "name": model.name,
        "created": model.created,
        "description": traits.description(model),
        "context_length": model.context,
        "architecture": traits.architecture(model),
        "pricing": top_prices(model),
        "top_provider": _top_provider(model),
        "per_request_limits": None,
        "supported_parameters": list(model.parameters),
        "default_parameters": traits.default_parameters(model),
        "supported_voices": traits.voices(model),
        "knowledge_cutoff": traits.knowledge_cutoff(model),
        "expiration_date": model.ends,
        "links": {"details": f"/api/v1/models/{model.slug}/endpoints"},
    }
    target = call.account.shelf.alias_target(model)
    return answer | {
        name: value
        for name, value in (
            ("reasoning", traits.reasoning(model)),
            ("benchmarks", traits.benchmarks(model)),
            ("alias_target", {"slug": target.id, "name": target.name} if target else None),
        )
        if value is not None
    }


def _top_provider(model: Model) -> dict[str, Any]:
    router = traits.is_router(model)
    return {
        "context_length": None if router else model.context,
        "max_completion_tokens": None if router else model.longest_answer,
        "is_moderated": model.moderated,
    }


def model_endpoints_object(call: Call, model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": traits.description(model),
        "architecture": traits.architecture(model),
        "endpoints": [endpoint_object(call, offer) for offer in offers(model)],
    }


def endpoint_object(call: Call, offer: Offer) -> dict[str, Any]:
    """The Endpoint object. Callers without a key are not shown how fast it is."""
    model = offer.model
    calls_tools = "tools" in model.parameters
    answer = {
        "name": f"{offer.provider.endpoint_name}: {model.name.partition(': ')[2] or model.name}",
        "model_id": model.slug,
        "model_name": model.name,
        "provider_name": offer.provider.endpoint_name,
        "tag": offer.tag,
        "quantization": offer.quantization,
        "service_tier": None,
        "context_length": offer.context,
        "max_prompt_tokens": None,
        "max_completion_tokens": model.longest_answer,
        "supported_parameters": list(model.parameters),
        "supports_implicit_caching": "input_cache_read" in model.prices,
        "supports_voice_cloning": "speech" in model.gives and offer.provider.slug == "elevenlabs",
        "supports_diarization": "transcription" in model.gives,
        "supports_image_reference": "video" in model.gives,
        "supports_multiple_audio_references": False,
        "supports_tool_choice": {
            name: calls_tools and (name != "required" or not model.moderated)
            for name in ("auto", "function", "none", "required")
        },
        "native_tools": _TOOLS if "web_search" in model.prices else {},
        "pricing": offer.prices(),
        **health(offer, seconds_of(call.now), figures=not call.anonymous),
    }
    if answer["latency_last_30m"] is None:
        return answer
    return {**answer, "perf_last_30m_by_workload": _by_workload(offer)}


def _by_workload(offer: Offer) -> dict[str, Any]:
    kinds = {"embeddings": "embeddings", "rerank": "rerank", "speech": "tts", "transcription": "stt"}
    media = {"image": "image_generation", "video": "video_generation"}
    kind = {**kinds, **media}.get(offer.model.gives[0], "text_generation")
    latency, throughput = speeds(offer)
    return {
        kind: {
            "latency": percentiles(latency, (1, 1.3, 1.9, 3.4)),
            "throughput": percentiles(throughput, (1, 0.85, 0.6, 0.35)),
            "request_count": int(traits.popularity(offer.model) * 9_000) + 40,
        }
    }
