"""What the rows of the analytics desk look like, which ones come, and in which order."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from orgadmin.sandbox.analytics.dimensions import DIMENSIONS
from orgadmin.sandbox.analytics.metrics import METRICS
from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.analytics import COUNTS, answered, condition, rows, span, stamp
from tests.sandbox.conftest import NOON, Caller

YEARLY = [name for name, metric in METRICS.items() if metric.window == 365]


@pytest.fixture(scope="module")
def year() -> Sandbox:
    """A year of use that no test here changes."""
    options = Options(
        keys=40, members=8, workspaces=4, days=400, analytics_per_minute=None, analytics_kept_for=0
    )
    return Sandbox(options, now=lambda: NOON)


@pytest.fixture
def api(year: Sandbox) -> Caller:
    return Caller(year, year.management_key)


def busiest(sandbox: Sandbox) -> dict[str, Any]:
    return max(sandbox.every_key(), key=lambda key: key["usage_weekly"])


def test_everything_on_offer_can_be_asked_for(api: Caller) -> None:
    meta = api.data("/analytics/meta")
    assert [row["name"] for row in meta["granularities"]] == ["minute", "hour", "day", "week", "month"]
    assert {row["name"]: row["value_type"] for row in meta["operators"]} == {
        **dict.fromkeys(("eq", "neq", "gt", "gte", "lt", "lte"), "scalar"), "in": "array", "not_in": "array",
    }  # fmt: skip
    assert {row["name"] for row in meta["metrics"] if row["is_rate"]} == {
        "cache_hit_rate", "guardrail_invoked_rate", "response_cached_rate",
    }  # fmt: skip
    formats = {row["name"]: row["display_format"] for row in meta["metrics"]}
    assert formats["p99_latency"] == "latency"
    assert formats["avg_throughput"] == "throughput"
    assert formats["byok_fees"] == "currency"
    assert all(
        row["display_label"] for kind in ("metrics", "dimensions", "granularities") for row in meta[kind]
    )
    names = [row["name"] for row in meta["metrics"]]
    assert len(names) == 34
    row = rows(api, metrics=names)[0]
    assert list(row) == names
    for dimension in meta["dimensions"]:
        hour = {"start": "2026-11-17T10:00:00Z", "end": "2026-11-17T10:10:00Z"}
        assert rows(api, dimensions=[dimension["name"]], time_range=hour)


def test_counts_are_text_money_and_rates_are_numbers_and_unused_parts_are_null(api: Caller) -> None:
    for row in rows(api, metrics=list(METRICS), dimensions=["api_key_id"]):
        for name, metric in METRICS.items():
            if metric.kind == "count":
                assert row[name].isdecimal()
            elif metric.kind == "money":
                assert isinstance(row[name], float | int)
            else:
                assert row[name] is None or isinstance(row[name], float)
                assert row[name] != 0 or metric.kind != "component"
    row = rows(api, metrics=["usage_file", "usage_web", "usage_upstream"], filters=[
        condition("variant", "eq", "free")
    ])[0]  # fmt: skip
    assert row == {"usage_file": None, "usage_web": None, "usage_upstream": 0}


def test_the_figures_hang_together(api: Caller) -> None:
    row = rows(api, metrics=list(METRICS), time_range=span(30))[0]
    number = {name: float(value) for name, value in row.items() if value is not None}
    assert number["tokens_total"] == number["tokens_prompt"] + number["tokens_completion"]
    assert number["total_usage"] == pytest.approx(number["credits_usage"] + number["byok_usage"], abs=1e-8)
    assert number["credits_usage"] == pytest.approx(
        number["openrouter_usage"] + number["byok_fees"], abs=1e-8
    )
    assert number["cache_hit_rate"] == number["cached_tokens"] / number["tokens_prompt"]
    for rate in ("cache_hit_rate", "guardrail_invoked_rate", "response_cached_rate"):
        assert 0 < number[rate] < 1
    assert (
        50
        < number["p50_latency"]
        < number["avg_latency"]
        < number["p90_latency"]
        < number["p99_latency"]
        < 60_000
    )
    assert 1 < number["p50_throughput"] < number["p90_throughput"] < number["p99_throughput"] < 2_000
    assert number["usage_cache"] < 0
    assert 0 < number["byok_fees"] < number["byok_usage"] * 0.1
    assert 0 < number["byok_request_count"] < number["request_count"]


@pytest.mark.parametrize(("granularity", "key", "first", "span_"), [
    ("minute", "created_at__minute", "2026-11-18T11:59:00.000Z", span(0.125)),
    ("hour", "created_at__hour", "2026-11-18T11:00:00.000Z", span(7)),
    ("day", "date__day", "2026-11-18", span(31)),
    ("week", "date__week", "2026-11-15", span(31)),
    ("month", "date__month", "2026-11-01", span(365)),
])  # fmt: skip
def test_time_keys(api: Caller, granularity: str, key: str, first: str, span_: dict[str, str]) -> None:
    found = rows(api, granularity=granularity, time_range=span_)
    assert list(found[0]) == [key, "total_usage"]
    assert found[0][key] == first
    moments = [row[key] for row in found]
    assert moments == sorted(set(moments), reverse=True)


def test_weeks_begin_on_sunday(api: Caller) -> None:
    weeks = [row["date__week"] for row in rows(api, granularity="week", time_range=span(365))]
    assert {datetime.fromisoformat(week).weekday() for week in weeks} == {6}
    assert len(weeks) == 53


@pytest.mark.parametrize("granularity", ["hour", "day", "week", "month"])
def test_buckets_add_up_to_the_range(api: Caller, granularity: str) -> None:
    # Neither end is at the edge of a bucket.
    range_ = {"start": "2026-10-20T05:17:33Z", "end": "2026-11-18T09:41:07Z"}
    metrics = ["credits_usage", "byok_usage", *COUNTS, "byok_request_count", "guardrail_invoked_count"]
    whole = rows(api, metrics=metrics, time_range=range_)[0]
    pieces = rows(
        api, metrics=metrics, time_range=range_, granularity=granularity, dimensions=["model", "workspace"],
        limit=10_000,
    )  # fmt: skip
    if granularity == "hour":
        pieces = rows(api, metrics=metrics, time_range=range_, granularity=granularity, limit=10_000)
    for name in metrics:
        total = round(sum(float(row[name]) for row in pieces), 8)
        assert total == pytest.approx(float(whole[name]), abs=1e-7)


@pytest.mark.parametrize("dimension", [name for name in DIMENSIONS if name != "generation_id"])
def test_every_dimension_adds_up_to_the_whole(api: Caller, dimension: str) -> None:
    metrics = ["credits_usage", "byok_usage", *COUNTS]
    whole = rows(api, metrics=metrics)[0]
    pieces = rows(api, metrics=metrics, dimensions=[dimension])
    assert len(pieces) > 1 or dimension == "external_user"
    for name in metrics:
        assert round(sum(float(row[name]) for row in pieces), 8) == pytest.approx(
            float(whole[name]), abs=1e-7
        )


def test_a_bucket_in_which_nothing_happened_is_not_there(year: Sandbox, api: Caller) -> None:
    office = next(row for row in year.account.keys if row.ledger.profile.shape == "nightly" and not row.idle)
    filters = [condition("api_key_id", "eq", office.hash)]
    day = {"start": "2026-11-17T00:00:00Z", "end": "2026-11-18T00:00:00Z"}
    hours = {
        row["created_at__hour"][11:13]
        for row in rows(api, granularity="hour", filters=filters, time_range=day)
    }
    assert {"01", "02"} <= hours
    assert not hours & {"12", "15"}


def test_nothing_lies_in_the_future(api: Caller) -> None:
    range_ = {"start": "2026-11-18T00:00:00Z", "end": "2026-11-20T00:00:00Z"}
    assert [row["date__day"] for row in rows(api, granularity="day", time_range=range_)] == ["2026-11-18"]


def test_rows_hold_labels_and_never_ids(year: Sandbox, api: Caller) -> None:
    text = str(rows(api, metrics=["request_count"], dimensions=["api_key_id", "user"], time_range=span(31)))
    text += str(rows(api, dimensions=["workspace", "app"]))
    for key in year.every_key():
        assert key["hash"] not in text
    assert "user_" not in text.replace("user_email", "")
    names = {row["api_key_id"] for row in rows(api, dimensions=["api_key_id"])}
    assert names <= {key["name"] for key in year.every_key()} | {None}
    assert "OpenRouter: Chatroom" in {row["app"] for row in rows(api, dimensions=["app"])}


def test_people_have_a_name_and_an_address_or_are_blank(year: Sandbox, api: Caller) -> None:
    found = rows(api, dimensions=["user"], time_range=span(365))
    blank = [row for row in found if not row["user"]]
    assert {row["user_email"] for row in blank} == {None}
    assert "" in {row["user"] for row in blank}
    known = {(f"{row.first_name} {row.last_name}", row.email) for row in year.account.members}
    assert {(row["user"], row["user_email"]) for row in found if row["user"]} <= known


def test_two_keys_of_one_name_have_two_rows(year: Sandbox, api: Caller) -> None:
    sandbox = Sandbox(year.options, now=lambda: NOON)
    own = Caller(sandbox, sandbox.management_key)
    for key in sandbox.every_key():
        sandbox.outside.update_key(key["hash"], name="same")
    found = [row["api_key_id"] for row in rows(own, dimensions=["api_key_id"])]
    assert set(found) == {"same", None}
    assert found.count("same") > 10


def test_a_key_is_filtered_by_hash_or_number(year: Sandbox, api: Caller) -> None:
    key = year.account.keys.get(busiest(year)["hash"])
    by_hash = rows(api, metrics=YEARLY, filters=[condition("api_key_id", "eq", key.hash)])
    assert by_hash
    for value in (key.numeric_id, str(key.numeric_id)):
        assert rows(api, metrics=YEARLY, filters=[condition("api_key_id", "eq", value)]) == by_hash
    assert rows(api, metrics=YEARLY, filters=[condition("api_key_id", "in", [key.hash, "0" * 64])]) == by_hash
    assert rows(api, filters=[condition("api_key_id", "eq", key.name)]) == []


def test_a_hash_that_stands_for_nothing_is_a_warning(api: Caller) -> None:
    found = answered(api, filters=[condition("api_key_id", "eq", "0" * 64)], granularity="day")
    assert found["data"] == []
    assert len(found["warnings"]) == 1
    assert "0" * 64 in found["warnings"][0]
    assert "warnings" not in answered(api)


def test_people_and_workspaces_are_filtered_by_id_only(year: Sandbox, api: Caller) -> None:
    member = next(iter(year.account.members))
    workspace = next(iter(year.account.workspaces))
    found = rows(api, dimensions=["user", "workspace"], filters=[
        condition("user", "eq", member.id), condition("workspace", "in", [workspace.id]),
    ])  # fmt: skip
    assert {(row["user_email"], row["workspace"]) for row in found} <= {(member.email, workspace.name)}
    assert rows(api, filters=[condition("user", "eq", f"{member.first_name} {member.last_name}")]) == []
    assert rows(api, filters=[condition("workspace", "eq", workspace.name)]) == []
    assert (
        rows(api, dimensions=["app"], filters=[condition("app", "eq", 1)])[0]["app"] == "OpenRouter: Chatroom"
    )


@pytest.mark.parametrize("dimension", ["model", "provider", "country", "variant", "finish_reason", "origin"])
def test_other_values_filter_as_they_are(api: Caller, dimension: str) -> None:
    every = {row[dimension]: row["total_usage"] for row in rows(api, dimensions=[dimension])}
    value = next(value for value, spent in every.items() if spent and value)
    kept = rows(api, dimensions=[dimension], filters=[condition(dimension, "eq", value)])
    assert kept == [{dimension: value, "total_usage": every[value]}]
    others = rows(api, dimensions=[dimension], filters=[condition(dimension, "not_in", [value])])
    assert {row[dimension] for row in others} == set(every) - {value, None}
    assert rows(api, dimensions=[dimension], filters=[condition(dimension, "neq", value)]) == others


def test_what_is_not_set_is_left_out_unless_it_is_wanted(api: Caller) -> None:
    every = {row["app"] for row in rows(api, dimensions=["app"])}
    assert None in every
    without = {row["app"] for row in rows(api, dimensions=["app"], filters=[condition("app", "not_in", [1])])}
    assert without == every - {None, "OpenRouter: Chatroom"}
    only = rows(api, dimensions=["app"], filters=[condition("app", "in", [], include_unset=True)])
    assert [row["app"] for row in only] == [None]


def test_order_operators_compare_numbers_and_letters(api: Caller) -> None:
    low = rows(api, dimensions=["app"], filters=[condition("app", "lte", 40_117)])
    assert {row["app"] for row in low} <= {"Help desk", "OpenRouter: Chatroom"}
    late = rows(
        api,
        dimensions=["country"],
        filters=[condition("country", "gte", "IN"), condition("country", "lt", "SE")],
    )
    assert {row["country"] for row in late} <= {"IN", "JP", "NL"}
    assert late


def test_rows_come_in_the_order_asked_for(api: Caller) -> None:
    def order(**question: Any) -> list[dict[str, Any]]:
        field, direction = question.pop("by")
        return rows(api, **question, order_by={"field": field, "direction": direction})

    spent = [row["total_usage"] for row in order(dimensions=["model"], by=("total_usage", "asc"))]
    assert spent == sorted(spent)
    counts = order(metrics=["request_count"], dimensions=["model"], by=("request_count", "desc"))
    assert [int(row["request_count"]) for row in counts] == sorted(
        (int(row["request_count"]) for row in counts), reverse=True
    )
    hidden = order(dimensions=["model"], by=("request_count", "desc"))
    assert [row["model"] for row in hidden] == [row["model"] for row in counts]
    assert set(hidden[0]) == {"model", "total_usage"}
    names = [row["model"] for row in order(dimensions=["model"], by=("model", "asc"))]
    assert names == sorted(names)
    dates = [row["date__day"] for row in order(granularity="day", by=("date", "asc"))]
    assert dates == sorted(dates)
    assert [row["total_usage"] for row in rows(api, dimensions=["model"])] == spent[::-1]


def test_rows_are_cut_to_their_limit_and_say_so(api: Caller) -> None:
    every = answered(api, dimensions=["model"])
    assert every["metadata"]["truncated"] is False
    some = answered(api, dimensions=["model"], limit=3)
    assert some["data"] == every["data"][:3]
    assert some["metadata"]["truncated"] is True
    exact = answered(api, dimensions=["model"], limit=len(every["data"]))
    assert exact["metadata"]["truncated"] is False


def test_a_breakdown_over_time_gets_more_room_unless_told_otherwise(api: Caller) -> None:
    question = {"dimensions": ["model"], "granularity": "day", "time_range": span(365)}
    roomy = answered(api, **question)
    assert len(roomy["data"]) > 1_000
    assert answered(api, **question, limit=1_000)["metadata"] == {
        "row_count": 1_000, "truncated": True, "query_time_ms": 24,
    }  # fmt: skip
    assert len(answered(api, **question, group_limit=400)["data"]) == 1_000


def test_a_group_limit_keeps_so_many_rows_of_each_group(api: Caller) -> None:
    found = answered(api, dimensions=["workspace"], granularity="day", group_limit=2)
    assert found["metadata"]["truncated"] is True
    names = [row["workspace"] for row in found["data"]]
    assert {names.count(name) for name in names} == {2}
    assert {row["date__day"] for row in found["data"]} == {"2026-11-18", "2026-11-17"}
    assert len(rows(api, granularity="day", group_limit=2)) == 8


def test_single_generations_have_an_id_of_their_own(year: Sandbox, api: Caller) -> None:
    key = sha256(year.inference_key.encode()).hexdigest()
    filters = [condition("api_key_id", "eq", key)]
    range_ = {"start": "2026-11-17T09:00:00Z", "end": "2026-11-17T09:30:00Z"}
    whole = rows(api, metrics=["total_usage", "request_count"], filters=filters, time_range=range_)[0]
    found = rows(
        api, metrics=["total_usage", "request_count"], dimensions=["generation_id"], filters=filters,
        time_range=range_, limit=10_000,
    )  # fmt: skip
    assert len({row["generation_id"] for row in found}) == len(found) > 10
    assert all(row["generation_id"].startswith("gen-") for row in found)
    assert sum(row["total_usage"] for row in found) == pytest.approx(whole["total_usage"], abs=1e-8)
    assert sum(int(row["request_count"]) for row in found) == int(whole["request_count"])
    one = found[len(found) // 2]["generation_id"]
    longer = {"start": "2026-11-17T08:00:00Z", "end": "2026-11-17T10:00:00Z"}
    alone = rows(
        api, dimensions=["generation_id"], time_range=longer,
        filters=[*filters, condition("generation_id", "eq", one)],
    )  # fmt: skip
    assert [row["generation_id"] for row in alone] == [one]


def test_the_last_seven_days_by_default(api: Caller) -> None:
    days = [row["date__day"] for row in rows(api, granularity="day")]
    assert (days[-1], days[0], len(days)) == ("2026-11-11", "2026-11-18", 8)


def test_a_deleted_key_stays_in_the_whole_and_keeps_its_name() -> None:
    sandbox = Sandbox(Options(keys=12), now=lambda: NOON)
    own = Caller(sandbox, sandbox.management_key)
    key = busiest(sandbox)
    number = sandbox.account.keys.get(key["hash"]).numeric_id
    before = rows(own, dimensions=["api_key_id"], time_range=span(30))
    own.delete(f"/keys/{key['hash']}")
    sandbox.advance(timedelta(seconds=61))
    after = rows(own, dimensions=["api_key_id"], time_range=span(30))
    assert [row for row in after if row["api_key_id"] == key["name"]] == [
        row for row in before if row["api_key_id"] == key["name"]
    ]
    assert answered(own, filters=[condition("api_key_id", "eq", key["hash"])])["warnings"]
    assert rows(own, filters=[condition("api_key_id", "eq", number)])


def test_a_minute_is_fine_enough_for_today(year: Sandbox, api: Caller) -> None:
    found = rows(api, metrics=["request_count"], granularity="minute", time_range={
        "start": stamp(NOON - timedelta(hours=3)), "end": stamp(NOON)
    })  # fmt: skip
    assert len(found) > 150
