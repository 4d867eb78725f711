from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter import jsontext

AMOUNTS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e18"), max_value=Decimal("1e18")
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | AMOUNTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(AMOUNTS)
def test_money_survives_the_round_trip_digit_by_digit(amount):
    text = jsontext.dumps({"limit": amount})
    back = Decimal(jsontext.loads(text)["limit"])
    assert back == amount
    assert not any(letter in text[9:-1] for letter in 'eE"+')


@given(PLAIN)
def test_what_it_writes_any_json_parser_reads(value):
    assert jsontext.loads(jsontext.dumps(value)) == value
    json.loads(jsontext.dumps(value))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_it_reads_the_digits_of_the_text_not_the_float_behind_them(number):
    assert jsontext.loads(json.dumps(number)) == Decimal(repr(number))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("0.1"), "0.1"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+2"), "100"),
        (Decimal("12.50"), "12.50"),
        (Decimal("0"), "0"),
        (Decimal("123456789.123456789123456789"), "123456789.123456789123456789"),
    ],
)
def test_amounts_are_written_in_plain_digits(amount, text):
    assert jsontext.dumps(amount) == text


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999", "1E-999999"])
def test_it_refuses_to_write_what_is_no_amount(amount):
    with pytest.raises(ValueError, match="finite"):
        jsontext.dumps({"limit": Decimal(amount)})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_it_refuses_floats_that_are_no_number(number):
    with pytest.raises(ValueError, match="finite"):
        jsontext.dumps([number])


@pytest.mark.parametrize("value", [object(), {1: "x"}, {"a": {1, 2}}, b"bytes"])
def test_it_refuses_what_json_has_no_form_for(value):
    with pytest.raises(TypeError):
        jsontext.dumps(value)


@pytest.mark.parametrize(
    "text", ["", "<html>", "{", "NaN", '{"a": Infinity}', "[" * 100_000, "1" * 5000, "1e99999999999999999999"]
)
def test_text_that_is_not_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".*"):
        jsontext.loads(text)
