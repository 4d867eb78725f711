"""`/activity`: 30 completed UTC days by model and endpoint, and each way to narrow them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.catalog import models
from orgadmin.sandbox.state.workspaces import is_uuid
from tests.sandbox.conftest import NOON, Caller, problem

TODAY = NOON.date()
NUMBERS = (
    "usage", "byok_usage_inference", "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens",
    "cached_tokens",
)  # fmt: skip


def total(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Sums, dollars to the nano-dollar."""
    return {name: round(sum(row[name] for row in rows), 9) for name in NUMBERS}


def busiest(sandbox: Sandbox) -> dict[str, Any]:
    return max(sandbox.every_key(), key=lambda key: key["usage_weekly"])


def test_it_is_the_last_30_completed_days(api: Caller) -> None:
    days = {row["date"] for row in api.data("/activity")}
    assert days == {(TODAY - timedelta(days=ago)).isoformat() for ago in range(1, 31)}


def test_there_is_one_row_for_each_day_model_and_endpoint(api: Caller) -> None:
    rows = api.data("/activity")
    places = Counter((row["date"], row["model"], row["endpoint_id"]) for row in rows)
    assert set(places.values()) == {1}
    assert all(is_uuid(row["endpoint_id"]) for row in rows)
    known = {model.id: model.slug for model in models()}
    assert all(known[row["model"]] == row["model_permaslug"] for row in rows)
    endpoints = {(row["model"], row["provider_name"]): row["endpoint_id"] for row in rows}
    assert len(set(endpoints.values())) == len(endpoints)
    assert all(endpoints[row["model"], row["provider_name"]] == row["endpoint_id"] for row in rows)
    assert "Amazon Bedrock" in {row["provider_name"] for row in rows}


def test_a_row_makes_sense(api: Caller) -> None:
    for row in api.data("/activity"):
        assert set(row) == {*NUMBERS, "date", "model", "model_permaslug", "endpoint_id", "provider_name"}
        assert row["requests"] > 0 or row["usage"] + row["byok_usage_inference"] > 0
        assert 0 <= row["reasoning_tokens"] <= row["completion_tokens"]
        assert 0 <= row["cached_tokens"] <= row["prompt_tokens"]
        if row["model"].endswith(":free"):
            assert row["usage"] == row["byok_usage_inference"] == 0


