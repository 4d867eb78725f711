"""How values are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import formats

NOW = datetime(2026, 11, 23, 10, 55, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "places", "shown"),
    [
        (Decimal("1204.18"), 2, "$1,204.18"),
        (Decimal(0), 2, "$0.00"),
        (Decimal("0.005"), 2, "<$0.01"),
        (Decimal("0.0099"), 2, "<$0.01"),
        (Decimal("0.01"), 2, "$0.01"),
        (Decimal("-3.2"), 2, "−$3.20"),
        (Decimal("-0.001"), 2, "−<$0.01"),
        (Decimal("2.675"), 2, "$2.68"),
        (Decimal("600"), 0, "$600"),
        (Decimal("0.4"), 0, "<$1"),
        (Decimal("0.00001234"), 6, "$0.000012"),
        (20, 2, "$20.00"),
        (None, 2, "—"),
    ],
)
def test_money(amount: Decimal | None, places: int, shown: str) -> None:
    assert formats.money(amount, places) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("0.00001234"), "$0.00001234"),
        (Decimal("1E-9"), "$0.000000001"),
        (Decimal("1204.1"), "$1,204.10"),
        (Decimal("20"), "$20.00"),
        (Decimal("2E+3"), "$2,000.00"),
        (Decimal("-1.50"), "−$1.50"),
        (None, "—"),
    ],
)
def test_exact_money(amount: Decimal | None, shown: str) -> None:
    assert formats.exact_money(amount) == shown


@given(st.decimals(min_value=-1_000_000_000, max_value=1_000_000_000, places=9))
def test_money_never_shows_nothing_for_something(amount: Decimal) -> None:
    assert (formats.money(amount) == "$0.00") == (amount == 0)


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (0.88, "88 %"),
        (Decimal("0.999"), "99 %"),
        (1, "100 %"),
        (0, "0 %"),
        (0.001, "<1 %"),
        (12.5, "1,250 %"),
        (None, "—"),
    ],
)
def test_share_is_100_only_when_all_is_used(ratio: float | None, shown: str) -> None:
    assert formats.share(ratio) == shown.replace(" ", formats.THIN)


def test_numbers_and_words() -> None:
    assert formats.number(10213) == "10,213"
    assert formats.number(-5) == "−5"
    assert formats.number(None) == "—"
    assert formats.plural(1, "key") == "1 key"
    assert formats.plural(0, "key") == "0 keys"
    assert formats.plural(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=0), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=2, seconds=10), "2 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=30), "yesterday"),
        (timedelta(days=41), "41 d ago"),
        (timedelta(days=800), "2 y ago"),
        (-timedelta(minutes=5), "in 5 min"),
        (-timedelta(hours=25), "tomorrow"),
        (-timedelta(days=14, hours=1), "in 14 d"),
    ],
)
def test_relative(ago: timedelta, shown: str) -> None:
    assert formats.relative(NOW - ago, NOW).replace(formats.THIN, " ") == shown


def test_a_moment_is_always_utc() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))

    assert formats.exact(elsewhere) == "23 Nov 2026, 10:55:00 UTC"
    assert formats.exact("2026-11-23T10:55:12Z") == "23 Nov 2026, 10:55:12 UTC"
    assert formats.exact(NOW.replace(tzinfo=None)) == "23 Nov 2026, 10:55:00 UTC"
    assert formats.iso(elsewhere) == "2026-11-23T10:55:00Z"
    assert formats.exact(None) == "—"
    assert formats.relative(None) == "—"
    assert formats.iso("") == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.42, "0.4 s"), (12.9, "12 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (60, "1 min"), (None, "—")],
)
def test_duration(seconds: float | None, shown: str) -> None:
    assert formats.duration(seconds).replace(formats.THIN, " ") == shown
    if seconds is not None:
        assert formats.duration(timedelta(seconds=seconds)) == formats.duration(seconds)
