"""`GET`, `PATCH` and `DELETE /keys/{hash}`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Sandbox
from tests.sandbox.conftest import NOON, Caller, problem

GONE = "0" * 64


@pytest.fixture
def key(api: Caller) -> str:
    body = {"name": "one", "limit": 10, "limit_reset": "daily"}
    return str(api.post("/keys", body).json["data"]["hash"])


@pytest.mark.parametrize(("changes", "field", "value"), [
    ({"name": "two"}, "name", "two"),
    ({"disabled": True}, "disabled", True),
    ({"limit": 7}, "limit", 7),
    ({"limit": 0}, "limit_remaining", 0),
    ({"limit": None}, "limit_remaining", None),
    ({"limit_reset": None}, "limit_reset", None),
    ({"limit_reset": "monthly"}, "limit_reset", "monthly"),
    ({"include_byok_in_limit": True}, "include_byok_in_limit", True),
])  # fmt: skip
def test_one_field_changes_and_the_others_stay(
    api: Caller, key: str, changes: dict[str, Any], field: str, value: Any
) -> None:
    before = api.data(f"/keys/{key}")
    response = api.patch(f"/keys/{key}", changes)
    assert response.status_code == 200
    after = response.json["data"]
    assert after[field] == value
    assert after["updated_at"] is not None
    derived = {*changes, "updated_at", "limit_remaining"}
    assert {name: before[name] for name in before if name not in derived} == {
        name: after[name] for name in after if name not in derived
    }
    assert api.data(f"/keys/{key}") == after


def test_a_key_moves_to_another_workspace(api: Caller, key: str) -> None:
    there = api.data("/workspaces")[0]["id"]
    assert api.patch(f"/keys/{key}", {"workspace_id": there}).json["data"]["workspace_id"] == there
    assert key in {row["hash"] for row in api.data("/keys", workspace_id=there)}
    assert key not in {row["hash"] for row in api.data("/keys")}


def test_staying_in_the_workspace_is_fine(api: Caller, key: str, default_workspace: str) -> None:
    assert api.patch(f"/keys/{key}", {"workspace_id": default_workspace.upper()}).status_code == 200
    assert [row["hash"] for row in api.data("/keys")].count(key) == 1


@pytest.mark.parametrize("changes", [
    {"name": None}, {"name": ""}, {"disabled": None}, {"disabled": 1}, {"limit": -1}, {"limit": "1"},
    {"limit_reset": "hourly"}, {"include_byok_in_limit": None}, {"workspace_id": None}, {"workspace_id": "x"},
])  # fmt: skip
def test_wrong_values_are_refused_and_change_nothing(api: Caller, key: str, changes: dict[str, Any]) -> None:
    before = api.data(f"/keys/{key}")
    problem(api.patch(f"/keys/{key}", {"name": "half done", **changes}), 400)
    assert api.data(f"/keys/{key}") == before


@pytest.mark.parametrize("changes", [{}, {"colour": 1}, {"expires_at": None}, {"creator_user_id": "x"}])
def test_a_body_without_a_known_field_is_refused(api: Caller, key: str, changes: dict[str, Any]) -> None:
    assert problem(api.patch(f"/keys/{key}", changes), 400) == "No update fields provided"


def test_a_deleted_key_is_gone_for_good(api: Caller, sandbox: Sandbox, key: str) -> None:
    response = api.delete(f"/keys/{key}")
    assert (response.status_code, response.json) == (200, {"deleted": True})
    for answer in (
        api.get(f"/keys/{key}"),
        api.patch(f"/keys/{key}", {"name": "x"}),
        api.delete(f"/keys/{key}"),
    ):
        problem(answer, 404)
    assert key not in {row["hash"] for row in sandbox.every_key()}


@pytest.mark.parametrize("key_hash", [GONE, "x", "é", "a%20b"])
def test_unknown_hashes_are_not_found(api: Caller, key_hash: str) -> None:
    problem(api.get(f"/keys/{key_hash}"), 404)


def test_lowering_the_limit_under_what_was_used_leaves_less_than_nothing(
    api: Caller, sandbox: Sandbox, key: str
) -> None:
    sandbox.outside.spend(key, usd=4)
    assert api.data(f"/keys/{key}")["limit_remaining"] == 6
    assert api.patch(f"/keys/{key}", {"limit": 1}).json["data"]["limit_remaining"] == -3


def test_byok_counts_against_the_limit_only_when_told(api: Caller, sandbox: Sandbox, key: str) -> None:
    sandbox.outside.quiet_key(key)
    sandbox.outside.spend(key, usd=1, byok_usd=2)
    figures = api.data(f"/keys/{key}")
    assert (figures["usage"], figures["byok_usage"], figures["limit_remaining"]) == (1, 2, 9)
    assert api.patch(f"/keys/{key}", {"include_byok_in_limit": True}).json["data"]["limit_remaining"] == 7


def test_counters_follow_their_windows(api: Caller, sandbox: Sandbox, key: str) -> None:
    sandbox.outside.quiet_key(key)
    sandbox.outside.spend(key, usd=4)

    def figures() -> tuple[Any, ...]:
        row = api.data(f"/keys/{key}")
        names = ("usage", "usage_daily", "usage_weekly", "usage_monthly", "limit_remaining")
        return tuple(row[name] for name in names)

    assert figures() == (4, 4, 4, 4, 6)
    sandbox.set_now(NOON.replace(day=19, hour=0))
    assert figures() == (4, 0, 4, 4, 10)
    sandbox.set_now(NOON.replace(day=23, hour=0))  # Monday
    assert figures() == (4, 0, 0, 4, 10)
    sandbox.set_now(NOON.replace(month=12, day=1, hour=0))
    assert figures() == (4, 0, 0, 0, 10)


def test_a_disabled_key_stops_spending_and_goes_on_when_enabled(api: Caller, sandbox: Sandbox) -> None:
    busy = max(sandbox.every_key(), key=lambda row: row["usage_daily"] if not row["disabled"] else -1)["hash"]
    api.patch(f"/keys/{busy}", {"disabled": True, "limit": None})
    still = api.data(f"/keys/{busy}")["usage"]
    sandbox.advance(timedelta(days=2))
    assert api.data(f"/keys/{busy}")["usage"] == still
    api.patch(f"/keys/{busy}", {"disabled": False})
    sandbox.advance(timedelta(days=2))
    assert api.data(f"/keys/{busy}")["usage"] > still
