"""Today by the hour: from analytics, replaced as it grows, until activity has the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db.models import Sum

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun, Workspace
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import analytics
from orgadmin.usage.asking import _middle
from orgadmin.usage.clock import midnight
from orgadmin.usage.hours import NAMES, open_since
from orgadmin.usage.kinds import _hourly
from orgadmin.usage.models import Dimension, UsageDay, UsageHour
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.upstream import Sums, Upstream, ago, nano

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
CALLS = 4


def held() -> dict[Any, tuple[Any, ...]]:
    rows = UsageHour.objects.values_list("dimension", "hour", "part", "requests", "usage", "byok_usage")
    return {row[:3]: row[3:] for row in rows}


def today_of(dimension: Dimension) -> Sums:
    rows = UsageHour.objects.filter(dimension=dimension, hour__gte=midnight(TODAY))
    found = rows.aggregate(requests=Sum("requests"), usage=Sum("usage"), byok_usage=Sum("byok_usage"))
    return found["requests"] or 0, nano(found["usage"] or 0), nano(found["byok_usage"] or 0)


def test_before_activity_knows_yesterday_it_is_of_both_days(
    synced: Organization, pulled: Pull, clock: time_machine.Traveller
) -> None:
    assert open_since(synced) == ago(TODAY, 1)
    pulled("activity")
    assert open_since(synced) == TODAY
    clock.move_to(datetime(2026, 3, 18, 0, 0, 5, tzinfo=UTC))
    assert open_since(synced) == TODAY
    clock.move_to(datetime(2026, 3, 18, 0, 30, tzinfo=UTC))
    pulled("keys")
    pulled("activity")
    assert open_since(synced) == TODAY + timedelta(days=1)


def test_four_questions_tell_the_same_sum_in_four_ways(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    sandbox.sandbox.clear_requests()
    run = pulled("today")
    assert sandbox.sandbox.requests().counts == {"POST /analytics/query": CALLS}
    assert run.calls == CALLS
    assert run.seen == UsageHour.objects.count() > 0
    everything = today_of(Dimension.TOTAL)
    assert everything[0] > 0
    for dimension in (Dimension.MODEL, Dimension.WORKSPACE, Dimension.PROVIDER):
        assert today_of(dimension) == everything
    # Somebody may have used something in the second or two that the pull took.
    truth = upstream.analytics(TODAY, TODAY)[TODAY]
    assert 0 <= truth[1] - everything[1] < nano("0.5")
    assert UsageHour.objects.filter(dimension=Dimension.WORKSPACE, part__gt=0).exists()
    assert not UsageHour.objects.filter(hour__lt=midnight(TODAY)).exists()


def test_twice_is_once(synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        pulled("today")
        before = held()
        pulled("today")
        assert held() == before


def test_a_correction_downwards_replaces_what_was_there(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    clock.move_to(NOON + timedelta(minutes=20))
    key = Key.objects.order_by("-usage_monthly")[0]
    sandbox.sandbox.outside.correct_day(key.hash, date=TODAY.isoformat(), usd=Decimal(50), requests=5)
    pulled("today")
    before = today_of(Dimension.TOTAL)
    sandbox.sandbox.outside.correct_day(key.hash, date=TODAY.isoformat(), usd=Decimal(-80), requests=-5)
    # The same question a moment later would be answered from upstream's cache.
    clock.move_to(NOON + timedelta(minutes=40))
    pulled("today")
    after = today_of(Dimension.TOTAL)
    assert after[1] < before[1] - nano(70)
    assert today_of(Dimension.MODEL) == after


def test_the_hours_of_the_day_before_stay_for_comparison_and_old_ones_go(
    synced: Organization, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    pulled("today")
    mornings = UsageHour.objects.count()
    clock.move_to(NOON + timedelta(days=1))
    for kind in ("keys", "activity", "today"):
        pulled(kind)
    assert UsageHour.objects.filter(hour__lt=midnight(TODAY + timedelta(days=1))).count() == mornings
    clock.move_to(NOON + timedelta(days=50))
    for kind in ("keys", "activity", "today"):
        pulled(kind)
    assert not UsageHour.objects.filter(hour__lt=midnight(TODAY + timedelta(days=2))).exists()


@pytest.mark.parametrize("clock", [datetime(2026, 3, 17, 23, 58, tzinfo=UTC)], indirect=True)
def test_across_midnight_no_hour_is_lost(
    synced: Organization, upstream: Upstream, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    clock.move_to(datetime(2026, 3, 17, 23, 59, 59, tzinfo=UTC))
    pulled("today")
    clock.move_to(datetime(2026, 3, 18, 0, 0, 5, tzinfo=UTC))
    pulled("today")
    # The day is over and activity does not have it yet: the hours have all of it.
    upstream.seen()
    truth = upstream.analytics(TODAY, TODAY)[TODAY]
    total = UsageHour.objects.filter(dimension=Dimension.TOTAL, hour__lt=midnight(TODAY + timedelta(days=1)))
    assert sum(nano(row.usage) for row in total) == truth[1]
    assert sum(row.requests for row in total) == truth[0]
    assert len(total) == len({row.hour for row in total})


@pytest.mark.parametrize("clock", [datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)], indirect=True)
def test_the_last_second_of_a_leap_day(synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    pulled("today")
    assert UsageHour.objects.filter(hour__gte=datetime(2028, 2, 29, 22, tzinfo=UTC)).exists()


def test_a_name_that_two_workspaces_have_says_nothing(
    synced: Organization, pulled: Pull, sandbox: RunningSandbox
) -> None:
    first, second, *_ = Workspace.objects.order_by("pk")
    sandbox.sandbox.outside.rename_workspace(second.uid, name=first.name)
    pulled("workspaces")
    pulled("activity")
    pulled("today")
    parts = set(
        UsageHour.objects.filter(dimension=Dimension.WORKSPACE).values_list("part", flat=True).distinct()
    )
    assert 0 in parts
    assert not parts & {first.pk, second.pk}
    assert today_of(Dimension.WORKSPACE) == today_of(Dimension.TOTAL)


def test_a_failure_keeps_what_came_before_it_and_what_was_there(
    synced: Organization,
    sandbox: RunningSandbox,
    pull: Pull,
    pulled: Pull,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each dimension is written as it arrives: half of them newer is better than none."""
    monkeypatch.setattr("orgadmin.usage.hours.PATIENCE", replace(PATIENCE, tries=1))
    pulled("activity")
    pulled("today")
    before = {dimension: today_of(dimension) for dimension in NAMES}
    clock.move_to(NOON + timedelta(hours=3))
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=2)
    sandbox.sandbox.fault(kind="status", status=500, path="/analytics/query")
    run = pull("today")
    assert run.state == SyncRun.State.FAILED
    assert run.calls == 3
    after = {dimension: today_of(dimension) for dimension in NAMES}
    assert after[Dimension.TOTAL] == after[Dimension.MODEL] > before[Dimension.TOTAL]
    assert after[Dimension.WORKSPACE] == before[Dimension.WORKSPACE]
    assert after[Dimension.PROVIDER] == before[Dimension.PROVIDER]


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> list[tuple[datetime, datetime]]:
    """Let answers have at most so many rows; the ranges that are asked for by model."""
    query = analytics.query
    asked: list[tuple[datetime, datetime]] = []

    def short(client: Any, question: analytics.Query) -> analytics.Answer:
        if question.dimensions == ("model",):
            assert question.start
            assert question.end
            asked.append((question.start, question.end))
        answer = query(client, question)
        return replace(answer, rows=answer.rows[:most], truncated=len(answer.rows) > most)

    monkeypatch.setattr(analytics, "query", short)
    return asked


