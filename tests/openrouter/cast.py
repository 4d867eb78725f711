"""Who and what the client's tests speak of: a key, a clock, a limiter, and rows as upstream sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orgadmin.openrouter import jsontext
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience

BASE = "https://openrouter.test/api/v1"
RAW_KEY = "sk-or-v1-" + "5e" * 32
WORKSPACE = "0df9e665-d932-5740-b2c7-b52af166bc11"


class FakeTime:
    """A clock that stands still except while somebody sleeps; `slept` lists the naps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


class RecordingLimiter:
    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.reserved: list[str] = []
        self.held: list[tuple[str, float]] = []

    def reserve(self, group: str) -> float:
        self.reserved.append(group)
        return self.waits.pop(0) if self.waits else 0.0

    def hold(self, group: str, seconds: float) -> None:
        self.held.append((group, seconds))


def client_at(
    base_url: str,
    *,
    session: Any,
    fake_time: FakeTime,
    patience: Patience = WEB,
    limiter: RecordingLimiter | None = None,
    key: str = RAW_KEY,
    rand: float = 1.0,
) -> OpenRouter:
    return OpenRouter(
        base_url=base_url,
        key=Secret(key),
        patience=patience,
        limiter=limiter,
        session=session,
        sleep=fake_time.sleep,
        clock=fake_time.clock,
        rand=lambda: rand,
    )


def key_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An API key as the list sends it."""
    return {
        "hash": f"{number:064x}",
        "name": f"Key {number}",
        "label": "sk-or-v1-0e6...1c96",
        "disabled": False,
        "limit": 100,
        "limit_remaining": 74.5,
        "limit_reset": "monthly",
        "include_byok_in_limit": False,
        "usage": 25.5,
        "usage_daily": 1.25,
        "usage_weekly": 5,
        "usage_monthly": 25.5,
        "byok_usage": 17.38,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 1e-7,
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": "2025-08-24T15:45:00.363244+00:00",
        "creator_user_id": "user_2dHFtVWx2n56w6HkM0000000000",
        "expires_at": "2027-12-31T23:59:59Z",
        "workspace_id": WORKSPACE,
        **changes,
    }


def workspace_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"550e8400-e29b-41d4-a716-{number:012d}",
        "name": f"Workspace {number}",
        "slug": f"workspace-{number}",
        "description": None,
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": None,
        "created_by": None,
        "default_guardrail_id": "595d5849-7e86-51fd-a7c0-705c34e4afff",
        "default_text_model": None,
        "default_image_model": None,
        "default_provider_sort": "price",
        "is_observability_broadcast_enabled": False,
        "is_observability_io_logging_enabled": False,
        "io_logging_sampling_rate": 0.25,
        "io_logging_api_key_ids": None,
        "is_data_discount_logging_enabled": True,
        **changes,
    }


def workspace_member_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"660e8400-e29b-41d4-a716-{number:012d}",
        "workspace_id": WORKSPACE,
        "user_id": f"user_{number:026d}",
        "role": "member",
        "created_at": "2025-08-24T10:30:00Z",
        **changes,
    }


def budget_row(interval: str | None = "monthly", **changes: Any) -> dict[str, Any]:
    """A workspace's budget; the interval of a lifetime budget is null."""
    return {
        "id": "770e8400-e29b-41d4-a716-446655440000",
        "workspace_id": WORKSPACE,
        "limit_usd": 100.5,
        "reset_interval": interval,
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": "2025-08-24T15:45:00.363244+00:00",
        **changes,
    }


def member_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"user_{number:026d}",
        "email": f"person{number}@example.com",
        "first_name": "Ada",
        "last_name": None,
        "role": "org:member",
        **changes,
    }


