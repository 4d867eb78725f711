"""When a limit will be exceeded at the present pace."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.budgets.pace import Fate, Outlook, for_ever, in_window

BEGAN, ENDS = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "used", "outlook"),
    [
        (100, None, Outlook(Fate.UNKNOWN)),
        (100, 100, Outlook(Fate.OVER)),
        (100, 120, Outlook(Fate.OVER)),
        (0, 0, Outlook(Fate.OVER)),
        (100, 0, Outlook(Fate.FITS)),
        (100, 49, Outlook(Fate.FITS)),
        # Half the month took half of it: it ends with the month.
        (100, 50, Outlook(Fate.FITS)),
        (100, 60, Outlook(Fate.EXCEEDED, date(2026, 11, 26))),
        (100, 75, Outlook(Fate.EXCEEDED, date(2026, 11, 21))),
    ],
)
def test_in_a_window(limit: int, used: int | None, outlook: Outlook) -> None:
    assert in_window(limit, used, began=BEGAN, ends=ENDS, now=NOW) == outlook


def test_a_window_that_has_just_begun_tells_nothing() -> None:
    early = BEGAN + timedelta(hours=6)
    assert in_window(100, 60, began=BEGAN, ends=ENDS, now=early).fate is Fate.EARLY
    assert in_window(100, 100, began=BEGAN, ends=ENDS, now=early).fate is Fate.OVER


@pytest.mark.parametrize(
    ("used", "a_day", "outlook"),
    [
        (None, 1.0, Outlook(Fate.UNKNOWN)),
        (100, 1.0, Outlook(Fate.OVER)),
        (50, None, Outlook(Fate.EARLY)),
        (50, 0.0, Outlook(Fate.FITS)),
        (50, 10.0, Outlook(Fate.EXCEEDED, date(2026, 11, 21))),
        (50, 0.1, Outlook(Fate.FITS)),
    ],
)
def test_for_ever(used: int | None, a_day: float | None, outlook: Outlook) -> None:
    assert for_ever(100, used, a_day=a_day, now=NOW) == outlook


@given(
    limit=st.integers(1, 10**18),
    used=st.integers(0, 10**18),
    more=st.integers(0, 10**18),
    part=st.floats(0.06, 0.99),
)
def test_more_use_never_looks_better(limit: int, used: int, more: int, part: float) -> None:
    now = BEGAN + part * (ENDS - BEGAN)
    order = [Fate.FITS, Fate.EXCEEDED, Fate.OVER]
    before = in_window(limit, used, began=BEGAN, ends=ENDS, now=now)
    after = in_window(limit, used + more, began=BEGAN, ends=ENDS, now=now)
    assert order.index(after.fate) >= order.index(before.fate)
    if before.day and after.day:
        assert after.day <= before.day
