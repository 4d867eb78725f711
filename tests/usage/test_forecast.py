"""The forecast: it knows the days of the week, its own errors, and how little it knows."""

from __future__ import annotations

import calendar
import random
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun, Workspace
from orgadmin.usage.backtest import backtest
from orgadmin.usage.clock import midnight
from orgadmin.usage.forecast import Forecast, Outlook, Reach, month_end
from orgadmin.usage.models import UsageHour
from orgadmin.usage.outlook import month_end as month_end_of
from tests.usage.daily import SANDBOX_DAY, WEEK, sandbox_days, weekly, write_days

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


# --- an organization ---

NOW = datetime.fromisoformat("2026-11-25T09:30:00+00:00")


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme", base_url="https://openrouter.test")


def hours_of(acme: Organization, dollars: int, *, until: datetime, dimension: int = 0, part: int = 0) -> None:
    """A dollar an hour from the last midnight on, asked at ``until``."""
    SyncRun.objects.create(organization=acme, kind="today", state="ok", started_at=until)
    for at in range(dollars):
        UsageHour.objects.create(
            organization_id=acme.pk,
            dimension=dimension,
            part=part,
            hour=midnight(until.date()) + timedelta(hours=at),
            usage=1,
        )


@time_machine.travel(NOW, tick=False)
def test_an_organization_and_its_workspaces_have_a_forecast_each(acme: Organization) -> None:
    first = NOW.date() - timedelta(days=200)
    rooms = [
        Workspace.objects.create(organization=acme, uid=str(number), name=str(number), slug=str(number))
        for number in range(2)
    ]
    for scale, room in enumerate(rooms, start=1):
        days = [(value, value / 4) for value in weekly(first, 200, scale=scale)]
        write_days(acme.pk, first, days, workspace=room.pk, key=room.pk)
    whole, one, two = (month_end_of(acme, room) for room in (None, *rooms))
    assert whole is not None
    assert one is not None
    assert two is not None
    november = 1.25 * sum(weekly(date(2026, 11, 1), 30))
    assert float(one.expected) == pytest.approx(november, rel=0.01)
    assert float(two.expected) == pytest.approx(2 * november, rel=0.01)
    assert float(whole.expected) == pytest.approx(3 * november, rel=0.01)
    assert whole.days == 200
    assert whole.spent == one.spent + two.spent


@time_machine.travel(NOW, tick=False)
def test_a_workspace_that_was_never_used_costs_nothing(acme: Organization) -> None:
    room = Workspace.objects.create(organization=acme, uid="new", name="new", slug="new")
    write_days(acme.pk, NOW.date() - timedelta(days=40), [(5, 0)] * 40, workspace=room.pk + 1)
    found = month_end_of(acme, room)
    assert found is not None
    assert (found.low, found.expected, found.high) == (Decimal(0), Decimal(0), Decimal(0))


@time_machine.travel(NOW, tick=False)
def test_an_organization_of_which_nothing_was_pulled_has_none(acme: Organization) -> None:
    assert month_end_of(acme) is None


@time_machine.travel(NOW, tick=False)
def test_today_comes_from_the_hours(acme: Organization) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=63), [(24, 0)] * 63)
    hours_of(acme, 9, until=NOW - timedelta(minutes=30))
    found = month_end_of(acme)
    assert found is not None
    assert found.spent == 24 * 24 + 9
    assert float(found.expected) == pytest.approx(30 * 24, abs=0.1)


@pytest.mark.parametrize("clock", ["2026-11-24T23:59:59+00:00", "2026-11-25T00:02:00+00:00"])
def test_midnight_forgets_nothing(acme: Organization, clock: str) -> None:
    """Yesterday is not settled yet, and the hours were pulled for the last time at five past eleven."""
    with time_machine.travel(datetime.fromisoformat(clock), tick=False):
        write_days(acme.pk, date(2026, 9, 1), [(24, 0)] * 84)
        hours_of(acme, 23, until=datetime.fromisoformat("2026-11-24T23:05:00+00:00"))
        found = month_end_of(acme)
    assert found is not None
    assert found.spent == 23 * 24 + 23
    assert float(found.expected) == pytest.approx(30 * 24, abs=4)