def guardrail_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A guardrail with what every server sends, and no more."""
    return {
        "id": f"660e8400-e29b-41d4-a716-{number:012d}",
        "name": f"Guardrail {number}",
        "workspace_id": WORKSPACE,
        "created_at": "2025-08-24T10:30:00Z",
        **changes,
    }


def key_assignment_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"770e8400-e29b-41d4-a716-{number:012d}",
        "guardrail_id": guardrail_row()["id"],
        "key_hash": f"{number:064x}",
        "key_name": f"Key {number}",
        "key_label": "sk-or-v1-0e6...1c96",
        "assigned_by": "user_1",
        "created_at": "2025-08-24T10:30:00.363244+00:00",
        **changes,
    }


def member_assignment_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"880e8400-e29b-41d4-a716-{number:012d}",
        "guardrail_id": guardrail_row()["id"],
        "user_id": f"user_{number:026d}",
        "organization_id": "org_1",
        "assigned_by": None,
        "created_at": "2025-08-24T10:30:00Z",
        **changes,
    }


def activity_row(**changes: Any) -> dict[str, Any]:
    return {
        "date": "2025-08-24",
        "model": "openai/gpt-4.1",
        "model_permaslug": "openai/gpt-4.1-2025-04-14",
        "endpoint_id": "550e8400-e29b-41d4-a716-446655440000",
        "provider_name": "OpenAI",
        "requests": 5,
        "prompt_tokens": 50,
        "completion_tokens": 125,
        "reasoning_tokens": 25,
        "usage": 0.015,
        "byok_usage_inference": 0.012,
        **changes,
    }


def model_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"acme/model-{number}",
        "canonical_slug": f"acme/model-{number}-20250824",
        "name": f"Acme: Model {number}",
        "created": 1_756_031_400,
        "description": "It writes.",
        "context_length": 131_072,
        "architecture": {
            "modality": "text+image->text",
            "input_modalities": ["text", "image"],
            "output_modalities": ["text"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0.0000005", "completion": "0.0000025"},
        "top_provider": {
            "is_moderated": False,
            "context_length": 131_072,
            "max_completion_tokens": None,
        },
        "per_request_limits": None,
        "supported_parameters": ["temperature", "tools"],
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/acme/model-{number}/endpoints"},
        **changes,
    }


def endpoint_row(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Amazon Bedrock: Model 1",
        "model_id": "acme/model-1-20250824",
        "model_name": "Acme: Model 1",
        "provider_name": "Amazon Bedrock",
        "tag": "amazon-bedrock/eu",
        "quantization": "fp8",
        "context_length": 131_072,
        "max_prompt_tokens": None,
        "max_completion_tokens": 8_192,
        "supported_parameters": ["temperature"],
        "supports_implicit_caching": True,
        "pricing": {"prompt": "0.0000005", "completion": "0.0000025", "discount": 0.25},
        "status": 0,
        "uptime_last_5m": None,
        "uptime_last_30m": 99.5,
        "uptime_last_1d": 100,
        "latency_last_30m": {"p50": 320.5, "p75": 400, "p90": 600, "p99": 1200},
        "throughput_last_30m": None,
        **changes,
    }


def preset_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"preset-{number}",
        "slug": f"bot-{number}",
        "name": f"bot-{number}",
        "description": None,
        "status": "active",
        "status_updated_at": None,
        "designated_version_id": f"version-{number}",
        "workspace_id": WORKSPACE,
        "creator_user_id": None,
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": "2025-08-24T15:45:00.250000+00:00",
        **changes,
    }


def preset_version_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"version-{number}",
        "preset_id": "preset-1",
        "version": number,
        "config": {"model": "acme/model-1", "temperature": 0.70},
        "system_prompt": "Be kind.",
        "creator_id": "user_1",
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": "2025-08-24T10:30:00Z",
        **changes,
    }


def analytics_answer(*rows: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The answer to an analytics query. `changes` are of what lies beside the rows."""
    metadata = {"query_time_ms": 42.5, "row_count": len(rows), "truncated": False}
    return {"data": {"data": list(rows), "metadata": metadata, **changes}}


def current_key_row(**changes: Any) -> dict[str, Any]:
    row = key_row()
    for name in ("hash", "name", "disabled", "created_at", "updated_at", "workspace_id"):
        del row[name]
    return {**row, "is_management_key": True, "is_provisioning_key": True, "is_free_tier": False, **changes}


def parsed(value: Any) -> Any:
    """The value as it looks after its way through JSON text."""
    return jsontext.loads(json.dumps(value))


def refusal(message: str, code: int = 400, **more: Any) -> dict[str, Any]:
    """The error envelope."""
    return {"error": {"code": code, "message": message, **more}}


def destination_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A destination with what every server sends, and no more."""
    return {
        "id": f"990e8400-e29b-41d4-a716-{number:012d}",
        "type": "langfuse",
        "name": f"Destination {number}",
        "enabled": True,
        "workspace_id": WORKSPACE,
        "config": {"secretKey": "sk-l...AbCd", "publicKey": "pk-l...EfGh"},
        "api_key_hashes": None,
        "filter_rules": None,
        "privacy_mode": False,
        "sampling_rate": 1,
        "created_at": "2025-08-24T10:30:00Z",
        "updated_at": "2025-08-24T15:45:00.363244+00:00",
        **changes,
    }
