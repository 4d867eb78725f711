"""Whatever arrives, and however much at once, the twin answers as a service would."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller

_SANDBOX = Sandbox(
    Options(keys=3, members=2, workspaces=2, days=10, analytics_per_minute=None), now=lambda: NOON
)
QUESTIONED = Caller(_SANDBOX, _SANDBOX.management_key)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just(1e308),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([
    "name", "limit", "limit_reset", "include_byok_in_limit", "expires_at", "creator_user_id", "workspace_id",
    "colour",
    "disabled", "external", "slug", "description", "io_logging_sampling_rate", "io_logging_api_key_ids",
    "disabled_server_tools", "limit_usd", "include_byok_in_budgets", "user_ids",
    "reset_interval", "allowed_models", "ignored_providers", "enforce_zdr", "content_filters",
    "content_filter_builtins", "allowed_data_regions", "key_hashes", "member_user_ids",
])  # fmt: skip
bodies = st.dictionaries(names, values, max_size=6) | values
places = st.sampled_from([
    "POST /keys", "PATCH /keys/{key}", "POST /workspaces", "PATCH /workspaces/default",
    "PUT /workspaces/default/budgets/weekly", "POST /workspaces/production/members/add",
    "POST /workspaces/production/members/remove", "POST /guardrails", "PATCH /guardrails/{guardrail}",
    "POST /guardrails/{guardrail}/assignments/keys",
    "POST /guardrails/{guardrail}/assignments/members/remove",
])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(body=bodies, place=places)
def test_no_body_makes_it_stumble(body: Any, place: str) -> None:
    sandbox = Sandbox(Options(keys=2, members=2, workspaces=2), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    method, path = place.split()
    key = sandbox.outside.create_key(name="x")
    guardrail = sandbox.outside.create_guardrail(name="x")
    where = path.format(key=key, guardrail=guardrail)
    response = api(method, where, data=json.dumps(body), content_type="application/json")
    assert response.status_code in (200, 201, 400)
    read = "/keys", "/workspaces", "/workspaces/default/budgets", "/workspaces/production/members", "/credits"
    for path in (*read, f"/keys/{key}", "/guardrails", f"/guardrails/{guardrail}"):
        assert api.get(path).status_code == 200
    json.dumps(sandbox.requests().as_json())


words = st.sampled_from([
    "metrics", "dimensions", "granularity", "time_range", "filters", "order_by", "limit", "group_limit",
    "classifier_filters", "field", "operator", "value", "include_unset", "direction", "start", "end",
])  # fmt: skip
known = st.sampled_from([
    "total_usage", "request_count", "model", "api_key_id", "user", "eq", "in", "gt", "day", "hour", "asc",
    "date", "2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z", "0" * 64, "finish_reason", "generation_id",
])  # fmt: skip
questions = st.dictionaries(
    words,
    known
    | values
    | st.lists(known, max_size=2)
    | st.dictionaries(words, known | st.lists(known, max_size=2), min_size=2, max_size=3)
    | st.lists(
        st.fixed_dictionaries({"field": known, "operator": known, "value": known | values}), max_size=2
    ),
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(question=questions)
def test_no_question_makes_it_stumble(question: dict[str, Any]) -> None:
    text = json.dumps({"metrics": ["total_usage"], **question})
    response = QUESTIONED("POST", "/analytics/query", data=text, content_type="application/json")
    assert response.status_code in (200, 400)


parameters = st.sampled_from([
    "offset", "limit", "category", "supported_parameters", "output_modalities", "sort", "q", "context",
    "input_modalities", "min_price", "max_price", "arch", "model_authors", "providers", "distillable", "zdr",
    "region", "min_age_days", "max_tool_success_rate", "min_coding_index",
])  # fmt: skip
asked = st.sampled_from(["true", "all", "1", "0.5", "newest", "null", "", ","]) | st.text(max_size=8)


@settings(max_examples=150, deadline=None)
@given(query=st.dictionaries(parameters, asked, max_size=4))
def test_no_query_of_the_catalog_makes_it_stumble(query: dict[str, str]) -> None:
    assert QUESTIONED.get("/models", **query).status_code in (200, 400)


def test_a_lone_surrogate_is_no_name(api: Caller) -> None:
    assert api("POST", "/keys", data=b'{"name": "\\ud800"}').status_code == 400


def test_decimals_from_outside_are_numbers_on_the_wire(sandbox: Sandbox, api: Caller) -> None:
    key = sandbox.outside.create_key(name="x", limit=Decimal("1.25"))
    sandbox.outside.spend(key, usd=Decimal("0.000000001"))
    assert api.data(f"/keys/{key}")["limit"] == 1.25
    assert api.data(f"/keys/{key}")["usage"] == 1e-9


def test_many_callers_at_once_lose_nothing(sandbox: Sandbox) -> None:
    def make(number: int) -> str:
        response = Caller(sandbox, sandbox.management_key).post("/keys", {"name": f"n{number}"})
        return str(response.json["data"]["hash"])

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(80)))
    assert len(set(made)) == 80
    assert set(made) <= {key["hash"] for key in sandbox.every_key()}
    assert sandbox.requests().count("POST /keys") == 80
