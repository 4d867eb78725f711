from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import activity, errors
from tests.openrouter.cast import BASE, WORKSPACE, RecordingLimiter, activity_row, client_at, refusal
from tests.openrouter.lists import last_query

URL = f"{BASE}/activity"
HASH = "5e" * 32


def serve(*rows: dict[str, Any]) -> None:
    responses.get(URL, json={"data": list(rows)})


@responses.activate
def test_a_row_is_read(client):
    serve(activity_row())
    (row,) = activity.fetch(client)
    assert row == activity.ActivityRow(
        day=date(2025, 8, 24),
        model="openai/gpt-4.1",
        model_permaslug="openai/gpt-4.1-2025-04-14",
        endpoint_id="550e8400-e29b-41d4-a716-446655440000",
        provider_name="OpenAI",
        requests=5,
        prompt_tokens=50,
        completion_tokens=125,
        reasoning_tokens=25,
        usage=Decimal("0.015"),
        byok_usage_inference=Decimal("0.012"),
        cached_tokens=None,
        workspace_id=None,
    )
    assert row.total == Decimal("0.027")
    assert last_query() == {}


@responses.activate
def test_money_keeps_the_digits_of_the_text(client):
    text = json.dumps({"data": [activity_row(usage=1e-7)]})
    responses.get(URL, body=text.replace("0.012", "-0.1000000000000000055"))
    (row,) = activity.fetch(client)
    assert (row.usage, row.byok_usage_inference) == (Decimal("1E-7"), Decimal("-0.1000000000000000055"))


@responses.activate
def test_every_filter_is_sent(client):
    serve()
    rows = activity.fetch(
        client,
        date=date(2025, 8, 24),
        api_key_hash=HASH,
        user_id="user_1",
        workspace_id=WORKSPACE,
        by_workspace=True,
    )
    assert rows == ()
    assert last_query() == {
        "date": "2025-08-24",
        "api_key_hash": HASH,
        "user_id": "user_1",
        "workspace_id": WORKSPACE,
        "group_by": "workspace",
    }


@pytest.mark.parametrize("name", ["api_key_hash", "user_id", "workspace_id"])
def test_an_empty_id_never_becomes_everybodys_activity(client, name):
    empty: dict[str, Any] = {name: ""}
    with pytest.raises(ValueError, match="never empty"):
        activity.fetch(client, **empty)
    assert client.calls == 0


def test_a_moment_is_no_day(client):
    with pytest.raises(ValueError, match="by day"):
        activity.fetch(client, date=datetime(2025, 8, 24, 23, tzinfo=UTC))
    assert client.calls == 0


@responses.activate
def test_what_newer_servers_add_is_read_or_kept(client):
    serve(activity_row(workspace_id=WORKSPACE, cached_tokens=90, byok_requests=2))
    (row,) = activity.fetch(client, by_workspace=True)
    assert (row.workspace_id, row.cached_tokens, row.extra) == (WORKSPACE, 90, {"byok_requests": 2})


@responses.activate
def test_counts_as_text_a_day_with_midnight_and_a_refund(client):
    serve(
        activity_row(
            date="2025-08-24 00:00:00", requests="12", prompt_tokens=3.0, usage=-2, cached_tokens="7"
        )
    )
    (row,) = activity.fetch(client)
    assert (row.day, row.requests, row.prompt_tokens) == (date(2025, 8, 24), 12, 3)
    assert (row.usage, row.total, row.cached_tokens) == (Decimal(-2), Decimal("-1.988"), 7)


@responses.activate
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "yesterday"),
        ("date", None),
        ("requests", 1.5),
        ("requests", "many"),
        ("prompt_tokens", None),
        ("usage", "0.015"),
        ("usage", None),
        ("usage", 1e300),
        ("endpoint_id", 5),
    ],
)
def test_a_garbled_value_is_never_a_wrong_number(client, name, value):
    serve(activity_row(), activity_row(**{name: value}))
    with pytest.raises(errors.UnreadableAnswer, match=rf"data\[1\]\.{name}") as caught:
        activity.fetch(client)
    assert not caught.value.outcome_unknown


@responses.activate
def test_not_a_number_is_not_json(client):
    responses.get(URL, body='{"data": [{"usage": NaN}]}')
    with pytest.raises(errors.UnreadableAnswer, match="not JSON"):
        activity.fetch(client)


@responses.activate
def test_a_day_outside_the_window_is_refused_in_upstreams_words(client):
    responses.get(URL, status=400, json=refusal("Date must be within the last 30 days"))
    with pytest.raises(errors.InvalidRequest, match="30 days"):
        activity.fetch(client, date=date(2020, 2, 29))


@responses.activate
def test_it_takes_its_turn_among_ordinary_calls(session, fake_time):
    serve()
    limiter = RecordingLimiter()
    activity.fetch(client_at(BASE, session=session, fake_time=fake_time, limiter=limiter))
    assert limiter.reserved == ["default"]
