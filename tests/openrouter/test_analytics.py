"""What is asked of analytics, and what came of asking. How rows are read is in `test_analytics_answer`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import analytics, errors
from orgadmin.openrouter.analytics import Filter, OrderBy, Query
from tests.openrouter.cast import BASE, RecordingLimiter, analytics_answer, client_at, refusal

META = f"{BASE}/analytics/meta"
URL = f"{BASE}/analytics/query"
HASH = "5e" * 32
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
ANYTHING = Query(metrics=("request_count",))


def meta_answer(**changes: Any) -> dict[str, Any]:
    data = {
        "metrics": [
            {
                "name": "cache_hit_rate",
                "display_label": "Cache hit rate",
                "display_format": "percent",
                "is_rate": True,
            }
        ],
        "dimensions": [{"name": "model", "display_label": "Model"}],
        "operators": [{"name": "in", "value_type": "array"}],
        "granularities": [{"name": "day", "display_label": "Day"}],
        **changes,
    }
    return {"data": data}


@responses.activate
def test_it_tells_what_can_be_asked(client):
    responses.get(META, json=meta_answer())
    assert analytics.meta(client) == analytics.Meta(
        metrics=(
            analytics.Metric(
                name="cache_hit_rate",
                display_label="Cache hit rate",
                display_format="percent",
                is_rate=True,
            ),
        ),
        dimensions=(analytics.Dimension(name="model", display_label="Model"),),
        operators=(analytics.Operator(name="in", value_type="array"),),
        granularities=(analytics.Granularity(name="day", display_label="Day"),),
    )


@responses.activate
def test_what_upstream_invents_tomorrow_can_be_asked_tomorrow(client):
    metric = {
        "name": "joules",
        "display_label": "Energy",
        "display_format": "joule",
        "is_rate": False,
        "new": 1,
    }
    quarter = {"name": "quarter", "display_label": "Quarter"}
    responses.get(META, json=meta_answer(metrics=[metric], granularities=[quarter], classifiers=[]))
    got = analytics.meta(client)
    assert (got.metrics[0].display_format, got.metrics[0].extra) == ("joule", {"new": 1})
    assert (got.granularities[0].name, got.extra) == ("quarter", {"classifiers": []})


@responses.activate
def test_a_metric_that_does_not_say_whether_it_may_be_summed_is_refused(client):
    metric = {"name": "x", "display_label": "X", "display_format": "number"}
    responses.get(META, json=meta_answer(metrics=[metric]))
    with pytest.raises(errors.UnreadableAnswer, match="is_rate"):
        analytics.meta(client)


@responses.activate
def test_a_query_that_sets_everything_is_sent_whole(client):
    responses.post(URL, json=analytics_answer())
    query = Query(
        metrics=("total_usage", "request_count"),
        dimensions=("model", "user"),
        granularity="day",
        start=JUNE,
        end=JULY,
        filters=(
            Filter("api_key_id", "eq", HASH),
            Filter("app", "in", (12, 13)),
            Filter("total_usage", "gte", Decimal("0.10")),
        ),
        order_by=OrderBy("total_usage", "asc"),
        limit=10_000,
        group_limit=1,
    )
    analytics.query(client, query)
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    assert b'"value":0.10}' in body
    assert json.loads(body) == {
        "metrics": ["total_usage", "request_count"],
        "dimensions": ["model", "user"],
        "granularity": "day",
        "time_range": {"start": "2026-06-01T00:00:00Z", "end": "2026-07-01T00:00:00Z"},
        "filters": [
            {"field": "api_key_id", "operator": "eq", "value": HASH},
            {"field": "app", "operator": "in", "value": [12, 13]},
            {"field": "total_usage", "operator": "gte", "value": 0.1},
        ],
        "order_by": {"field": "total_usage", "direction": "asc"},
        "limit": 10_000,
        "group_limit": 1,
    }


@responses.activate
def test_what_is_not_set_is_not_sent(client):
    responses.post(URL, json=analytics_answer())
    analytics.query(client, ANYTHING)
    assert responses.calls[0].request.body == b'{"metrics":["request_count"]}'


def test_moments_are_sent_in_utc_with_seconds():
    end = datetime(2026, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC)
    body = Query(metrics=("x",), start=JUNE, end=end).body()
    assert body["time_range"] == {"start": "2026-06-01T00:00:00Z", "end": "2026-06-30T23:59:59Z"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"metrics": ()}, "at least one metric"),
        ({"dimensions": ("a", "b", "c")}, "2 dimensions"),
        ({"filters": (Filter("model", "eq", "x"),) * 21}, "20 filters"),
        ({"limit": 0}, "between 1 and 10000"),
        ({"limit": 10_001}, "between 1 and 10000"),
        ({"group_limit": -1}, "between 1 and 10000"),
        ({"start": JUNE}, "a start and an end"),
        ({"end": JUNE}, "a start and an end"),
        ({"start": JULY, "end": JUNE}, "ends after it starts"),
        ({"start": JUNE, "end": JUNE + timedelta(milliseconds=9)}, "ends after it starts"),
        ({"start": JUNE.replace(tzinfo=None), "end": JULY}, "UTC"),
        ({"start": JUNE, "end": JULY.astimezone(timezone(timedelta(hours=2)))}, "UTC"),
    ],
)
def test_a_query_nobody_can_answer_is_not_made(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        Query(**{"metrics": ("request_count",), **changes})


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("in", "one"),
        ("not_in", 5),
        ("in", ()),
        ("eq", ("one",)),
        ("lte", (1, 2)),
        ("eq", True),
        ("eq", 0.1),
        ("eq", None),
        ("in", ("one", None)),
        ("in", ["one"]),
        ("resembles", ()),
    ],
)
def test_a_filter_fits_its_operator(operator, value):
    with pytest.raises(ValueError, match=r"takes|compares"):
        Filter("model", operator, value)


def test_an_operator_of_tomorrow_takes_what_it_is_given():
    assert Filter("model", "resembles", "x").body()["value"] == "x"
    assert Filter("model", "any_like", ("x", "")).body()["value"] == ("x", "")


def test_a_direction_is_up_or_down():
    assert OrderBy("date").body() == {"field": "date", "direction": "desc"}
    with pytest.raises(ValueError, match="asc"):
        OrderBy("date", "sideways")  # type: ignore[arg-type]


def test_an_amount_json_cannot_hold_is_never_sent(client):
    with pytest.raises(ValueError, match="finite"):
        analytics.query(client, Query(metrics=("x",), filters=(Filter("x", "gt", Decimal("NaN")),)))
    assert client.calls == 0


@responses.activate
def test_rows_are_read_by_what_was_asked(client):
    row = {"model": "openai/gpt-4.1", "date__day": "2026-06-01", "request_count": "12", "total_usage": 0.5}
    responses.post(URL, json=analytics_answer(row, {**row, "total_usage": None}))
    query = Query(metrics=("total_usage", "request_count"), dimensions=("model",), granularity="day")
    first, second = analytics.query(client, query).rows
    assert first == analytics.Row(
        moment=JUNE,
        dimensions={"model": "openai/gpt-4.1"},
        metrics={"total_usage": Decimal("0.5"), "request_count": 12},
    )
    assert second.metrics["total_usage"] is None
    assert second.amount("total_usage") == 0


@responses.activate
def test_both_calls_share_the_slow_lane(session, fake_time):
    responses.get(META, json=meta_answer())
    responses.post(URL, json=analytics_answer())
    limiter = RecordingLimiter()
    client = client_at(BASE, session=session, fake_time=fake_time, limiter=limiter)
    analytics.meta(client)
    analytics.query(client, ANYTHING)
    assert limiter.reserved == ["analytics", "analytics"]


@responses.activate
@pytest.mark.parametrize(
    "trouble", [{"status": 429}, {"status": 500}, {"status": 504}, {"body": OSError()}, {"body": "<html>"}]
)
def test_a_query_may_be_repeated(client, trouble):
    responses.post(URL, **trouble)
    responses.post(URL, json=analytics_answer())
    assert analytics.query(client, ANYTHING).rows == ()
    assert client.calls == 2


@responses.activate
@pytest.mark.parametrize(
    "trouble",
    [{"status": 408}, {"status": 500}, {"body": OSError()}, {"body": "<html>"}, {"json": {"data": 1}}],
)
def test_a_query_that_fails_changed_nothing(client, trouble):
    responses.post(URL, **trouble)
    with pytest.raises(errors.OpenRouterError) as caught:
        analytics.query(client, ANYTHING)
    assert not caught.value.outcome_unknown


@responses.activate
def test_a_query_that_was_too_slow_is_not_asked_again_as_it_is(client):
    responses.post(URL, status=408, json=refusal("Query timed out", 408))
    with pytest.raises(errors.TooSlow, match="timed out") as caught:
        analytics.query(client, ANYTHING)
    assert (caught.value.retryable, caught.value.outcome_unknown, client.calls) == (False, False, 1)


@responses.activate
def test_a_refusal_comes_in_upstreams_words(client):
    responses.post(URL, status=400, json=refusal("provider is limited to 31 days"))
    with pytest.raises(errors.InvalidRequest, match="31 days"):
        analytics.query(client, Query(metrics=("total_usage",), dimensions=("provider",)))


@responses.activate
@pytest.mark.parametrize("ask", [analytics.meta, lambda client: analytics.query(client, ANYTHING)])
def test_an_inference_key_is_told_apart(client, ask):
    message = refusal("Only management keys can access analytics", 403)
    responses.get(META, status=403, json=message)
    responses.post(URL, status=403, json=message)
    with pytest.raises(errors.Forbidden) as caught:
        ask(client)
    assert caught.value.wrong_key_kind
