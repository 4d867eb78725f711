"""The adapter: every spelling a row of analytics has been seen in, and none that becomes a wrong number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter.analytics_answer import Answer, Row, read_answer
from orgadmin.openrouter.errors import UnreadableAnswer
from tests.openrouter.cast import analytics_answer, parsed

MIDNIGHT = datetime(2026, 5, 31, tzinfo=UTC)


def row_of(raw: Mapping[str, Any], *metrics: str, by: tuple[str, ...] = (), each: str | None = None) -> Row:
    (row,) = read_answer(analytics_answer(raw), metrics=metrics, dimensions=by, granularity=each).rows
    return row


def answer_with(**changes: Any) -> Answer:
    return read_answer(parsed(analytics_answer(**changes)), metrics=("request_count",))


# Numbers


@pytest.mark.parametrize("value", [1500, "1500", Decimal("1500.0"), "1500.0", "1.5e3"])
@pytest.mark.parametrize(
    "metric",
    [
        "request_count",
        "byok_request_count",
        "tokens_total",
        "reasoning_tokens",
        "cached_tokens",
        "visits_count",
    ],
)
def test_a_count_is_an_int_however_it_is_sent(metric, value):
    row = row_of({metric: value}, metric)
    assert row.metrics == {metric: 1500}
    assert type(row.metrics[metric]) is int
    assert (row.count(metric), row.amount(metric)) == (1500, Decimal(1500))


def test_a_count_with_a_fraction_stays_exact():
    row = row_of({"tokens_total": "2.5"}, "tokens_total")
    assert row.metrics["tokens_total"] == row.amount("tokens_total") == Decimal("2.5")
    with pytest.raises(UnreadableAnswer, match="tokens_total"):
        row.count("tokens_total")


@pytest.mark.parametrize("value", [3, "3", Decimal("3"), "3.00"])
@pytest.mark.parametrize("metric", ["total_usage", "p90_latency", "cache_hit_rate", "never_heard_of"])
def test_everything_else_is_a_decimal(metric, value):
    found = row_of({metric: value}, metric).metrics[metric]
    assert found == 3
    assert type(found) is Decimal


def test_a_refund_is_less_than_nothing():
    assert row_of({"usage_data": Decimal("-0.000001")}, "usage_data").amount("usage_data") == Decimal("-1E-6")


@pytest.mark.parametrize("metric", ["total_usage", "request_count", "usage_web", "avg_latency"])
def test_null_is_kept_and_adds_nothing(metric):
    row = row_of({metric: None}, metric)
    assert row.metrics == {metric: None}
    assert row.amount(metric) == row.count(metric) == 0
    assert type(row.amount(metric)) is Decimal


@pytest.mark.parametrize("metric", ["usage_web", "byok_usage", "openrouter_usage", "avg_latency"])
def test_a_component_that_was_not_used_may_be_left_out(metric):
    row = row_of({}, metric)
    assert row.metrics == {metric: None}
    assert row.amount(metric) == 0


@pytest.mark.parametrize("metric", ["total_usage", "credits_usage", "request_count", "tokens_prompt"])
def test_a_total_that_is_left_out_is_not_zero(metric):
    with pytest.raises(UnreadableAnswer, match=rf"lacks the field “data\.data\[0\]\.{metric}”"):
        row_of({"model": "m"}, metric)


def test_a_metric_nobody_asked_for_is_not_zero():
    row = row_of({"request_count": 5}, "request_count")
    with pytest.raises(KeyError):
        row.amount("total_usage")
    with pytest.raises(KeyError):
        row.count("requests")


NO_NUMBERS = [
    "",
    "n/a",
    "NaN",
    "Infinity",
    "1,500",
    "1_500",
    " 5",
    "٣",
    "1e999",
    "9" * 20,
    10**19,
    True,
    [],
    {},
]


@pytest.mark.parametrize("value", [*NO_NUMBERS, Decimal("1e300"), Decimal("1e-999")])
@pytest.mark.parametrize("metric", ["request_count", "total_usage", "usage_web", "p99_latency"])
def test_a_garbled_number_is_named(metric, value):
    with pytest.raises(
        UnreadableAnswer, match=rf"unexpected in the field “data\.data\[0\]\.{metric}”"
    ) as caught:
        row_of({metric: value}, metric)
    assert (caught.value.retryable, caught.value.outcome_unknown) == (False, False)


# Time


@pytest.mark.parametrize("column", ["date__day", "created_at__day", "bucket__day"])
@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31",
        "2026-05-31T00:00:00.000Z",
        "2026-05-31T00:00:00Z",
        "2026-05-31 00:00:00",
        "2026-05-31T02:00:00+02:00",
    ],
)
def test_every_spelling_of_a_moment_is_utc(column, text):
    row = row_of({column: text}, each="day")
    assert (row.moment, row.extra) == (MIDNIGHT, {})
    assert row.moment is not None
    assert row.moment.tzinfo is UTC


@pytest.mark.parametrize("granularity", ["minute", "hour", "day", "week", "month", "fortnight"])
def test_the_column_is_found_by_the_granularity(granularity):
    raw = {f"created_at__{granularity}": "2026-05-31T00:00:00.000Z"}
    assert row_of(raw, each=granularity).moment == MIDNIGHT


def test_both_columns_may_come_if_they_agree():
    raw = {"date__day": "2026-05-31", "created_at__day": "2026-05-31T00:00:00Z"}
    assert row_of(raw, each="day").moment == MIDNIGHT
    with pytest.raises(UnreadableAnswer, match="date__day"):
        row_of({**raw, "created_at__day": "2026-06-01"}, each="day")


def test_a_column_with_a_similar_name_is_no_time():
    raw = {"requests__day": 5, "date__day": "2026-05-31", "updated_at__day": "2020-01-01"}
    row = row_of(raw, "requests__day", each="day")
    assert row == Row(
        moment=MIDNIGHT,
        dimensions={},
        metrics={"requests__day": Decimal(5)},
        extra={"updated_at__day": "2020-01-01"},
    )


@pytest.mark.parametrize("raw", [{}, {"date__hour": "2026-05-31"}, {"date": "2026-05-31"}])
def test_a_series_without_its_time_is_refused(raw):
    with pytest.raises(UnreadableAnswer, match=r"lacks the field “data\.data\[0\]\.date__day”"):
        row_of(raw, each="day")


@pytest.mark.parametrize(
    "value", [None, "", "today", "2026-02-30", 1780185600000, {}, "0001-01-01T00:00:00+14:00"]
)
def test_a_garbled_moment_is_named(value):
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.data\[0\]\.created_at__day”"):
        row_of({"created_at__day": value}, each="day")


def test_without_a_granularity_there_is_no_moment():
    row = row_of({"date__day": "2026-05-31"})
    assert (row.moment, row.extra) == (None, {"date__day": "2026-05-31"})


# Labels


def test_labels_are_kept_blank_ones_too():
    raw = {"user": "", "user_email": None, "api_key_id": "Build server", "request_count": "1"}
    row = row_of(raw, "request_count", by=("user", "api_key_id"))
    assert row.dimensions == {"user": "", "api_key_id": "Build server"}
    assert row.extra == {"user_email": None}


@pytest.mark.parametrize(
    ("value", "label"),
    [(None, None), ("1K", "1K"), (42, "42"), (Decimal("0.50"), "0.50"), (True, "true"), (" ", " ")],
)
def test_a_label_is_text_or_null(value, label):
    assert row_of({"app": value}, by=("app",)).dimensions == {"app": label}


@pytest.mark.parametrize("value", [[], {"name": "x"}, Decimal("1e300")])
def test_a_label_that_is_none_is_named(value):
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.data\[0\]\.app”"):
        row_of({"app": value}, by=("app",))


def test_a_dimension_that_is_left_out_is_refused():
    with pytest.raises(UnreadableAnswer, match=r"lacks the field “data\.data\[0\]\.model”"):
        row_of({"model_permaslug": "m"}, by=("model",))


# Around the rows


def test_what_lies_around_the_rows_is_read():
    assert answer_with() == Answer(
        rows=(), truncated=False, warnings=(), cached_at=None, row_count=0, query_time_ms=Decimal("42.5")
    )


def test_a_truncated_answer_says_so():
    metadata = {"query_time_ms": 1, "row_count": "1000", "truncated": True, "source": "x"}
    answer = answer_with(metadata=metadata, hint="y")
    assert (answer.truncated, answer.row_count, answer.extra) == (True, 1000, {"hint": "y"})


@pytest.mark.parametrize("truncated", ["false", 0, None])
def test_whether_rows_are_missing_is_not_guessed(truncated):
    metadata = {"query_time_ms": 1, "row_count": 0, "truncated": truncated}
    with pytest.raises(UnreadableAnswer, match=r"data\.metadata\.truncated"):
        answer_with(metadata=metadata)


@pytest.mark.parametrize("milliseconds", [{"query_time_ms": None}, {"query_time_ms": "quick"}, {}])
def test_how_long_it_took_is_not_worth_an_error(milliseconds):
    assert answer_with(metadata={"row_count": 0, "truncated": False, **milliseconds}).query_time_ms is None


@pytest.mark.parametrize("value", [1780185600000, 1780185600000.0, "1780185600000"])
def test_the_age_of_an_answer_is_in_milliseconds(value):
    assert answer_with(cachedAt=value).cached_at == MIDNIGHT


def test_the_age_of_an_answer_keeps_its_fraction():
    assert answer_with(cachedAt=1780185600000.25).cached_at == MIDNIGHT.replace(microsecond=250)


@pytest.mark.parametrize("value", [1e18, -1e18, "yesterday", [1]])
def test_an_age_we_cannot_read_is_none_and_kept(value):
    answer = answer_with(cachedAt=value)
    assert (answer.cached_at, answer.extra) == (None, parsed({"cachedAt": value}))


@pytest.mark.parametrize(
    ("warnings", "read"),
    [
        ([], ()),
        (None, ()),
        (["No such key", "Nor that one"], ("No such key", "Nor that one")),
        ("No such key", ("No such key",)),
        ([{"message": "No such key"}], ("{'message': 'No such key'}",)),
    ],
)
def test_no_warning_gets_lost(warnings, read):
    assert answer_with(warnings=warnings).warnings == read


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({}, "data"),
        ({"data": [{"request_count": 1}]}, "data"),
        ({"data": {"metadata": {}}}, r"data\.data"),
        ({"data": {"data": []}}, r"data\.metadata"),
        ({"data": {"data": {}, "metadata": {}}}, r"data\.data"),
        (analytics_answer(*[5]), r"data\.data\[0\]"),  # type: ignore[arg-type]
        (analytics_answer({"request_count": 1}, {}), r"data\.data\[1\]\.request_count"),
    ],
)
def test_an_answer_that_is_none_is_refused(answer, path):
    with pytest.raises(UnreadableAnswer, match=f"field “{path}”"):
        read_answer(answer, metrics=("request_count",))


# Whatever comes


@given(st.integers(-(10**18), 10**18))
def test_any_count_survives_either_spelling(count):
    for value in (count, str(count)):
        assert row_of({"request_count": value}, "request_count").count("request_count") == count


@given(st.decimals("-1e12", "1e12", allow_nan=False))
def test_any_cost_survives_either_spelling_digit_by_digit(cost):
    for value in (cost, str(cost)):
        row = row_of({"total_usage": value}, "total_usage")
        assert str(row.metrics["total_usage"]) == str(cost)
        assert row.amount("total_usage") == cost


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(["date", "created_at"]))
def test_any_moment_survives_either_spelling(moment, prefix):
    for text in (moment.isoformat(), moment.isoformat().replace("+00:00", "Z")):
        assert row_of({f"{prefix}__minute": text}, each="minute").moment == moment


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FINE = {
    "model": "m",
    "date__day": "2026-05-31",
    "request_count": "12",
    "total_usage": Decimal("0.5"),
    "usage_web": 1,
}


@given(st.sampled_from([*FINE, "surprise", "created_at__day"]), JSON)
def test_no_value_gives_anything_but_itself_or_a_clear_error(name, value):
    raw = {**FINE, name: value}
    try:
        row = row_of(raw, "request_count", "total_usage", "usage_web", by=("model",), each="day")
    except UnreadableAnswer as failure:
        # Two times that disagree are reported as the first of them.
        complaint = failure.message.replace("date__day", "date__day or created_at__day")
    else:
        complaint = f"none about {name}"
        sent = {metric: raw[metric] for metric in row.metrics}
        assert row.metrics == {key: None if text is None else Decimal(text) for key, text in sent.items()}
        assert name != "surprise" or row.extra == {"surprise": value}
    assert name in complaint


@given(st.sampled_from(["data", "metadata", "warnings", "cachedAt", "surprise"]), JSON)
def test_nothing_around_the_rows_gives_anything_but_an_answer_or_a_clear_error(name, value):
    answer = parsed(analytics_answer())
    answer["data"][name] = value
    try:
        read_answer(answer, metrics=("request_count",))
    except UnreadableAnswer as failure:
        complaint = failure.message
    else:
        complaint = f"none about {name}"
    assert name in complaint