def test_the_story_is_believable(api: Caller) -> None:
    rows = api.data("/activity")
    daily = Counter[str]()
    for row in rows:
        daily[row["date"]] += row["usage"]
    weekdays = [spent for day, spent in daily.items() if date.fromisoformat(day).weekday() < 5]
    weekends = [spent for day, spent in daily.items() if date.fromisoformat(day).weekday() == 6]
    assert sorted(weekends)[len(weekends) // 2] < sorted(weekdays)[len(weekdays) // 2]
    everything = total(rows)
    assert 0 < everything["byok_usage_inference"] < everything["usage"]
    assert 0 < everything["reasoning_tokens"] < everything["completion_tokens"]
    assert 0 < everything["cached_tokens"] < everything["prompt_tokens"]
    assert any(row["model"].endswith(":free") for row in rows)


def test_one_key_ran_away_for_a_night(sandbox: Sandbox, api: Caller) -> None:
    worst = 0.0
    for key in sandbox.every_key():
        daily = Counter[str]()
        for row in api.data("/activity", api_key_hash=key["hash"]):
            daily[row["date"]] += row["usage"]
        if len(daily) == 30:
            ordinary = sorted(daily.values())[15]
            worst = max(worst, max(daily.values()) / ordinary if ordinary > 0.05 else 0)
    assert worst > 15


def test_a_day_is_the_same_alone(api: Caller) -> None:
    rows = api.data("/activity")
    for ago in (1, 13, 30):
        day = (TODAY - timedelta(days=ago)).isoformat()
        assert api.data("/activity", date=day) == [row for row in rows if row["date"] == day]


@pytest.mark.parametrize("day", [
    "2026-11-18", "2026-11-19", "2026-10-18", "2025-11-17", "yesterday", "", "2026-11-31", "20261117",
    "2026-11-17T00:00:00Z", "2026-W47-1",
])  # fmt: skip
def test_a_day_outside_the_window_is_refused(api: Caller, day: str) -> None:
    problem(api.get("/activity", date=day), 400)


def test_keys_members_and_workspaces_narrow_it_and_add_up(sandbox: Sandbox, api: Caller) -> None:
    everything = total(api.data("/activity"))
    key = busiest(sandbox)
    alone = total(api.data("/activity", api_key_hash=key["hash"]))
    assert 0 < alone["usage"] < everything["usage"]
    spaces = [api.data("/activity", workspace_id=workspace["id"]) for workspace in api.data("/workspaces")]
    assert total([row for rows in spaces for row in rows]) == everything
    there = total(api.data("/activity", api_key_hash=key["hash"], workspace_id=key["workspace_id"]))
    assert there == alone
    for workspace in api.data("/workspaces"):
        if workspace["id"] != key["workspace_id"]:
            assert api.data("/activity", api_key_hash=key["hash"], workspace_id=workspace["id"]) == []


def test_a_member_has_the_keys_they_made_and_their_part_of_the_chat_room(
    sandbox: Sandbox, api: Caller
) -> None:
    chatters = {room.user_id for room in sandbox.account.rooms.rows} - {None}
    assert 0 < len(chatters) < len(sandbox.account.members)
    for member in sandbox.account.members:
        rows = api.data("/activity", user_id=member.id)
        own = [key["hash"] for key in sandbox.every_key() if key["creator_user_id"] == member.id]
        by_key = total([row for key in own for row in api.data("/activity", api_key_hash=key)])
        if member.id in chatters:
            assert total(rows)["usage"] > by_key["usage"]
        else:
            assert total(rows) == by_key


def test_grouped_by_workspace_every_row_says_which(api: Caller) -> None:
    rows = api.data("/activity", group_by="workspace")
    assert {row["workspace_id"] for row in rows} <= {row["id"] for row in api.data("/workspaces")}
    assert len({row["workspace_id"] for row in rows}) > 1
    assert total(rows) == total(api.data("/activity"))
    places = Counter((row["date"], row["endpoint_id"], row["workspace_id"]) for row in rows)
    assert set(places.values()) == {1}


def test_a_key_that_moves_leaves_its_past_where_it_was(sandbox: Sandbox, api: Caller) -> None:
    key = busiest(sandbox)
    old = key["workspace_id"]
    new = next(row["id"] for row in api.data("/workspaces") if row["id"] != old)
    before = api.data("/activity", api_key_hash=key["hash"])
    api.patch(f"/keys/{key['hash']}", {"workspace_id": new})
    assert api.data("/activity", api_key_hash=key["hash"], workspace_id=old) == before
    assert api.data("/activity", api_key_hash=key["hash"], workspace_id=new) == []
    sandbox.advance(timedelta(days=2))
    moved = api.data("/activity", api_key_hash=key["hash"], group_by="workspace")
    days = {where: {row["date"] for row in moved if row["workspace_id"] == where} for where in (old, new)}
    assert days[old] & days[new] == {TODAY.isoformat()}


@pytest.mark.parametrize("query", [
    {"group_by": "model"}, {"group_by": ""}, {"workspace_id": "default"},
    {"workspace_id": "00000000-0000-4000-8000-000000000000"},
])  # fmt: skip
def test_filters_that_make_no_sense_are_refused(api: Caller, query: dict[str, str]) -> None:
    problem(api.get("/activity", **query), 400)


@pytest.mark.parametrize("query", [{"api_key_hash": "0" * 64}, {"api_key_hash": "x"}, {"user_id": "user_x"}])
def test_keys_and_members_there_are_not_are_not_found(api: Caller, query: dict[str, str]) -> None:
    problem(api.get("/activity", **query), 404)


def test_a_personal_account_has_activity_and_no_members() -> None:
    sandbox = Sandbox(Options(personal=True, keys=3), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    assert api.data("/activity")
    problem(api.get("/activity", user_id="user_x"), 404)


def test_a_deleted_key_stays_in_the_organizations_rows(sandbox: Sandbox, api: Caller) -> None:
    before = api.data("/activity")
    key = busiest(sandbox)["hash"]
    api.delete(f"/keys/{key}")
    assert api.data("/activity") == before
    problem(api.get("/activity", api_key_hash=key), 404)


def test_a_key_of_free_models_moves_no_counter(sandbox: Sandbox, api: Caller) -> None:
    free = [key for key in sandbox.every_key() if key["usage"] == 0 and key["last_used_at"]]
    assert free
    rows = api.data("/activity", api_key_hash=free[0]["hash"])
    assert total(rows)["requests"] > 100
    assert total(rows)["usage"] == total(rows)["byok_usage_inference"] == 0
    assert {row["model"].partition(":")[2] for row in rows} == {"free"}


def test_an_account_of_today_has_no_activity() -> None:
    sandbox = Sandbox(Options(keys=5, days=0), now=lambda: NOON)
    assert Caller(sandbox, sandbox.management_key).data("/activity", date="2026-11-17") == []


class TestLateCorrections:
    """`outside.correct_day`."""

    DAY = "2026-11-10"

    def test_a_day_is_corrected_downwards(self, sandbox: Sandbox, api: Caller) -> None:
        key = busiest(sandbox)
        before = total(api.data("/activity", api_key_hash=key["hash"], date=self.DAY))
        credit = api.data("/credits")["total_usage"]
        sandbox.outside.correct_day(key["hash"], date=self.DAY, usd=-1.5, requests=-4, prompt_tokens=-100)
        after = total(api.data("/activity", api_key_hash=key["hash"], date=self.DAY))
        assert after["usage"] == pytest.approx(before["usage"] - 1.5, abs=1e-9)
        assert after["requests"] == before["requests"] - 4
        assert after["prompt_tokens"] == before["prompt_tokens"] - 100
        assert api.data("/credits")["total_usage"] == pytest.approx(credit - 1.5, abs=1e-9)
        now = sandbox.key(key["hash"])
        assert now["usage"] == pytest.approx(key["usage"] - 1.5, abs=1e-9)
        assert now["usage_monthly"] == pytest.approx(key["usage_monthly"] - 1.5, abs=1e-9)
        assert now["usage_weekly"] == pytest.approx(key["usage_weekly"], abs=1e-9)
        assert now["last_used_at"] == key["last_used_at"]

    def test_a_refund_is_a_row_below_zero(self, sandbox: Sandbox, api: Caller) -> None:
        key = busiest(sandbox)["hash"]
        sandbox.outside.correct_day(key, date=self.DAY, usd=-2, model="cohere/command-a")
        row = next(row for row in api.data("/activity", api_key_hash=key, date=self.DAY) if row["usage"] < 0)
        assert (row["model"], row["usage"], row["requests"]) == ("cohere/command-a", -2, 0)

    def test_free_use_of_the_past_moves_no_counter(self, sandbox: Sandbox, api: Caller) -> None:
        key = busiest(sandbox)
        name = "google/gemma-3n-e2b-it:free"
        sandbox.outside.correct_day(
            key["hash"], date=self.DAY, requests=3, prompt_tokens=30, completion_tokens=9, model=name
        )
        row = next(row for row in api.data("/activity", date=self.DAY, api_key_hash=key["hash"])
                   if row["model"] == name and row["requests"] == 3)  # fmt: skip
        assert (row["usage"], row["prompt_tokens"], row["completion_tokens"]) == (0, 30, 9)
        assert sandbox.key(key["hash"]) == key

    def test_the_chat_room_is_corrected_too(self, sandbox: Sandbox, api: Caller) -> None:
        before = api.data("/credits")["total_usage"]
        sandbox.outside.correct_day(date=self.DAY, usd=0.25, byok_usd=0.5)
        assert api.data("/credits")["total_usage"] == pytest.approx(before + 0.25, abs=1e-9)

    def test_what_makes_no_sense_is_refused(self, sandbox: Sandbox) -> None:
        key = busiest(sandbox)["hash"]
        for wrong in ({"date": "2026-11-19"}, {"date": "soon"}, {"date": self.DAY, "model": "no/such"}):
            with pytest.raises(ValueError, match=r"begun|isoformat|no model"):
                sandbox.outside.correct_day(key, **wrong)  # type: ignore[arg-type]
