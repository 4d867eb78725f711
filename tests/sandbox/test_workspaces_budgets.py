"""`/workspaces/{id}/budgets`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Answered, Caller, problem

INTERVALS = ("daily", "weekly", "monthly", "lifetime")


def put(api: Caller, interval: str, limit: Any, **more: Any) -> Answered:
    return api.put(f"/workspaces/default/budgets/{interval}", {"limit_usd": limit, **more})


def limits(api: Caller, workspace: str = "default") -> dict[str | None, Any]:
    return {row["reset_interval"]: row["limit_usd"] for row in api.data(f"/workspaces/{workspace}/budgets")}


def test_there_are_four_intervals_and_the_lifetime_one_answers_null(
    api: Caller, default_workspace: str
) -> None:
    for number, interval in enumerate(INTERVALS, start=1):
        made = put(api, interval, number).json["data"]
        assert made["workspace_id"] == default_workspace
        assert made["created_at"] == made["updated_at"]
        assert api.data(f"/workspaces/{default_workspace}/budgets/{interval}") == made
    assert limits(api) == {"daily": 1, "weekly": 2, "monthly": 3, None: 4}


def test_setting_it_again_changes_the_same_budget(api: Caller, sandbox: Sandbox) -> None:
    made = put(api, "weekly", 5).json["data"]
    sandbox.advance(timedelta(hours=1))
    changed = put(api, "weekly", 7.25).json["data"]
    assert (changed["id"], changed["created_at"]) == (made["id"], made["created_at"])
    assert changed["limit_usd"] == 7.25
    assert changed["updated_at"] > made["updated_at"]


@pytest.mark.parametrize(("interval", "limit", "words"), [
    ("daily", 50, ("daily", "$50.00", "less", "weekly", "$50.00")),
    ("weekly", 200, ("weekly", "$200.00", "less", "monthly", "$200.00")),
    ("weekly", 10, ("weekly", "$10.00", "greater", "daily", "$10.00")),
    ("monthly", 1000.5, ("monthly", "$1,000.50", "less", "lifetime", "$1,000.00")),
    ("lifetime", 0.01, ("lifetime", "$0.01", "greater", "daily", "$10.00")),
])  # fmt: skip
def test_a_wider_budget_is_strictly_larger(
    api: Caller, interval: str, limit: float, words: tuple[str, ...]
) -> None:
    for known, amount in zip(reversed(INTERVALS), (1000, 200, 50, 10), strict=True):
        assert put(api, known, amount).status_code == 200
    before = limits(api)
    message = problem(put(api, interval, limit), 400)
    assert all(word in message for word in words)
    assert limits(api) == before


def test_only_budgets_that_exist_are_compared(api: Caller) -> None:
    put(api, "daily", 10)
    assert put(api, "lifetime", 10.01).status_code == 200
    problem(put(api, "weekly", 10), 400)
    api.delete("/workspaces/default/budgets/daily")
    assert put(api, "weekly", 10).status_code == 200


@pytest.mark.parametrize("body", [
    {}, {"limit_usd": 0}, {"limit_usd": -1}, {"limit_usd": None}, {"limit_usd": "5"}, {"limit_usd": True},
    {"include_byok_in_budgets": True}, {"limit_usd": 5, "include_byok_in_budgets": None},
])  # fmt: skip
def test_a_wrong_budget_is_refused(api: Caller, body: dict[str, Any]) -> None:
    problem(api.put("/workspaces/default/budgets/monthly", body), 400)
    assert limits(api) == {}


def test_counting_ones_own_keys_is_one_switch_of_the_workspace(api: Caller) -> None:
    assert put(api, "monthly", 5).json["include_byok_in_budgets"] is False
    assert put(api, "daily", 1, include_byok_in_budgets=True).json["include_byok_in_budgets"] is True
    assert put(api, "monthly", 6).json["include_byok_in_budgets"] is True
    assert api.get("/workspaces/default/budgets").json["include_byok_in_budgets"] is True
    assert api.data("/workspaces/default")["include_byok_in_budgets"] is True
    assert api.get("/workspaces/default/budgets/daily").json["include_byok_in_budgets"] is True


def test_a_refused_budget_leaves_the_switch_alone(api: Caller) -> None:
    put(api, "daily", 10)
    problem(put(api, "weekly", 10, include_byok_in_budgets=True), 400)
    assert api.get("/workspaces/default/budgets").json["include_byok_in_budgets"] is False


def test_deleting_succeeds_even_where_there_is_none(api: Caller) -> None:
    put(api, "monthly", 5)
    for _ in range(2):
        assert api.delete("/workspaces/default/budgets/monthly").json == {"deleted": True}
    problem(api.get("/workspaces/default/budgets/monthly"), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_intervals_and_workspaces_are_refused(api: Caller, method: str) -> None:
    body = {"limit_usd": 1}
    problem(api(method, "/workspaces/default/budgets/yearly", json=body), 400)
    problem(api(method, "/workspaces/nowhere/budgets/daily", json=body), 404)


def test_some_workspaces_have_budgets_in_order_from_the_start(api: Caller) -> None:
    assert {slug: set(limits(api, slug)) for slug in ("default", "production", "research", "platform")} == {
        "default": set(),
        "production": {"monthly", "weekly", "daily"},
        "research": {"monthly"},
        "platform": {None, "daily"},
    }
    found = limits(api, "production")
    assert 0 < found["daily"] < found["weekly"] < found["monthly"]
    assert api.get("/workspaces/research/budgets").json["include_byok_in_budgets"] is True


def test_a_plan_without_budgets_refuses_to_set_one_and_shows_none() -> None:
    sandbox = Sandbox(Options(keys=2, budgets="forbidden"), now=lambda: NOON)
    sandbox.account.budgets.take_over([])
    api = Caller(sandbox, sandbox.management_key)
    assert "Enterprise" in problem(put(api, "monthly", 5), 403)
    assert api.data("/workspaces/default/budgets") == []
    assert api.delete("/workspaces/default/budgets/monthly").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_account_may_not_have_budgets_at_all(method: str) -> None:
    sandbox = Sandbox(Options(keys=2, budgets="absent"), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    problem(api(method, "/workspaces/default/budgets/monthly", json={"limit_usd": 5}), 404)
    problem(api.get("/workspaces/default/budgets"), 404)
    assert api.get("/workspaces/default").status_code == 200
