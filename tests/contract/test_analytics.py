"""Activity and analytics as the vendor's client sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter, components, errors, operations

from orgadmin.sandbox.app import Options
from tests.contract.shapes import hold_against
from tests.contract.test_every_call import Listener
from tests.sandbox_server import RunningSandbox, running_sandbox

METRICS = ["credits_usage", "byok_usage", "request_count", "tokens_total", "usage_file", "avg_latency"]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def heard(running: RunningSandbox, listener: Listener) -> Iterator[OpenRouter]:
    """The client, with somebody who keeps the text of its answers: its own model of a row has no columns."""
    with (
        httpx.Client(event_hooks={"response": [listener.hear]}) as http,
        OpenRouter(
            api_key=running.sandbox.management_key, server_url=running.url, retry_config=None, client=http
        ) as sdk,
    ):
        yield sdk


def busy(running: RunningSandbox) -> dict[str, Any]:
    """A key that is used on every day."""
    return running.sandbox.key(sha256(running.sandbox.inference_key.encode()).hexdigest())


def midnight(running: RunningSandbox) -> datetime:
    return running.sandbox.now().replace(hour=0, minute=0, second=0, microsecond=0)


def test_activity_takes_every_filter(running: RunningSandbox, sdk: OpenRouter) -> None:
    key = busy(running)
    day = (midnight(running) - timedelta(days=1)).date().isoformat()
    everything = sdk.analytics.get_user_activity(request={"date_": day}).data
    assert {item.date_ for item in everything} == {day}
    assert all(item.workspace_id is None for item in everything)
    own = sdk.analytics.get_user_activity(
        request={
            "date_": day,
            "api_key_hash": key["hash"],
            "workspace_id": key["workspace_id"],
            "group_by": "workspace",
        }
    ).data
    assert {item.workspace_id for item in own} == {key["workspace_id"]}
    assert 0 < sum(item.usage for item in own) <= sum(item.usage for item in everything)
    member = running.sandbox.account.rooms.rows[0].user_id
    assert member is not None
    assert sdk.analytics.get_user_activity(request={"user_id": member}).data


def test_activity_by_workspace_has_exactly_the_vendors_fields(heard: OpenRouter, listener: Listener) -> None:
    heard.analytics.get_user_activity(request={"group_by": "workspace"})
    hold_against(components.ActivityResponse, listener.last)


@pytest.mark.parametrize(("query", "error"), [
    ({"date_": "2020-01-01"}, errors.BadRequestResponseError),
    ({"workspace_id": "nowhere"}, errors.BadRequestResponseError),
    ({"user_id": "user_nobody"}, errors.NotFoundResponseError),
    ({"api_key_hash": "0" * 64}, errors.NotFoundResponseError),
])  # fmt: skip
def test_activity_fails_as_the_vendor_says(
    sdk: OpenRouter, query: operations.GetUserActivityRequestTypedDict, error: type[errors.OpenRouterError]
) -> None:
    with pytest.raises(error):
        sdk.analytics.get_user_activity(request=query)


def test_a_personal_account_knows_no_members() -> None:
    with (
        running_sandbox(Options(keys=1, personal=True)) as running,
        OpenRouter(api_key=running.sandbox.management_key, server_url=running.url, retry_config=None) as sdk,
        pytest.raises(errors.NotFoundResponseError),
    ):
        sdk.analytics.get_user_activity(request={"user_id": "user_x"})


def test_a_question_with_everything_is_understood(
    running: RunningSandbox, heard: OpenRouter, listener: Listener
) -> None:
    key = busy(running)
    end = midnight(running)
    found = heard.analytics.query_analytics(
        metrics=METRICS,
        dimensions=["model", "user"],
        granularity="day",
        time_range={"start": end - timedelta(days=7), "end": end},
        filters=[
            operations.Filter(field="api_key_id", operator="eq", value=key["hash"]),
            operations.Filter(field="finish_reason", operator="not_in", value=["error"], include_unset=True),
        ],
        order_by={"field": "request_count", "direction": "desc"},
        limit=50,
        group_limit=7,
    ).data
    assert found.metadata.row_count == len(found.data) > 0
    assert found.metadata.truncated is False
    assert (found.cached_at, found.warnings) == (None, None)
    columns: list[str] = list(json.loads(listener.last)["data"]["data"][0])
    assert columns == ["date__day", "model", "user", "user_email", *METRICS]


def test_a_kept_answer_and_a_warning_reach_the_client(sdk: OpenRouter) -> None:
    question: dict[str, Any] = {
        "metrics": ["request_count"],
        "filters": [{"field": "api_key_id", "operator": "in", "value": ["0" * 64]}],
    }
    first = sdk.analytics.query_analytics(**question).data
    again = sdk.analytics.query_analytics(**question).data
    assert first.data == again.data == []
    assert first.warnings == again.warnings
    assert first.cached_at is None
    assert again.cached_at is not None
    assert abs(again.cached_at / 1000 - datetime.now(tz=UTC).timestamp()) < 60


def test_a_kept_answer_has_exactly_the_vendors_fields(heard: OpenRouter, listener: Listener) -> None:
    for _ in range(2):
        unknown = operations.Filter(field="api_key_id", operator="eq", value="0" * 64)
        heard.analytics.query_analytics(metrics=["total_usage"], filters=[unknown])
    hold_against(operations.QueryAnalyticsResponse, listener.last)


@pytest.mark.parametrize("question", [
    {"metrics": []}, {"metrics": ["spend"]}, {"dimensions": ["model", "app", "user"]},
    {"granularity": "minute"}, {"limit": 10_001}, {"order_by": {"field": "date", "direction": "asc"}},
    {"filters": [{"field": "model", "operator": "in", "value": "x"}]},
    {"classifier_dimensions": {"classifier_id": "550e8400-e29b-41d4-a716-446655440000"}},
    {"time_range": {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2022, 1, 1, tzinfo=UTC)}},
])  # fmt: skip
def test_a_wrong_question_is_a_bad_request(sdk: OpenRouter, question: dict[str, Any]) -> None:
    with pytest.raises(errors.BadRequestResponseError) as caught:
        sdk.analytics.query_analytics(**{"metrics": ["total_usage"], **question})
    assert caught.value.data.error.code == 400


def test_a_question_that_takes_too_long_times_out(sdk: OpenRouter) -> None:
    with pytest.raises(errors.RequestTimeoutResponseError):
        sdk.analytics.query_analytics(metrics=["total_usage"], dimensions=["generation_id"])


def test_too_many_questions_say_when_to_come_back(running: RunningSandbox, sdk: OpenRouter) -> None:
    running.sandbox.account.analytics.per_minute = 1
    sdk.analytics.get_analytics_meta()
    with pytest.raises(errors.OpenRouterError) as caught:
        sdk.analytics.query_analytics(metrics=["total_usage"])
    response = caught.value.raw_response
    assert response.status_code == 429
    assert response.json()["error"]["code"] == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["X-RateLimit-Remaining"] == "0"
