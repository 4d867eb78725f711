"""The seeded account: believable, whole, and one story of money."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.moments import seconds_of
from tests.sandbox.conftest import NOON, Caller, problem


@pytest.fixture
def keys() -> list[dict[str, Any]]:
    return Sandbox(now=lambda: NOON).every_key()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


KINDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "disabled": lambda key: key["disabled"],
    "expired": lambda key: bool(key["expires_at"]) and moment(key["expires_at"]) < NOON,
    "expiring soon": lambda key: (
        bool(key["expires_at"]) and NOON < moment(key["expires_at"]) < NOON + timedelta(days=14)
    ),
    "without limit": lambda key: key["limit"] is None,
    "over its limit": lambda key: key["limit"] is not None and key["limit_remaining"] < 0,
    "within its limit": lambda key: key["limit"] is not None and 0 < key["limit_remaining"] < key["limit"],
    "without creator": lambda key: key["creator_user_id"] is None,
    "with BYOK use": lambda key: key["byok_usage"] > 0,
    "never used": lambda key: key["usage"] == 0 and key["last_used_at"] is None,
    "idle for so long that nobody knows": lambda key: key["usage"] > 0 and key["last_used_at"] is None,
    "idle for a month": lambda key: (
        key["last_used_at"] is not None
        and moment(key["last_used_at"]) < NOON - timedelta(days=30)
        and not key["disabled"]
    ),
    "used today": lambda key: key["usage_daily"] > 0,
    "never edited": lambda key: key["updated_at"] is None,
    "daily": lambda key: key["limit_reset"] == "daily",
    "weekly": lambda key: key["limit_reset"] == "weekly",
    "monthly": lambda key: key["limit_reset"] == "monthly",
    "spelled short": lambda key: key["created_at"].endswith("Z"),
    "spelled long": lambda key: key["created_at"].endswith("+00:00"),
    "beyond ASCII": lambda key: not key["name"].isascii(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_key_of_every_kind(keys: list[dict[str, Any]], kind: str) -> None:
    assert any(KINDS[kind](key) for key in keys)


def test_some_creators_have_left_and_some_names_are_equal(keys: list[dict[str, Any]]) -> None:
    sandbox = Sandbox(now=lambda: NOON)
    members = {member.id for member in sandbox.account.members}
    assert {key["creator_user_id"] for key in keys} - members - {None}
    names = [key["name"] for key in keys]
    assert len(names) > len(set(names))


def test_counters_nest(keys: list[dict[str, Any]]) -> None:
    for key in keys:
        for prefix in ("", "byok_"):
            day, week, month, ever = (
                key[f"{prefix}usage{tail}"] for tail in ("_daily", "_weekly", "_monthly", "")
            )
            assert 0 <= day <= week <= ever + 1e-9
            assert day <= month <= ever + 1e-9


def test_nothing_is_used_before_it_is_made_or_after_it_ends(keys: list[dict[str, Any]]) -> None:
    for key in keys:
        if key["last_used_at"]:
            used = moment(key["last_used_at"])
            assert moment(key["created_at"]) <= used <= NOON
            assert key["expires_at"] is None or used <= moment(key["expires_at"])


@pytest.mark.parametrize("days", [0, 1, 45])
def test_keys_and_the_chat_room_add_up_to_the_credits_used(days: int) -> None:
    sandbox = Sandbox(Options(keys=60), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    dearest = max(sandbox.every_key(), key=lambda key: key["usage"])
    sandbox.outside.delete_key(dearest["hash"])
    sandbox.advance(timedelta(days=days))
    balance = api.data("/credits")
    room = sandbox.account.rooms.usage(seconds_of(sandbox.now())) / 1e9
    live = sum(key["usage"] for key in sandbox.every_key())
    assert room > 0
    assert abs(live + dearest["usage"] + room - balance["total_usage"]) < 0.000001
    assert balance["total_credits"] > balance["total_usage"]


def test_credit_is_bought_before_it_runs_out() -> None:
    sandbox = Sandbox(Options(keys=30), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    bought = set()
    for _ in range(24):
        balance = api.data("/credits")
        assert balance["total_credits"] > balance["total_usage"]
        bought.add(balance["total_credits"])
        sandbox.advance(timedelta(days=7))
    assert len(bought) > 1


def test_the_same_seed_and_day_make_the_same_account() -> None:
    later = NOON + timedelta(hours=3)
    first, second = Sandbox(Options(keys=25), now=lambda: NOON), Sandbox(Options(keys=25), now=lambda: later)
    assert [key["hash"] for key in first.every_key()] == [key["hash"] for key in second.every_key()]
    first.set_now(later)
    assert first.every_key() == second.every_key()
    assert first.every_key() != Sandbox(Options(keys=25, seed=8), now=lambda: later).every_key()


def test_counters_move_with_the_clock() -> None:
    sandbox = Sandbox(now=lambda: NOON)
    before = {key["hash"]: key["usage"] for key in sandbox.every_key()}
    sandbox.advance(timedelta(minutes=10))
    moved = [key for key in sandbox.every_key() if key["usage"] > before[key["hash"]]]
    assert len(moved) >= 5


@pytest.mark.parametrize("year", [2024, 2025, 2027, 2030])
def test_any_year_will_do(year: int) -> None:
    sandbox = Sandbox(Options(keys=20), now=lambda: datetime(year, 3, 1, tzinfo=UTC))
    assert len(sandbox.every_key()) == 20


def test_sizes_are_as_asked() -> None:
    sandbox = Sandbox(Options(keys=0, members=70, workspaces=13), now=lambda: NOON)
    assert len({member.id for member in sandbox.account.members}) == 70
    assert len({member.email for member in sandbox.account.members}) == 70
    assert len({row.slug for row in sandbox.account.workspaces}) == 13
    assert sandbox.every_key() == []


def test_a_personal_account_has_no_members() -> None:
    sandbox = Sandbox(Options(personal=True, keys=5), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    problem(api.get("/organization/members"), 404)
    assert api.data("/key")["organization_id"] is None
    assert {key["creator_user_id"] for key in sandbox.every_key()} == {None}


def test_members_are_paged(api: Caller) -> None:
    first = api.get("/organization/members", limit=5).json
    rest = api.get("/organization/members", limit=5, offset=5).json
    assert (len(first["data"]), len(rest["data"])) == (5, 3)
    assert first["total_count"] == rest["total_count"] == 8
    assert {row["role"] for row in first["data"] + rest["data"]} == {"org:admin", "org:member"}


@pytest.mark.parametrize("path", ["/organization/members", "/workspaces"])
@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"offset": -1}, {"offset": "a"}]
)
def test_paging_out_of_bounds_is_refused(api: Caller, path: str, query: dict[str, Any]) -> None:
    problem(api.get(path, **query), 400)
