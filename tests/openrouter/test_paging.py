from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter.errors import UnreadableAnswer
from orgadmin.openrouter.paging import Page, Unrepeated, walk_counted


@given(st.integers(0, 350), st.integers(1, 100))
def test_every_row_comes_once_whatever_a_page_holds(total, size):
    rows = tuple(str(number) for number in range(total))
    asked = []

    def fetch(offset):
        asked.append(offset)
        return Page(rows[offset : offset + size], total)

    walked = [row for page in walk_counted(fetch, lambda row: row) for row in page]
    assert walked == list(rows)
    assert len(asked) == max(1, -(-total // size))


def test_a_list_that_grows_in_front_repeats_no_row():
    rows = [str(number) for number in range(250)]

    def fetch(offset):
        page = Page(tuple(rows[offset : offset + 100]), len(rows))
        rows.insert(0, f"new {len(rows)}")
        return page

    walked = [row for page in walk_counted(fetch, lambda row: row) for row in page]
    assert sorted(walked) == sorted({str(number) for number in range(250)})


def test_a_list_that_shrinks_ends():
    rows = [str(number) for number in range(250)]

    def fetch(offset):
        page = Page(tuple(rows[offset : offset + 100]), 250)
        del rows[150:]
        return page

    assert [len(page) for page in walk_counted(fetch, lambda row: row)] == [100, 50, 0]


def test_a_server_that_ignores_the_offset_is_caught():
    asked = []

    def fetch(offset):
        asked.append(offset)
        return Page(("same",), 1_000_000)

    with pytest.raises(UnreadableAnswer, match="same page"):
        list(walk_counted(fetch, lambda row: row))
    assert len(asked) == 4


def test_a_row_twice_in_one_page_comes_once():
    assert Unrepeated[str](lambda row: row).new(("a", "b", "a")) == ("a", "b")
