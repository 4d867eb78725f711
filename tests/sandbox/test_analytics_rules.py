"""What the analytics desk refuses, and how often it may be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.analytics import answered, asked, condition, span, stamp
from tests.sandbox.conftest import NOON, Caller, problem

WEEK = span(7)


@pytest.fixture(autouse=True)
def patient(sandbox: Sandbox) -> None:
    """As many questions as a test likes, each worked out anew."""
    sandbox.account.analytics.per_minute = None
    sandbox.account.analytics.kept_for = 0


REFUSED: dict[str, dict[str, Any]] = {
    "no metrics": {"metrics": []},
    "metrics of no list": {"metrics": "total_usage"},
    "an unknown metric": {"metrics": ["total_usage", "usage"]},
    "a metric of no text": {"metrics": [5]},
    "an unknown dimension": {"dimensions": ["colour"]},
    "a third dimension": {"dimensions": ["model", "user", "workspace"]},
    "dimensions of no list": {"dimensions": {"model": 1}},
    "an unknown granularity": {"granularity": "fortnight"},
    "half a range": {"time_range": {"start": WEEK["start"]}},
    "the other half": {"time_range": {"end": WEEK["end"]}},
    "a range of no object": {"time_range": "7d"},
    "minutes without seconds": {"time_range": {"start": "2026-11-11T00:00Z", "end": "2026-11-12T00:00Z"}},
    "days": {"time_range": {"start": "2026-11-11", "end": "2026-11-12"}},
    "another zone": {
        "time_range": {"start": "2026-11-11T00:00:00+01:00", "end": "2026-11-12T00:00:00+01:00"}
    },
    "a range that ends where it starts": {"time_range": {"start": WEEK["end"], "end": WEEK["end"]}},
    "a range that runs backwards": {"time_range": {"start": WEEK["end"], "end": WEEK["start"]}},
    "more than a year": {"time_range": span(366)},
    "minutes of half a day": {"granularity": "minute", "time_range": span(0.5)},
    "minutes of a week by default": {"granularity": "minute"},
    "filters of no list": {"filters": condition("model", "eq", "x")},
    "a filter of no object": {"filters": ["model"]},
    "a filter on nothing": {"filters": [condition("colour", "eq", "x")]},
    "a filter on a metric": {"filters": [condition("total_usage", "gt", 1)]},
    "an unknown operator": {"filters": [condition("model", "like", "x")]},
    "a list for a scalar operator": {"filters": [condition("model", "eq", ["x"])]},
    "a scalar for a list operator": {"filters": [condition("model", "in", "x")]},
    "a value of neither kind": {"filters": [condition("model", "eq", True)]},
    "a list of neither kind": {"filters": [condition("model", "in", [None])]},
    "no value": {"filters": [{"field": "model", "operator": "eq"}]},
    "unset ones with one value": {"filters": [condition("app", "eq", "x", include_unset=True)]},
    "unset ones of no boolean": {"filters": [condition("app", "in", ["x"], include_unset="yes")]},
    "too many filters": {"filters": [condition("model", "neq", "x")] * 21},
    "an order without direction": {"order_by": {"field": "total_usage"}},
    "an order in an unknown direction": {"order_by": {"field": "total_usage", "direction": "up"}},
    "an order by what was not asked for": {"order_by": {"field": "tokens_total", "direction": "asc"}},
    "an order by a dimension that was not asked for": {"order_by": {"field": "model", "direction": "asc"}},
    "an order by date without dates": {"order_by": {"field": "date", "direction": "asc"}},
    "a limit of nothing": {"limit": 0},
    "a limit too high": {"limit": 10_001},
    "a limit of no whole number": {"limit": 1.5},
    "a group limit of nothing": {"group_limit": 0},
    "a group limit too high": {"group_limit": 10_001},
    "null": {"granularity": None},
    "a classifier of no UUID": {"classifier_dimensions": {"classifier_id": "x"}},
    "a classifier there is not": {
        "classifier_dimensions": {"classifier_id": "550e8400-e29b-41d4-a716-446655440000"}
    },
    "filters of a classifier there is not": {
        "classifier_filters": {"classifier_id": "550e8400-e29b-41d4-a716-446655440000", "filters": []}
    },
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(api: Caller, name: str) -> None:
    assert problem(asked(api, **REFUSED[name]), 400).startswith("Invalid ")


def test_it_refuses_what_is_no_question(api: Caller) -> None:
    bodies: list[Any] = [[], "x", None, {}, {"dimensions": ["model"]}]
    for body in bodies:
        problem(api.post("/analytics/query", body), 400)


MONTHLY = (
    "p50_latency",
    "avg_throughput",
    "guardrail_invoked_count",
    "openrouter_usage",
    "response_cached_rate",
)


@pytest.mark.parametrize("question", [
    *({"metrics": ["total_usage", name]} for name in MONTHLY),
    *({"dimensions": [name]} for name in ("provider", "country", "finish_reason", "context_length_bucket")),
    {"filters": [condition("provider", "eq", "OpenAI")]},
    {"metrics": ["avg_latency"], "order_by": {"field": "avg_latency", "direction": "asc"}},
])  # fmt: skip
def test_some_fields_allow_31_days_only(api: Caller, question: dict[str, Any]) -> None:
    message = problem(asked(api, **question, time_range=span(31.001)), 400)
    assert "31 days" in message
    assert answered(api, **question, time_range=span(31))["data"]


def test_the_rest_allows_a_year(api: Caller) -> None:
    everything = ["total_usage", "cache_hit_rate", "usage_cache", "byok_request_count"]
    assert answered(api, metrics=everything, dimensions=["api_key_id", "model"], time_range=span(365))["data"]


def test_what_is_older_than_its_window_is_forgotten() -> None:
    sandbox = Sandbox(Options(keys=10, days=500), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    long_ago = NOON - timedelta(days=100)
    assert answered(api, time_range=span(5, until=long_ago))["data"]
    assert answered(api, dimensions=["provider"], time_range=span(5, until=long_ago))["data"] == []
    assert answered(api, time_range=span(5, until=NOON - timedelta(days=370)))["data"] == []
    recent = answered(api, metrics=["openrouter_usage"], granularity="day", time_range=span(31))["data"]
    assert recent[-1]["date__day"] == "2026-10-18"


def test_a_question_about_millions_of_pieces_takes_too_long(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgadmin.sandbox.analytics.answers.MOST_EDGES", 100)
    problem(asked(api, granularity="hour"), 408)


def test_too_many_generations_take_too_long(api: Caller) -> None:
    problem(asked(api, dimensions=["generation_id"], time_range=span(31)), 408)


class TestRateLimit:
    def test_64_calls_a_minute(self, sandbox: Sandbox, api: Caller) -> None:
        sandbox.account.analytics.per_minute = Options().analytics_per_minute
        for number in range(64):
            sandbox.advance(0.5)
            response = asked(api) if number % 2 else api.get("/analytics/meta")
            assert response.status_code == 200
        refused = asked(api)
        problem(refused, 429)
        assert refused.headers["X-RateLimit-Limit"] == "64"
        assert refused.headers["X-RateLimit-Remaining"] == "0"
        assert refused.headers["X-RateLimit-Reset"].isdecimal()
        wait = int(refused.headers["Retry-After"])
        assert wait == 29
        sandbox.advance(wait - 1)
        problem(asked(api), 429)
        sandbox.advance(1)
        assert asked(api).status_code == 200

    def test_a_refused_question_counts_and_other_endpoints_do_not(
        self, sandbox: Sandbox, api: Caller
    ) -> None:
        sandbox.account.analytics.per_minute = 2
        problem(asked(api, limit=0), 400)
        for _ in range(5):
            assert api.get("/credits").status_code == 200
        assert asked(api).status_code == 200
        problem(api.get("/analytics/meta"), 429)

    def test_strangers_do_not_use_it_up(self, sandbox: Sandbox, api: Caller) -> None:
        sandbox.account.analytics.per_minute = 1
        problem(asked(Caller(sandbox, None)), 401)
        assert asked(api).status_code == 200

    def test_it_can_be_lifted(self) -> None:
        sandbox = Sandbox(Options(keys=1, analytics_per_minute=None), now=lambda: NOON)
        api = Caller(sandbox, sandbox.management_key)
        assert {api.get("/analytics/meta").status_code for _ in range(70)} == {200}


class TestKeptAnswers:
    @pytest.fixture(autouse=True)
    def forgetful(self, sandbox: Sandbox, patient: None) -> None:
        sandbox.account.analytics.kept_for = Options().analytics_kept_for

    def test_the_same_question_gets_the_same_answer_for_a_minute(self, sandbox: Sandbox, api: Caller) -> None:
        key = sandbox.every_key()[0]["hash"]
        first = answered(api, dimensions=["model"])
        sandbox.outside.spend(key, usd=5)
        sandbox.advance(59)
        again = answered(api, dimensions=["model"])
        assert again.pop("cachedAt") == NOON.timestamp() * 1000
        assert again == first
        sandbox.advance(1)
        fresh = answered(api, dimensions=["model"])
        assert "cachedAt" not in fresh
        assert fresh != first

    def test_another_question_is_worked_out(self, api: Caller) -> None:
        answered(api, limit=5)
        assert "cachedAt" not in answered(api, limit=6)

    def test_warnings_are_kept_with_it(self, api: Caller) -> None:
        filters = [condition("api_key_id", "eq", "0" * 64)]
        assert answered(api, filters=filters)["warnings"] == answered(api, filters=filters)["warnings"]

    def test_it_can_be_switched_off(self) -> None:
        sandbox = Sandbox(Options(keys=1, analytics_kept_for=0), now=lambda: NOON)
        api = Caller(sandbox, sandbox.management_key)
        assert answered(api) == answered(api)
        assert "cachedAt" not in answered(api)


def test_fractions_of_seconds_are_fine(api: Caller) -> None:
    assert asked(api, time_range={"start": "2026-11-11T00:00:00.123Z", "end": stamp(NOON)}).status_code == 200


def test_unknown_fields_of_a_question_are_ignored(api: Caller) -> None:
    assert asked(api, colour="blue").status_code == 200
