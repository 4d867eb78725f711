"""Asks the analytics desk questions, the way most tests do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sandbox.conftest import NOON, Answered, Caller

COUNTS = (
    "request_count",
    "tokens_total",
    "tokens_prompt",
    "tokens_completion",
    "reasoning_tokens",
    "cached_tokens",
)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(days: float, *, until: datetime = NOON) -> dict[str, str]:
    return {"start": stamp(until - timedelta(days=days)), "end": stamp(until)}


def asked(api: Caller, **question: Any) -> Answered:
    return api.post("/analytics/query", {"metrics": ["total_usage"], **question})


def answered(api: Caller, **question: Any) -> dict[str, Any]:
    """What is inside the outer `data` of an answer."""
    response = asked(api, **question)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json["data"]
    assert content["metadata"]["row_count"] == len(content["data"])
    return content


def rows(api: Caller, **question: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answered(api, **question)["data"]
    return found


def condition(field: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **more}
