"""The forecast: it knows the days of the week, its own errors, and how little it knows."""

from __future__ import annotations

import calendar
import random
import time
from datetime import date, timedelta
from decimal import Decimal

import pytest

from orgadmin.usage.forecast import Forecast, Outlook, Reach, month_end
from tests.usage.daily import WEEK, sandbox_days, weekly

MONDAY = date(2026, 3, 2)


def noisy(first: date, days: int, *, growth: float = 0.0, seed: int = 1) -> list[float]:
    dice = random.Random(seed)
    return [
        value * (1 + growth) ** at * dice.uniform(0.8, 1.2)
        for at, value in enumerate(weekly(first, days))
    ]  # fmt: skip


# --- the days ahead ---


def test_a_week_that_repeats_itself_goes_on() -> None:
    outlook = Outlook(weekly(MONDAY, 200), MONDAY)
    for days in range(1, 32):
        found = outlook.ahead(days)
        assert found is not None
        assert found.expected == pytest.approx(sum(weekly(outlook.following, days)), rel=0.01)
        assert found.low <= found.expected <= found.high
        assert found.high - found.low < 0.05 * found.expected


def test_the_days_of_the_week_count() -> None:
    """Five working days or the week-end: a quarter of the days is not a quarter of the money."""
    friday_evening = Outlook(weekly(MONDAY, 61), MONDAY)
    assert friday_evening.following.weekday() == 5
    found = friday_evening.ahead(2)
    assert found is not None
    assert found.expected == pytest.approx(WEEK[5] + WEEK[6], rel=0.05)


def test_one_runaway_day_is_no_new_habit() -> None:
    values = weekly(MONDAY, 70)
    values[60] *= 20
    calm, shaken = Outlook(weekly(MONDAY, 70), MONDAY).ahead(20), Outlook(values, MONDAY).ahead(20)
    assert calm is not None
    assert shaken is not None
    assert shaken.expected < 1.35 * calm.expected
    # It may happen again, and the interval says so.
    assert shaken.high > 1.4 * calm.expected


def test_growth_is_followed_and_dies_away() -> None:
    values = noisy(MONDAY, 120, growth=0.01)
    found = Outlook(values, MONDAY).ahead(14)
    assert found is not None
    level = sum(values[-14:])
    coming = level * 1.01**14
    assert level < found.expected < 1.1 * coming
    far = Outlook(values, MONDAY).ahead(365)
    assert far is not None
    assert far.expected < 365 * level / 14 * 1.5


def test_what_was_spent_before_hardly_matters_after_a_change() -> None:
    values = [*weekly(MONDAY, 60), *weekly(MONDAY + timedelta(days=60), 28, scale=3)]
    found = Outlook(values, MONDAY).ahead(7)
    assert found is not None
    assert found.expected == pytest.approx(3 * sum(WEEK), rel=0.15)


def test_a_day_that_is_partly_over_costs_the_rest() -> None:
    outlook = Outlook(weekly(MONDAY, 70), MONDAY)
    whole, half, over = (outlook.ahead(7, passed=passed) for passed in (0.0, 0.5, 1.0))
    assert whole is not None
    assert half is not None
    assert over is not None
    assert whole.expected - half.expected == pytest.approx(WEEK[0] / 2, rel=0.02)
    assert whole.expected - over.expected == pytest.approx(WEEK[0], rel=0.02)


@pytest.mark.parametrize("days", [1, 2, 5, 9, 13, 20, 27])
def test_little_history_is_enough_for_a_wide_guess(days: int) -> None:
    outlook = Outlook(weekly(MONDAY, days), MONDAY)
    found = outlook.ahead(20)
    assert found is not None
    assert outlook.is_rough
    assert outlook.days == days
    coming = sum(weekly(outlook.following, 20))
    assert found.low < coming < found.high
    assert 0 <= found.low < found.expected < found.high


def test_the_interval_narrows_as_days_come_in() -> None:
    widths = []
    for days in (3, 10, 30, 120):
        found = Outlook(noisy(MONDAY, days), MONDAY).ahead(10)
        assert found is not None
        widths.append((found.high - found.low) / found.expected)
    assert widths == sorted(widths, reverse=True)


def test_errors_to_one_side_widen_both() -> None:
    """Spend that only ever grew was always under-estimated; that it stops growing is a case of five, too."""
    outlook = Outlook(noisy(MONDAY, 300, growth=0.01), MONDAY)
    found = outlook.ahead(20)
    assert found is not None
    assert found.high - found.expected > 0.05 * found.expected
    assert found.expected - found.low == pytest.approx(found.high - found.expected)


def test_nothing_known_is_no_forecast() -> None:
    assert Outlook([], MONDAY).ahead(5) is None
    assert Outlook([None, None], MONDAY).ahead(5) is None
    assert Outlook([], MONDAY).reach(10) is None


def test_nothing_spent_is_nothing_expected() -> None:
    outlook = Outlook([0.0] * 40, MONDAY)
    assert outlook.ahead(20) == (0, 0, 0)
    assert outlook.reach(10) is None


