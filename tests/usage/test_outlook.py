"""The forecast of an organization, from what was pulled; and whether it beats the naive run rate."""

from __future__ import annotations

import random
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
from orgadmin.usage.models import DaySum, UsageHour
from orgadmin.usage.outlook import behind, month_end
from tests.usage.daily import SANDBOX_DAY, sandbox_days, weekly, write_days

MONDAY = date(2026, 3, 2)
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
    whole, one, two = (month_end(acme, room) for room in (None, *rooms))
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
    found = month_end(acme, room)
    assert found is not None
    assert (found.low, found.expected, found.high) == (Decimal(0), Decimal(0), Decimal(0))


@time_machine.travel(NOW, tick=False)
def test_an_organization_of_which_nothing_was_pulled_has_none(acme: Organization) -> None:
    assert month_end(acme) is None


@time_machine.travel(NOW, tick=False)
def test_today_comes_from_the_hours(acme: Organization) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=63), [(24, 0)] * 63)
    hours_of(acme, 9, until=NOW - timedelta(minutes=30))
    found = month_end(acme)
    assert found is not None
    assert found.spent == 24 * 24 + 9
    assert float(found.expected) == pytest.approx(30 * 24, abs=0.1)


@pytest.mark.parametrize("clock", ["2026-11-24T23:59:59+00:00", "2026-11-25T00:02:00+00:00"])
def test_midnight_forgets_nothing(acme: Organization, clock: str) -> None:
    """Yesterday is not settled yet, and the hours were pulled for the last time at five past eleven."""
    with time_machine.travel(datetime.fromisoformat(clock), tick=False):
        write_days(acme.pk, date(2026, 9, 1), [(24, 0)] * 84)
        hours_of(acme, 23, until=datetime.fromisoformat("2026-11-24T23:05:00+00:00"))
        found = month_end(acme)
    assert found is not None
    assert found.spent == 23 * 24 + 23
    assert float(found.expected) == pytest.approx(30 * 24, abs=4)


@time_machine.travel(NOW, tick=False)
def test_days_nobody_pulled_are_filled_in(acme: Organization) -> None:
    """OpenRouter, or this dashboard, was down for four days."""
    write_days(acme.pk, NOW.date() - timedelta(days=63), [(24, 0)] * 59)
    found = month_end(acme)
    assert found is not None
    assert found.spent == 20 * 24
    assert float(found.expected) == pytest.approx(30 * 24, abs=0.1)
    assert found.days == 59


@time_machine.travel(NOW, tick=False)
def test_history_that_is_half_fetched_is_not_known(acme: Organization) -> None:
    """One key of two was asked so far: what the year cost is not what the one spent."""
    write_days(acme.pk, NOW.date() - timedelta(days=300), [(1, 0)] * 300)
    DaySum.objects.filter(day__lt=NOW.date() - timedelta(days=30)).delete()
    write_days(acme.pk, NOW.date() - timedelta(days=30), [(24, 0)] * 30)
    found = month_end(acme)
    assert found is not None
    assert found.days == 30
    assert float(found.expected) == pytest.approx(30 * 24, abs=0.1)
    past = behind(acme)
    assert past.first == NOW.date() - timedelta(days=30)
    assert None not in past.days


@time_machine.travel(NOW, tick=False)
def test_facts_that_no_day_vouches_for_are_no_forecast(acme: Organization) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=30), [(24, 0)] * 30)
    DaySum.objects.update(source="")
    assert month_end(acme) is None


@time_machine.travel(NOW, tick=False)
def test_a_day_of_nothing_is_known(acme: Organization) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=60), [(24, 0)] * 20 + [(0, 0)] * 40)
    found = month_end(acme)
    assert found is not None
    assert found.days == 60
    assert found.expected < 1


@time_machine.travel(NOW, tick=False)
def test_the_forecast_costs_four_queries(acme: Organization, django_assert_num_queries) -> None:
    write_days(acme.pk, NOW.date() - timedelta(days=300), [(24, 1)] * 300)
    with django_assert_num_queries(4):
        month_end(acme)


# --- against the naive run rate ---


@pytest.mark.parametrize(("seed", "keys"), [(7, 40), (5, 12)])
def test_it_beats_the_naive_run_rate_on_the_sandbox(seed: int, keys: int) -> None:
    values = [(usage + byok) / 1e9 for usage, byok in sandbox_days(seed=seed, keys=keys)]
    score = backtest(values, SANDBOX_DAY - timedelta(days=len(values)))
    assert score is not None
    assert score.months >= 10
    assert score.is_better
    assert score.error < 0.85 * score.naive_error
    assert 0.7 < score.coverage < 0.9


@pytest.mark.parametrize("growth", [0.004, 0.002, -0.004])
def test_the_interval_holds_where_spend_grows_or_falls_steadily(growth: float) -> None:
    """All errors of the past are to one side there; an interval to that side alone misses the others."""
    first = SANDBOX_DAY - timedelta(days=365)
    dice = random.Random(3)
    values = [
        value * (1 + growth) ** at * dice.uniform(0.7, 1.3) for at, value in enumerate(weekly(first, 365))
    ]
    score = backtest(values, first)
    assert score is not None
    assert score.is_better
    assert 0.7 <= score.coverage <= 0.95


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
