from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter import key, keys
from orgadmin.openrouter.errors import UnreadableAnswer
from orgadmin.openrouter.reading import Count, Figure, named, read_count, read_data, read_list
from orgadmin.openrouter.unset import UNSET, Unset
from tests.openrouter.cast import current_key_row, key_row, parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    size: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    amount: Decimal | None
    made_at: datetime | None
    tags: tuple[str, ...] | None = None
    inner: Inner | None = None
    inners: tuple[Inner, ...] | None = None
    anything: Mapping[str, Any] | None = None
    switch: bool | Unset | None = UNSET
    extra: Mapping[str, Any] = field(default_factory=dict)


ROW = {"name": "a", "amount": 1, "made_at": "2025-08-24T10:30:00Z"}


def thing(**changes: Any) -> Thing:
    return read_data(Thing, {"data": {**ROW, **changes}})


def test_it_reads_what_the_dataclass_names():
    read = thing(tags=["x"], inner={"size": 2}, inners=[{"size": 3}], anything={"b": 1})
    assert read == Thing(
        name="a",
        amount=Decimal(1),
        made_at=datetime(2025, 8, 24, 10, 30, tzinfo=UTC),
        tags=("x",),
        inner=Inner(size=2),
        inners=(Inner(size=3),),
        anything={"b": 1},
    )


@pytest.mark.parametrize("value", [True, False, None])
def test_it_tells_absence_from_null(value):
    assert thing(switch=value).switch is value
    assert thing().switch is UNSET
    unreadable = thing(switch="maybe")
    assert (unreadable.switch, unreadable.extra) == (UNSET, {"switch": "maybe"})


def test_it_keeps_what_it_does_not_know():
    assert thing(new_field={"a": 1}, extra="theirs").extra == {"new_field": {"a": 1}, "extra": "theirs"}


@pytest.mark.parametrize("name", ["name", "amount", "made_at"])
def test_a_missing_promise_is_named(name):
    row = {field: value for field, value in ROW.items() if field != name}
    with pytest.raises(UnreadableAnswer, match=f"lacks the field “data.{name}”") as caught:
        read_data(Thing, {"data": row})
    assert not caught.value.retryable
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": None}, "data.name"),
        ({"name": 5}, "data.name"),
        ({"amount": "1.5"}, "data.amount"),
        ({"amount": True}, "data.amount"),
        ({"amount": Decimal("1e999999")}, "data.amount"),
    ],
)
def test_a_broken_promise_is_named(changes, path):
    with pytest.raises(UnreadableAnswer, match=f"unexpected in the field “{path}”"):
        thing(**changes)


def test_a_row_in_a_list_is_named_by_its_place():
    with pytest.raises(UnreadableAnswer, match=r"lacks the field “data\[1\]\.amount”"):
        read_list(Thing, {"data": [ROW, {"name": "b"}]})


@pytest.mark.parametrize("data", [None, "x", 5, [5], {"a": 1}])
def test_a_list_that_is_none_is_unreadable(data):
    with pytest.raises(UnreadableAnswer, match="data"):
        read_list(Thing, {"data": data})
    with pytest.raises(UnreadableAnswer, match="lacks the field “data”"):
        read_list(Thing, {})


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": "x"},
        {"tags": [1]},
        {"inner": {"size": "big"}},
        {"inner": {}},
        {"inners": [{}]},
        {"anything": 3},
    ],
)
def test_an_optional_value_we_cannot_read_is_none_and_kept(changes):
    ((name, value),) = changes.items()
    read = thing(**changes)
    assert getattr(read, name) is None
    assert read.extra == {name: value}


def test_a_moment_we_cannot_parse_is_none_and_kept():
    read = thing(made_at="the day before yesterday")
    assert (read.made_at, read.extra) == (None, {"made_at": "the day before yesterday"})