def test_refunds_do_not_turn_the_future_around() -> None:
    values = weekly(MONDAY, 70)
    values[-3] = -500.0
    found = Outlook(values, MONDAY).ahead(20)
    assert found is not None
    assert 0 <= found.low <= found.expected


def test_days_that_are_not_known_are_no_days_of_nothing() -> None:
    values: list[float | None] = [*weekly(MONDAY, 70)]
    values[50:60] = [None] * 10
    outlook, whole = Outlook(values, MONDAY), Outlook(weekly(MONDAY, 70), MONDAY)
    assert outlook.days == 60
    found, expected = outlook.ahead(10), whole.ahead(10)
    assert found is not None
    assert expected is not None
    assert found.expected == pytest.approx(expected.expected, rel=0.02)
    assert outlook.missing(outlook.first) == pytest.approx(sum(weekly(MONDAY, 70)[50:60]), rel=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_the_ends_are_in_order(seed: int) -> None:
    dice = random.Random(seed)
    values = [
        dice.choice([None, 0.0, 0.0, dice.uniform(-5, 5), dice.expovariate(0.1), 10.0 ** dice.randrange(9)])
        for _ in range(dice.randrange(1, 200))
    ]
    outlook = Outlook(values, date(2026, 1, 1) + timedelta(days=seed))
    for days in (1, 7, 31, 400):
        found = outlook.ahead(days, passed=dice.random())
        if found is not None:
            assert 0 <= found.low <= found.expected <= found.high
    reach = outlook.reach(dice.uniform(-10, 1e9), passed=dice.random())
    if reach is not None:
        known = [days for days in reach if days is not None]
        assert known == sorted(known)


def test_a_year_of_days_takes_no_time() -> None:
    values = [(usage + byok) / 1e9 for usage, byok in sandbox_days()][-365:]
    took = []
    for _ in range(10):
        start = time.perf_counter()
        Outlook(values, MONDAY).ahead(30, passed=0.4)
        took.append(time.perf_counter() - start)
    # Aimed at 5 ms; the tests run beside others.
    assert min(took) < 0.02


# --- how long an amount lasts ---


def test_an_amount_lasts_until_it_is_spent() -> None:
    outlook = Outlook(weekly(MONDAY, 70), MONDAY)
    found = outlook.reach(2 * sum(WEEK))
    assert found is not None
    assert found.expected == pytest.approx(14, abs=0.6)
    assert found.expected is not None
    assert found.soonest is not None
    assert found.latest is not None
    assert found.soonest <= found.expected <= found.latest
    later = outlook.reach(2 * sum(WEEK), passed=0.5)
    assert later is not None
    assert later.expected is not None
    # Half of Monday's spend is behind, so the amount reaches half an ordinary Monday further.
    assert later.expected == pytest.approx(14, abs=0.6)


def test_an_amount_may_be_gone_or_last_for_ever() -> None:
    outlook = Outlook(weekly(MONDAY, 70), MONDAY)
    assert outlook.reach(0) == outlook.reach(-3.5) == Reach(0, 0, 0)
    assert outlook.reach(1e9) == Reach(None, None, None)


# --- a month ---


def forecast_on(day: date, so_far: str = "0", passed: float = 0.0) -> Forecast:
    """Of a year of repeating weeks."""
    first = day - timedelta(days=365)
    values = weekly(first, 365)
    spent = sum(values[365 - (day.day - 1) :]) if day.day > 1 else 0.0
    found = month_end(
        Outlook(values, first), today=day, spent=Decimal(spent), so_far=Decimal(so_far), passed=passed
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2028, 2, 29), date(2028, 2, 1),
        date(2026, 12, 31), date(2026, 4, 15),
    ],
)  # fmt: skip
def test_every_month_ends_on_its_last_day(day: date) -> None:
    month = day.replace(day=1)
    whole = sum(weekly(month, calendar.monthrange(day.year, day.month)[1]))
    found = forecast_on(day)
    assert found.month == month
    assert float(found.expected) == pytest.approx(whole, rel=0.01)
    assert found.low <= found.expected <= found.high
    assert found.days == 365
    assert not found.is_rough


def test_on_the_last_second_of_a_month_all_is_spent() -> None:
    found = forecast_on(date(2028, 2, 29), so_far="77.25", passed=86_399 / 86_400)
    assert found.expected - found.spent < Decimal("0.01")
    assert found.high - found.low < Decimal("0.05")
    assert found.rest < Decimal("0.01")


def test_today_is_known_as_far_as_it_is_over() -> None:
    wednesday = date(2026, 4, 15)
    morning, evening = forecast_on(wednesday, "10", 0.25), forecast_on(wednesday, "300", 0.9)
    assert evening.expected - morning.expected == pytest.approx(Decimal(290 - 0.65 * WEEK[2]), abs=1)
    assert evening.spent - morning.spent == 290
