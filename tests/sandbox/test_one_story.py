"""Counters, credits, activity and analytics tell one story, to the nano-dollar and the last token."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.analytics import COUNTS, condition, rows, stamp
from tests.sandbox.conftest import Caller

MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
COLUMNS = {
    "usage": "credits_usage", "byok_usage_inference": "byok_usage", "requests": "request_count",
    "prompt_tokens": "tokens_prompt", "completion_tokens": "tokens_completion",
    "reasoning_tokens": "reasoning_tokens", "cached_tokens": "cached_tokens",
}  # fmt: skip
Figures = dict[str, int]


@pytest.fixture
def sandbox() -> Sandbox:
    """At midnight, so that counters and completed days can be compared."""
    options = Options(
        keys=40, members=8, workspaces=4, days=60, analytics_per_minute=None, analytics_kept_for=0
    )
    return Sandbox(options, now=lambda: MIDNIGHT)


@pytest.fixture
def api(sandbox: Sandbox) -> Caller:
    return Caller(sandbox, sandbox.management_key)


def nano(amount: float) -> int:
    return round(amount * 1e9)


def of_activity(items: Iterable[dict[str, Any]]) -> Figures:
    figures = dict.fromkeys(COLUMNS, 0)
    for item in items:
        for name in COLUMNS:
            figures[name] += nano(item[name]) if "usage" in name else item[name]
    return figures


def of_analytics(found: Iterable[dict[str, Any]]) -> Figures:
    figures = dict.fromkeys(COLUMNS, 0)
    for row in found:
        for name, metric in COLUMNS.items():
            figures[name] += nano(row[metric]) if "usage" in name else int(row[metric])
    return figures


def plus(one: Figures, other: Figures) -> Figures:
    return {name: one[name] + other[name] for name in COLUMNS}


def over(days: int, *, until: datetime = MIDNIGHT) -> dict[str, str]:
    return {"start": stamp(until - timedelta(days=days)), "end": stamp(until)}


def test_keys_and_the_chat_room_are_the_organization(sandbox: Sandbox, api: Caller) -> None:
    parts = dict.fromkeys(COLUMNS, 0)
    for key in sandbox.every_key():
        parts = plus(parts, of_activity(api.data("/activity", api_key_hash=key["hash"])))
    room = rows(api, metrics=list(COLUMNS.values()), time_range=over(30), filters=[condition("app", "eq", 1)])
    everything = of_activity(api.data("/activity"))
    assert all(everything.values())
    assert plus(parts, of_analytics(room)) == everything


def test_activity_and_analytics_agree_for_every_day_model_and_provider(sandbox: Sandbox, api: Caller) -> None:
    metrics = list(COLUMNS.values())
    assert of_analytics(rows(api, metrics=metrics, time_range=over(30))) == of_activity(api.data("/activity"))
    for ago in (1, 9, 30):
        day = (MIDNIGHT - timedelta(days=ago)).date().isoformat()
        found = rows(
            api, metrics=metrics, dimensions=["model", "provider"],
            time_range=over(1, until=MIDNIGHT - timedelta(days=ago - 1)),
        )  # fmt: skip
        items = api.data("/activity", date=day)
        assert of_analytics(found) == of_activity(items)
        for row in found:
            place = (row["model"], row["provider"])
            same = [item for item in items if (item["model_permaslug"], item["provider_name"]) == place]
            assert of_analytics([row]) == of_activity(same)


def test_analytics_by_hash_agree_with_activity_of_the_key(sandbox: Sandbox, api: Caller) -> None:
    for key in sandbox.every_key():
        found = rows(
            api, metrics=list(COLUMNS.values()), dimensions=["model"], granularity="day",
            time_range=over(30), filters=[condition("api_key_id", "eq", key["hash"])],
        )  # fmt: skip
        assert of_analytics(found) == of_activity(api.data("/activity", api_key_hash=key["hash"]))


def test_what_the_counters_gained_is_what_was_used(sandbox: Sandbox, api: Caller) -> None:
    """Twelve days go by: counters and credits grow by exactly what activity and analytics show."""
    before = {key["hash"]: key for key in sandbox.every_key()}
    credit = api.data("/credits")["total_usage"]
    sandbox.advance(timedelta(days=12))
    end = MIDNIGHT + timedelta(days=12)
    whole = of_activity(row for row in api.data("/activity") if row["date"] >= MIDNIGHT.date().isoformat())
    for key in sandbox.every_key():
        items = [
            row
            for row in api.data("/activity", api_key_hash=key["hash"])
            if row["date"] >= MIDNIGHT.date().isoformat()
        ]
        old = before[key["hash"]]
        assert nano(key["usage"]) - nano(old["usage"]) == of_activity(items)["usage"]
        assert nano(key["byok_usage"]) - nano(old["byok_usage"]) == of_activity(items)["byok_usage_inference"]
    assert nano(api.data("/credits")["total_usage"]) - nano(credit) == whole["usage"]
    found = rows(api, metrics=list(COLUMNS.values()), time_range=over(12, until=end))
    assert of_analytics(found) == whole


def test_today_so_far_is_what_the_daily_counters_say(sandbox: Sandbox, api: Caller) -> None:
    sandbox.advance(timedelta(hours=15, minutes=27, seconds=41))
    spent = sandbox.every_key()[5]["hash"]
    sandbox.outside.spend(spent, usd=1.25, byok_usd=0.5)
    today = {"start": stamp(MIDNIGHT), "end": stamp(MIDNIGHT + timedelta(days=1))}
    for key in sandbox.every_key():
        filters = [condition("api_key_id", "eq", key["hash"])]
        by_hour = rows(
            api, metrics=list(COLUMNS.values()), granularity="hour", filters=filters, time_range=today
        )
        assert of_analytics(by_hour)["usage"] == nano(key["usage_daily"])
        assert of_analytics(by_hour)["byok_usage_inference"] == nano(key["byok_usage_daily"])


def test_the_counters_of_the_month_are_its_analytics(sandbox: Sandbox, api: Caller) -> None:
    sandbox.advance(timedelta(hours=9, seconds=1))
    month = {"start": "2026-11-01T00:00:00Z", "end": stamp(MIDNIGHT + timedelta(days=1))}
    for key in sandbox.every_key():
        found = rows(
            api, metrics=["credits_usage", "byok_usage"], time_range=month,
            filters=[condition("api_key_id", "eq", key["hash"])],
        ) or [{"credits_usage": 0, "byok_usage": 0}]  # fmt: skip
        assert nano(found[0]["credits_usage"]) == nano(key["usage_monthly"])
        assert nano(found[0]["byok_usage"]) == nano(key["byok_usage_monthly"])


def test_the_past_stays_as_it_was_told(sandbox: Sandbox, api: Caller) -> None:
    """Settings change, keys go and come, days pass: a completed day keeps its figures."""
    day = (MIDNIGHT - timedelta(days=2)).date().isoformat()
    before = api.data("/activity", date=day, group_by="workspace")
    hashes = [key["hash"] for key in sandbox.every_key()]
    api.patch(f"/keys/{hashes[0]}", {"disabled": True})
    api.patch(f"/keys/{hashes[1]}", {"limit": 0.01})
    api.delete(f"/keys/{hashes[2]}")
    api.post("/keys", {"name": "new"})
    sandbox.outside.remove_member(next(iter(sandbox.account.members)).id)
    sandbox.advance(timedelta(days=20))
    assert api.data("/activity", date=day, group_by="workspace") == before


def test_hours_are_the_minutes_and_days_are_the_hours(sandbox: Sandbox, api: Caller) -> None:
    metrics = ["credits_usage", "byok_usage", *COUNTS]
    start = MIDNIGHT - timedelta(hours=9)

    def figures(granularity: str, hours: int) -> dict[str, float]:
        range_ = {"start": stamp(start), "end": stamp(start + timedelta(hours=hours))}
        found = rows(api, metrics=metrics, granularity=granularity, time_range=range_)
        return {name: round(sum(float(row[name]) for row in found), 8) for name in metrics}

    assert figures("minute", 3) == figures("hour", 3)
    assert figures("hour", 9) == figures("day", 9) == figures("month", 9)


def test_a_correction_reaches_every_answer(sandbox: Sandbox, api: Caller) -> None:
    day = (MIDNIGHT - timedelta(days=3)).date().isoformat()
    key = max(sandbox.every_key(), key=lambda key: key["usage_weekly"])["hash"]
    sandbox.outside.correct_day(key, date=day, usd=-0.75, requests=-2, prompt_tokens=-11)
    metrics = list(COLUMNS.values())
    assert of_analytics(rows(api, metrics=metrics, time_range=over(30))) == of_activity(api.data("/activity"))
    own = rows(api, metrics=metrics, time_range=over(30), filters=[condition("api_key_id", "eq", key)])
    assert of_analytics(own) == of_activity(api.data("/activity", api_key_hash=key))


def test_a_member_who_left_chats_no_more(sandbox: Sandbox, api: Caller) -> None:
    chatter = sandbox.account.rooms.rows[0].user_id
    assert chatter is not None
    sandbox.outside.remove_member(chatter)
    sandbox.advance(timedelta(days=2))
    filters = [condition("user", "eq", chatter), condition("app", "eq", 1)]
    found = rows(
        api, granularity="day", filters=filters, time_range=over(6, until=MIDNIGHT + timedelta(days=2))
    )
    assert found[0]["date__day"] == "2026-11-17"