def test_a_misfit_in_the_answer_to_a_change_leaves_its_outcome_unknown():
    with pytest.raises(UnreadableAnswer) as caught:
        read_data(Thing, {"data": {}}, write=True)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize(
    "answer", [{}, {"total_count": None}, {"total_count": "3"}, {"total_count": Decimal("1.5")}]
)
def test_a_count_that_is_none_is_unreadable(answer):
    with pytest.raises(UnreadableAnswer, match="total_count"):
        read_count(answer, "total_count")


def test_a_count_is_whole():
    assert read_count({"total_count": Decimal("3.0")}, "total_count") == 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    on: date = field(metadata=named("date"))
    sold: Count
    price: Figure
    returned: Count | None = field(default=None, metadata=named("sentBack"))
    extra: Mapping[str, Any] = field(default_factory=dict)


TALLY = {"date": "2026-05-31", "sold": 12, "price": 1}


def tally(**changes: Any) -> Tally:
    return read_data(Tally, {"data": {**TALLY, **changes}})


def test_a_field_may_have_another_name_in_json():
    assert tally(sentBack=3) == Tally(on=date(2026, 5, 31), sold=12, price=Decimal(1), returned=3)
    assert tally(returned=3).extra == {"returned": 3}


@pytest.mark.parametrize("value", [5, "5", Decimal("5.0"), "5.0", "0.5e1", "50E-1"])
def test_a_number_may_be_sent_as_text(value):
    read = tally(sold=value, price=value)
    assert (read.sold, read.price) == (5, Decimal(5))
    assert type(read.sold) is int


NO_NUMBERS = [
    "",
    " 5",
    "5 ",
    "+5",
    "05",
    "5.",
    ".5",
    "1_000",
    "1,000",
    "٣",
    "0x5",
    "five",
    "NaN",
    "Infinity",
    "-",
]


@pytest.mark.parametrize(
    "value", [*NO_NUMBERS, "5\n", "1e999", "1e99999999", "9" * 5000, None, True, [5], {}]
)
def test_what_is_no_number_is_named(value):
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.sold”"):
        tally(sold=value)
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.price”"):
        tally(price=value)


@pytest.mark.parametrize("value", ["0.5", Decimal("0.5"), "5e-1"])
def test_a_count_has_no_fraction(value):
    assert tally(price=value).price == Decimal("0.5")
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.sold”"):
        tally(sold=value)


def test_an_optional_count_we_cannot_read_is_none_and_kept():
    read = tally(sentBack="some")
    assert (read.returned, read.extra) == (None, {"sentBack": "some"})
    assert tally(sentBack=None).returned is None


@pytest.mark.parametrize("text", ["2026-05-31", "2026-05-31 00:00:00", "2026-05-31T00:00:00.000Z"])
def test_a_day_is_the_start_of_its_text(text):
    assert tally(date=text).on == date(2026, 5, 31)


@pytest.mark.parametrize(
    "value",
    ["", "2026-05", "2026-05-311", "2026-02-30", "20260531", "2026-W22-7", " 2026-05-31", None, 20260531],
)
def test_what_is_no_day_is_named(value):
    with pytest.raises(UnreadableAnswer, match=r"unexpected in the field “data\.date”"):
        tally(date=value)


def test_a_missing_day_is_named_as_json_names_it():
    with pytest.raises(UnreadableAnswer, match=r"lacks the field “data\.date”"):
        read_data(Tally, {"data": {"sold": 1, "price": 1}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*key_row(), "last_used_at", "external_user", "surprise"]), JSON)
def test_no_value_in_a_key_gives_anything_but_a_key_or_a_clear_error(name, value):
    answer = parsed({"data": key_row()})
    answer["data"][name] = value
    try:
        read_data(keys.Key, answer)
    except UnreadableAnswer as failure:
        complaint = failure.message
    else:
        complaint = f"none about {name}"
    assert name in complaint


@given(
    st.sampled_from(["budgets", "effective_budget", "allowed_data_regions", "free_model_daily_requests"]),
    JSON,
)
def test_what_is_new_in_the_current_key_never_breaks_it(name, value):
    answer = parsed({"data": current_key_row()})
    answer["data"][name] = value
    assert read_data(key.CurrentKey, answer).is_management_key