@time_machine.travel(NOW, tick=False)
def test_days_nobody_pulled_are_filled_in(acme: Organization) -> None:
    """OpenRouter, or this dashboard, was down for four days."""
    write_days(acme.pk, NOW.date() - timedelta(days=63), [(24, 0)] * 59)
    found = month_end_of(acme)
    assert found is not None
    assert found.spent == 20 * 24
    assert float(found.expected) == pytest.approx(30 * 24, abs=0.1)
    assert found.days == 59


@time_machine.travel(NOW, tick=False)
def test_a_day_of_nothing_is_known(acme: Organization) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=60), [(24, 0)] * 20 + [(0, 0)] * 40)
    found = month_end_of(acme)
    assert found is not None
    assert found.days == 60
    assert found.expected < 1


@time_machine.travel(NOW, tick=False)
def test_the_forecast_costs_four_queries(acme: Organization, django_assert_num_queries) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=300), [(24, 1)] * 300)
    with django_assert_num_queries(4):
        month_end_of(acme)


# --- against the naive run rate ---


@pytest.mark.parametrize(("seed", "keys"), [(7, 40), (5, 12)])
def test_it_beats_the_naive_run_rate_on_the_sandbox(seed: int, keys: int) -> None:
    values = [(usage + byok) / 1e9 for usage, byok in sandbox_days(seed=seed, keys=keys)]
    score = backtest(values, SANDBOX_DAY - timedelta(days=len(values)))
    assert score is not None
    assert score.months >= 10
    assert score.is_better
    assert score.error < 0.85 * score.naive_error
    assert 0.65 < score.coverage < 0.95


def test_no_month_is_judged_without_history() -> None:
    assert backtest(weekly(MONDAY, 55), MONDAY) is None
    assert backtest([], MONDAY) is None
    gap: list[float | None] = [*weekly(MONDAY, 95)]
    gap[40] = None
    # April has a day that nobody knows, May is whole.
    score = backtest(gap, MONDAY)
    assert score is not None
    assert {one.today.month for one in score.tries} == {5}


@time_machine.travel(datetime.fromisoformat("2026-11-25T09:30:00+00:00"), tick=False)
def test_the_command_prints_both_errors(acme: Organization) -> None:
    days = [(usage / 1e9, byok / 1e9) for usage, byok in sandbox_days()]
    write_days(acme.pk, SANDBOX_DAY - timedelta(days=len(days)), days)
    out = StringIO()
    call_command("backtest_forecast", organization="acme", stdout=out)
    heading, line = out.getvalue().splitlines()
    assert heading.split() == ["organization", "months", "days", "error", "naive", "in", "interval", "width"]
    slug, months, tried, error, naive, *_, word = line.split()
    assert (slug, word) == ("acme", "better")
    assert int(months) >= 10
    assert int(tried) > 290
    assert float(error.rstrip("%")) < float(naive.rstrip("%"))


@time_machine.travel(NOW, tick=False)
def test_the_command_fails_where_the_forecast_is_no_better(acme: Organization) -> None:
    """A constant is what the run rate is perfect for; the other organization has too little to be judged."""
    Organization.objects.create(name="Beta", slug="beta", base_url="https://openrouter.test")
    write_days(acme.pk, NOW.date() - timedelta(days=90), [(24, 0)] * 90)
    out = StringIO()
    with pytest.raises(CommandError, match="not better") as failed:
        call_command("backtest_forecast", stdout=out)
    assert failed.value.returncode == 1
    assert "NOT BETTER" in out.getvalue()
    assert "beta" in out.getvalue()
    assert "too little history" in out.getvalue()


def test_the_command_says_when_there_is_nothing_to_judge(acme: Organization) -> None:
    with pytest.raises(CommandError, match="nothing to judge") as failed:
        call_command("backtest_forecast", stdout=StringIO())
    assert failed.value.returncode == 2
    with pytest.raises(CommandError, match="no organization"):
        call_command("backtest_forecast", organization="nobody", stdout=StringIO())
