from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import errors, model_endpoints, providers
from tests.openrouter.cast import BASE, RAW_KEY, endpoint_row, model_row, refusal

NEWER = {
    "supports_voice_cloning": True,
    "perf_last_30m_by_workload": {"tts": {"request_count": 3}},
    "service_tier": "flex",
    "native_tools": {"openrouter:bash": {"type": "bash"}},
    "supports_tool_choice": {"auto": True},
    "supports_diarization": False,
    "supports_image_reference": True,
    "supports_multiple_audio_references": False,
}


def model_with(*endpoints: dict[str, Any]) -> dict[str, Any]:
    row = model_row()
    names = ("id", "name", "created", "description", "architecture")
    return {"data": {**{name: row[name] for name in names}, "endpoints": list(endpoints)}}


@responses.activate
def test_every_field_of_an_endpoint_is_read(client):
    url = f"{BASE}/models/acme/model-1/endpoints"
    responses.get(url, json=model_with(endpoint_row(novelty=1, **NEWER), endpoint_row(status=-99)))
    found = model_endpoints.of_model(client, model_id="acme/model-1")
    first, second = found.endpoints
    assert (found.id, found.architecture.tokenizer) == ("acme/model-1", "Other")
    assert (first.provider_name, first.tag, first.quantization) == (
        "Amazon Bedrock",
        "amazon-bedrock/eu",
        "fp8",
    )
    assert first.model_id == "acme/model-1-20250824"
    assert (first.pricing.discount, first.max_completion_tokens) == (Decimal("0.25"), 8_192)
    assert (first.uptime_last_5m, first.uptime_last_30m) == (None, Decimal("99.5"))
    assert first.latency_last_30m is not None
    assert (first.latency_last_30m.p50, first.throughput_last_30m) == (Decimal("320.5"), None)
    assert (first.supports_voice_cloning, first.service_tier, first.extra) == (True, "flex", {"novelty": 1})
    assert first.native_tools == NEWER["native_tools"]
    assert (second.status, second.service_tier) == (-99, None)
    assert responses.calls[-1].request.headers["Authorization"] == f"Bearer {RAW_KEY}"


@responses.activate
def test_health_we_cannot_read_costs_a_figure_and_not_the_list(client):
    row = endpoint_row(status="hibernating", latency_last_30m="fast", uptime_last_1d="99")
    responses.get(f"{BASE}/endpoints/zdr", json={"data": [row]})
    (endpoint,) = model_endpoints.zdr(client)
    assert (endpoint.status, endpoint.latency_last_30m, endpoint.uptime_last_1d) == (None, None, None)
    assert endpoint.extra == {"status": "hibernating", "latency_last_30m": "fast", "uptime_last_1d": "99"}


@responses.activate
def test_a_router_is_served_by_nobody(client):
    responses.get(f"{BASE}/models/acme/model-1/endpoints", json=model_with())
    assert model_endpoints.of_model(client, model_id="acme/model-1").endpoints == ()


@responses.activate
def test_the_endpoints_of_an_unknown_model_are_not_found(client):
    responses.get(f"{BASE}/models/acme/x/endpoints", status=404, json=refusal("No such model", 404))
    with pytest.raises(errors.NotFound, match="No such model"):
        model_endpoints.of_model(client, model_id="acme/x")


@responses.activate
def test_providers_are_read_with_what_they_do_not_say(client):
    rows = [
        {
            "name": "Amazon Bedrock", "slug": "amazon-bedrock", "privacy_policy_url": "https://x.example/p",
            "terms_of_service_url": "https://x.example/t", "status_page_url": None, "headquarters": "US",
            "datacenters": ["US", "XX"], "novelty": 1,
        },
        {"name": "Quiet", "slug": "quiet", "privacy_policy_url": None},
    ]  # fmt: skip
    responses.get(f"{BASE}/providers", json={"data": rows})
    bedrock, quiet = providers.get_all(client)
    assert (bedrock.slug, bedrock.headquarters, bedrock.datacenters) == (
        "amazon-bedrock",
        "US",
        ("US", "XX"),
    )
    assert bedrock.extra == {"novelty": 1}
    assert (quiet.privacy_policy_url, quiet.headquarters, quiet.datacenters) == (None, None, None)
    assert "Authorization" not in responses.calls[-1].request.headers
