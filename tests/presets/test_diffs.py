"""What differs between two versions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.presets.diffs import FieldChange, config_changes, difference, prompt_lines


def test_a_prompt_line_by_line() -> None:
    lines = prompt_lines("a\nb\nc", "a\nB\nc\nd")
    assert [(line.what, line.text, line.old, line.new) for line in lines] == [
        ("same", "a", 1, 1), ("removed", "b", 2, None), ("added", "B", None, 2), ("same", "c", 3, 3),
        ("added", "d", None, 4),
    ]  # fmt: skip


def test_lines_far_from_a_change_are_left_out_and_counted() -> None:
    old = "\n".join(str(number) for number in range(50))
    lines = prompt_lines(old, old.replace("\n40\n", "\nforty\n"))
    assert [line.text for line in lines] == ["37", "38", "39", "40", "forty", "41", "42", "43"]
    assert lines[0].skipped == 37


def test_the_end_of_a_line_is_a_difference_too() -> None:
    assert [line.what for line in prompt_lines("a", "a\n")] == ["removed", "added"]


def test_a_very_long_prompt_is_replaced_as_a_whole() -> None:
    old, new = "\n".join(["x"] * 3000), "\n".join(["x"] * 2999)
    assert len(prompt_lines(old, new)) == 5999


def test_a_config_field_by_field() -> None:
    old = {"model": "a", "provider": {"sort": "price", "zdr": True}, "temperature": Decimal("0.7")}
    new = {"model": "a", "provider": {"sort": "latency"}, "temperature": Decimal("0.70"), "tools": [{"x": 1}]}
    assert config_changes(old, new) == [
        FieldChange("provider.sort", "changed", '"price"', '"latency"'),
        FieldChange("provider.zdr", "removed", "true", ""),
        FieldChange("tools", "added", "", '[{"x": 1}]'),
    ]


def test_two_that_say_the_same_differ_in_nothing() -> None:
    assert difference(({"a": {}}, None), ({"a": {}}, "")).is_empty


@pytest.mark.parametrize("value", [None, "", False, 0, [], {}])
def test_an_empty_value_is_there(value: object) -> None:
    (change,) = config_changes({}, {"x": value})
    assert change.what == "added"


@given(st.text(alphabet="ab\n\r\u2028", max_size=40), st.text(alphabet="ab\n\r\u2028", max_size=40))
def test_every_difference_is_told(old: str, new: str) -> None:
    lines = prompt_lines(old, new)
    assert bool(lines) == (old != new)
    assert not lines or any(line.what != "same" for line in lines)
