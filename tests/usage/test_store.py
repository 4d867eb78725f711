"""Facts and roll-ups: replaced, never added twice, always the sum of each other."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orgadmin.usage.models import NO_KEY, Dimension, Grain, UsageDay, UsageRollup
from orgadmin.usage.store import OutOfScope, Scope, rebuild_rollups, replace_facts
from tests.usage.facts import DAY, ORGANIZATION, fact, held, replace, rolled_up

pytestmark = pytest.mark.django_db
MARCH = Scope(1, DAY, DAY + timedelta(days=30))
CENT = 10_000_000


def test_twice_is_once() -> None:
    facts = [fact(nano=5 * CENT), fact(model=2, nano=7 * CENT)]
    assert replace([MARCH], facts) == 2
    before = held(), rolled_up()
    assert replace([MARCH], facts) == 0
    assert (held(), rolled_up()) == before


def test_what_the_answer_no_longer_has_goes_and_the_rest_stays() -> None:
    replace([MARCH], [fact(nano=5 * CENT), fact(model=2, nano=7 * CENT)])
    replace([Scope(2, DAY, DAY)], [fact(key=2, nano=CENT)])
    assert replace([MARCH], [fact(nano=5 * CENT)]) == 1
    assert UsageDay.objects.count() == 2
    total = UsageRollup.objects.get(dimension=Dimension.TOTAL, grain=Grain.DAY)
    assert (total.start, total.usage, total.requests) == (DAY, Decimal("0.06"), 2)


def test_days_outside_the_scope_are_left_alone() -> None:
    old = fact(DAY - timedelta(days=1), nano=CENT)
    replace([Scope(1, DAY - timedelta(days=1), DAY)], [old])
    replace([MARCH], [])
    assert [row.day for row in UsageDay.objects.all()] == [DAY - timedelta(days=1)]


def test_a_day_corrected_downwards_and_a_refund() -> None:
    replace([MARCH], [fact(nano=500 * CENT)])
    replace([MARCH], [fact(nano=-20 * CENT, requests=0)])
    month = UsageRollup.objects.get(dimension=Dimension.KEY)
    assert (month.usage, month.usage_above, month.requests) == (Decimal("-0.20"), 0, 0)


def test_rows_that_share_their_natural_key_are_added_up() -> None:
    replace([MARCH], [fact(nano=CENT), fact(nano=2 * CENT)])
    row = UsageDay.objects.get()
    assert (row.usage, row.requests) == (Decimal("0.03"), 2)


def test_a_fact_outside_its_scope_is_refused_and_nothing_is_written() -> None:
    replace([MARCH], [fact(nano=CENT)])
    for stray in (fact(key=2), fact(DAY - timedelta(days=1)), fact(key=NO_KEY)):
        with pytest.raises(OutOfScope):
            replace([MARCH], [fact(nano=9 * CENT), stray])
    assert UsageDay.objects.get().usage == Decimal("0.01")


def test_organizations_do_not_meet() -> None:
    replace([MARCH], [fact(nano=CENT)])
    replace([MARCH], [fact(nano=2 * CENT)], organization=2)
    replace([MARCH], [], organization=2)
    assert len(held()) == 1
    assert held(2) == {}
    assert rolled_up(2) == {}


def test_months_end_where_they_end_in_a_leap_year_too() -> None:
    days = [date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
    replace([Scope(1, days[0], days[-1])], [fact(day, nano=CENT) for day in days])
    months = UsageRollup.objects.filter(dimension=Dimension.TOTAL, grain=Grain.MONTH).order_by("start")
    assert [(row.start, row.usage) for row in months] == [
        (date(2028, 2, 1), Decimal("0.02")),
        (date(2028, 3, 1), Decimal("0.01")),
    ]


one_fact = st.builds(
    fact,
    day=st.dates(date(2026, 1, 30), date(2026, 2, 3)),
    key=st.integers(0, 3),
    member=st.integers(0, 1),
    workspace=st.integers(0, 1),
    model=st.integers(1, 2),
    endpoint=st.integers(0, 1),
    requests=st.integers(0, 3),
    tokens=st.integers(0, 100),
    nano=st.integers(-(10**15), 10**15),
    byok=st.integers(0, 10**12),
)
some_days = st.tuples(st.dates(date(2026, 1, 30), date(2026, 2, 3)), st.integers(0, 4))


@given(
    steps=st.lists(
        st.tuples(st.sets(st.integers(0, 3), min_size=1), some_days, st.lists(one_fact, max_size=8)),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_replaced_the_rollups_are_the_sums(
    steps: list[tuple[set[int], tuple[date, int], list[tuple[int, ...]]]],
) -> None:
    replace([Scope(key, date(2026, 1, 1), date(2026, 12, 31)) for key in range(4)], [])
    wanted: dict[tuple[object, ...], list[int]] = {}
    for keys, (since, length), offered in steps:
        until = since + timedelta(days=length)
        facts = [row for row in offered if row[1] in keys and since <= row[0] <= until]  # type: ignore[operator]
        replace_facts(
            organization_id=ORGANIZATION,
            scopes=[Scope(key, since, until) for key in keys],
            facts=facts,  # type: ignore[arg-type]
        )
        kept = {
            natural: sums
            for natural, sums in wanted.items()
            if not (natural[1] in keys and since <= natural[0] <= until)  # type: ignore[operator]
        }
        for row in facts:
            sums = kept.setdefault(row[:6], [0] * 7)
            kept[row[:6]] = [held + new for held, new in zip(sums, row[7:], strict=True)]
        wanted = {natural: sums for natural, sums in kept.items() if any(sums)}
    nano = [Decimal("1e9")] * 2
    found = {
        row[:6]: [*row[6:11], *(int(amount * unit) for amount, unit in zip(row[11:], nano, strict=True))]
        for row in held()
    }
    assert found == wanted
    before = rolled_up()
    rebuild_rollups(organization_id=ORGANIZATION)
    assert rolled_up() == before
