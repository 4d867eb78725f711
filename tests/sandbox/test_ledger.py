"""Spending: windows, limits, and a past that never changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgadmin.sandbox.ledger import Amounts, Gift, Ledger
from orgadmin.sandbox.moments import DAY, HOUR, RESETS, moment_of, seconds_of, window_end, window_start
from orgadmin.sandbox.money import NANO, dollars, worn
from orgadmin.sandbox.usage import GRAIN, SHAPES, Profile, raw_grains

START = seconds_of(datetime(2026, 8, 1, 9, 30, tzinfo=UTC))
END = seconds_of(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))

moments = st.integers(START - 3 * DAY, END + 3 * DAY)
resets = st.sampled_from([*RESETS, None])
profiles = st.builds(
    Profile,
    shape=st.sampled_from(SHAPES),
    variant=st.integers(0, 3),
    shift=st.integers(0, 30),
    pace=st.integers(1, 10**10),
    step=st.integers(1, 10**8),
    own=st.integers(0, GRAIN),
    phase=st.integers(0, HOUR - 1),
    salt=st.just("x"),
    surge=st.sampled_from([0, 10**9]),
    surge_at=st.integers(START, END),
)
many = settings(max_examples=60, deadline=None)


def ledger(
    profile: Profile, *, limit: int | None = None, reset: str | None = None, byok: bool = False
) -> Ledger:
    made = Ledger(7, profile)
    made.open(START, stop=None, limit=limit, reset=reset, byok=byok)
    return made


@given(seconds=st.integers(0, 4 * 10**9), reset=st.sampled_from(RESETS))
def test_windows_tile_time(seconds: int, reset: str) -> None:
    start, end = window_start(reset, seconds), window_end(reset, seconds)
    assert start <= seconds < end
    assert window_start(reset, start) == window_start(reset, end - 1) == start
    assert window_start(reset, end) == end
    first = moment_of(start)
    assert (first.hour, first.minute, first.second) == (0, 0, 0)
    assert reset != "weekly" or first.weekday() == 0
    assert reset != "monthly" or first.day == 1


@many
@given(profile=profiles, a=moments, b=moments, reset=resets, dollars_=st.integers(0, 500))
def test_spending_never_runs_backwards(
    profile: Profile, a: int, b: int, reset: str | None, dollars_: int
) -> None:
    spent = ledger(profile, limit=dollars_ * NANO, reset=reset, byok=True)
    early, late = spent.amounts(min(a, b)), spent.amounts(max(a, b))
    assert 0 <= early.usage <= late.usage
    assert 0 <= early.byok <= late.byok


@many
@given(profile=profiles, reset=resets, cents=st.integers(1, 50_000), byok=st.booleans(), at=moments)
def test_a_limit_holds_but_for_part_of_a_request(
    profile: Profile, reset: str | None, cents: int, byok: bool, at: int
) -> None:
    limit = cents * NANO // 100
    spent = ledger(profile, limit=limit, reset=reset, byok=byok)
    window = spent.window(reset, at) if reset else spent.standing(at)
    counted = window.usage + (window.byok if byok else 0)
    assert counted <= limit + GRAIN * (profile.step // 3 + 1)


@many
@given(
    profile=profiles,
    reset=resets,
    cents=st.integers(0, 9999),
    changes=st.lists(moments, max_size=6),
    at=moments,
)
def test_a_change_leaves_the_past_alone(
    profile: Profile, reset: str | None, cents: int, changes: list[int], at: int
) -> None:
    spent = ledger(profile, limit=cents * NANO // 100, reset=reset)
    for number, moment in enumerate(sorted(max(START, change) for change in changes)):
        before = [spent.amounts(early) for early in (moment - DAY, moment - 1, moment)]
        limit = None if number % 3 == 0 else number * NANO
        spent.open(moment, stop=None, limit=limit, reset=(*RESETS, None)[number % 4], byok=number % 2 == 0)
        assert [spent.amounts(early) for early in (moment - DAY, moment - 1, moment)] == before
    assert spent.amounts(at).usage >= 0


@many
@given(profile=profiles, reset=resets, cents=st.integers(0, 9999), order=st.permutations(range(6)))
def test_the_order_of_questions_does_not_matter(
    profile: Profile, reset: str | None, cents: int, order: list[int]
) -> None:
    moments_asked = [START + step * 17 * DAY + step for step in range(6)]
    fresh = [
        ledger(profile, limit=cents * NANO // 100, reset=reset).amounts(moment) for moment in moments_asked
    ]
    asked = ledger(profile, limit=cents * NANO // 100, reset=reset)
    assert {step: asked.amounts(moments_asked[step]) for step in order} == dict(enumerate(fresh))


@many
@given(profile=profiles, day=st.integers(START // DAY, END // DAY))
def test_the_hours_of_a_day_add_up_to_it(profile: Profile, day: int) -> None:
    points = [raw_grains(7, profile, day * DAY + hour * HOUR) for hour in range(25)]
    assert points == sorted(points)
    assert points[24] == raw_grains(7, profile, (day + 1) * DAY)


@many
@given(profile=profiles, reset=resets, cents=st.integers(1, 99_999), at=st.integers(START + 1, END))
def test_the_last_use_is_the_moment_the_total_was_reached(
    profile: Profile, reset: str | None, cents: int, at: int
) -> None:
    spent = ledger(profile, limit=cents * NANO // 100, reset=reset)
    used = spent.last_used(at)
    if used is None:
        assert spent.grains(at) == 0
    else:
        assert spent.grains(used) == spent.grains(at) > spent.grains(used - 1)


def test_nothing_is_spent_before_the_start_or_after_the_stop() -> None:
    profile = Profile("steady", 0, 0, 10**9, 10**5, 0, 0, "x")
    spent = Ledger(7, profile)
    spent.open(START, stop=START + 10 * DAY, limit=None, reset=None, byok=False)
    assert spent.amounts(START) == Amounts(0, 0)
    assert spent.amounts(START + 5 * DAY).usage > 0
    assert spent.amounts(START + 10 * DAY) == spent.amounts(END)


def test_a_gift_counts_from_its_moment_on_and_in_its_window_only() -> None:
    spent = Ledger(7, Profile("steady", 0, 0, 1, 1, 0, 0, "x"))
    midnight = window_start("daily", END)
    spent.gifts.append(Gift(midnight, Amounts(NANO, 2 * NANO)))
    assert spent.standing(midnight - 1) == Amounts(0, 0)
    assert spent.standing(midnight) == spent.window("daily", midnight) == Amounts(NANO, 2 * NANO)
    assert spent.window("daily", midnight + DAY) == Amounts(0, 0)
    assert spent.last_used(END) == midnight


@pytest.mark.parametrize(
    ("nano", "number"), [(0, 0), (NANO, 1), (12 * NANO, 12), (1, 1e-9), (25_500_000_000, 25.5)]
)
def test_money_is_spelled_as_the_service_does(nano: int, number: float) -> None:
    assert dollars(nano) == number
    assert isinstance(dollars(nano), int) == (nano % NANO == 0)


@given(nano=st.integers(0, 10**15))
def test_worn_doubles_still_round_to_their_amount(nano: int) -> None:
    assert round(worn(dollars(nano)) * NANO) == nano


def test_history_before_it_began_is_empty() -> None:
    profile = Profile("office", 0, 0, 10**9, 10**5, 0, 0, "x")
    assert raw_grains(7, profile, 0) == 0
    assert moment_of(0) + timedelta(days=1) == moment_of(DAY)