@pytest.mark.parametrize("clock", [NOON.replace(hour=22, minute=34)], indirect=True)
def test_a_day_with_more_rows_than_an_answer_holds_is_asked_for_by_parts(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some four hundred models in every hour are more than ten thousand rows by the evening."""
    pulled("activity")
    models = UsageDay.objects.values("model_id").distinct().count()
    asked = limited(monkeypatch, 2 * models)
    pulled("today")
    assert len(asked) > 1
    assert all(moment.minute == 0 for moment, _ in asked)
    whole = [span for span in asked if not any(span != other and within(other, span) for other in asked)]
    assert [end for _, end in whole[:-1]] == [start for start, _ in whole[1:]]
    assert today_of(Dimension.MODEL) == today_of(Dimension.TOTAL) > (0, 0, 0)


def within(inner: tuple[datetime, datetime], outer: tuple[datetime, datetime]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def test_an_hour_that_does_not_fit_is_told(
    synced: Organization, pull: Pull, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("activity")
    limited(monkeypatch, 0)
    run = pull("today")
    assert run.state == SyncRun.State.FAILED
    assert run.error == "OpenRouter's analytics give only part of a single hour."


@pytest.mark.parametrize(
    ("start", "end", "is_hourly", "middle"),
    [
        ("2026-03-16T00:00", "2026-03-18T00:00", False, "2026-03-17T00:00"),
        ("2026-03-16T00:00", "2026-03-18T00:00", True, "2026-03-17T00:00"),
        ("2026-03-16T00:00", "2026-03-17T12:34", True, "2026-03-16T18:00"),
        ("2026-03-17T00:00", "2026-03-17T22:34", True, "2026-03-17T11:00"),
        ("2026-03-17T11:00", "2026-03-17T12:34", True, "2026-03-17T12:00"),
        ("2026-03-17T10:00", "2026-03-17T12:00", True, "2026-03-17T11:00"),
    ],
)
def test_where_a_range_is_parted(start: str, end: str, is_hourly: bool, middle: str) -> None:
    at = [datetime.fromisoformat(f"{moment}+00:00") for moment in (start, end, middle)]
    assert _middle(at[0], at[1], is_hourly=is_hourly) == at[2]


def test_an_organization_without_use_has_no_hours(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = analytics.query
    monkeypatch.setattr(analytics, "query", lambda *given: replace(query(*given), rows=()))
    assert pulled("today").seen == 0
    assert not held()


def test_it_is_due_five_minutes_past_every_hour(synced: Organization) -> None:
    assert _hourly(synced, None) < NOON
    for last, due in (
        (NOON, NOON.replace(minute=5)),
        (NOON.replace(minute=5), NOON.replace(hour=13, minute=5)),
        (NOON.replace(hour=23, minute=59), NOON.replace(day=18, hour=0, minute=5)),
        (datetime(2028, 2, 29, 23, 30, tzinfo=UTC), datetime(2028, 3, 1, 0, 5, tzinfo=UTC)),
    ):
        assert _hourly(synced, last) == due
