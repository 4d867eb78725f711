"""A year on day one, and gaps that heal themselves: days from analytics, key by key."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.inventory.services import RETRY_AFTER, next_due
from orgadmin.openrouter import activity as activity_client
from orgadmin.openrouter import analytics
from orgadmin.usage import asking, history
from orgadmin.usage.models import (
    NO_KEY,
    UNKNOWN_KEY,
    DaySum,
    Dimension,
    Grain,
    HistoryPart,
    Source,
    UsageDay,
    UsageRollup,
)
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.upstream import Upstream, ago, assert_reconciled, assert_rolled_up, nano, ours

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
FIRST, LAST = ago(TODAY, 364), ago(TODAY, 31)


@pytest.fixture
def sandbox(clock: time_machine.Traveller, running_old_sandbox: RunningSandbox) -> RunningSandbox:
    """An organization with 14 keys and five months behind it."""
    running_old_sandbox.sandbox.reset()
    return running_old_sandbox


def assert_history(
    organization: Organization, upstream: Upstream, since: date = FIRST, until: date = LAST
) -> None:
    """Every day of the span is analytics' to the nano-dollar, and says that it is from there."""
    truth = upstream.analytics(since, until)
    kept = {day: sums for day, sums in ours(organization).items() if since <= day <= until}
    assert kept == truth
    days = DaySum.objects.filter(organization=organization, day__range=(since, until))
    assert set(days.values_list("source", flat=True)) == {Source.ANALYTICS}
    assert len(days) == (until - since).days + 1
    assert {row.day: nano(row.upstream) for row in days if row.upstream} == {
        day: usage + byok for day, (_, usage, byok) in truth.items() if usage + byok
    }
    assert_rolled_up(organization)


def questions(sandbox: RunningSandbox) -> Counter[str]:
    """Whose use analytics were asked for, and how often; "" is everybody's."""
    calls = sandbox.sandbox.requests()
    sandbox.sandbox.clear_requests()
    bodies = [call.body for call in calls.last if call.endpoint == "POST /analytics/query"]
    return Counter(next((one["value"] for one in body.get("filters", ())), "") for body in bodies)


# --- a year on day one -----------------------------------------------------------------------------


def test_nothing_is_asked_before_activity_has_told_where_it_begins(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull
) -> None:
    assert history.due(synced, None) is None
    sandbox.sandbox.clear_requests()
    assert pulled("history").calls == 0


def test_a_year_comes_key_by_key_and_each_day_has_one_source(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    assert history.gap(synced) == (FIRST, LAST)
    recent = ours(synced)
    sandbox.sandbox.clear_requests()
    run = pulled("history")
    asked = questions(sandbox)
    old = Key.objects.filter(created_at__lt=NOON - timedelta(days=30))
    assert set(asked) == {"", *old.values_list("hash", flat=True)}
    assert set(asked.values()) == {1}
    assert run.seen == run.expected == len(asked)
    assert_history(synced, upstream)
    assert {day: sums for day, sums in ours(synced).items() if day > LAST} == recent
    assert history.due(synced, None) is None


def test_a_key_has_what_analytics_say_it_had(synced: Organization, upstream: Upstream, pulled: Pull) -> None:
    pulled("activity")
    pulled("history")
    old = Key.objects.filter(created_at__lt=NOON - timedelta(days=60))
    assert old.exists()
    for key in old:
        facts = UsageDay.objects.filter(key_id=key.pk, day__lte=LAST)
        truth = upstream.analytics(FIRST, LAST, {"field": "api_key_id", "operator": "eq", "value": key.hash})
        assert ours(synced, facts=facts) == truth
        # Neither the provider nor the endpoint is known of these days.
        assert set(facts.values_list("provider_id", "endpoint_id")) <= {(0, 0)}


def test_use_of_keys_deleted_before_anybody_connected_is_that_of_an_unknown_key(
    organization: Organization, sandbox: RunningSandbox, request: pytest.FixtureRequest
) -> None:
    gone = max(sandbox.sandbox.every_key(), key=lambda key: key["usage"])["hash"]
    sandbox.sandbox.outside.correct_day(gone, date=ago(TODAY, 50).isoformat(), usd=Decimal("-99"))
    sandbox.sandbox.outside.delete_key(gone)
    pulled: Pull = request.getfixturevalue("pulled")
    pulled("activity")
    pulled("history")
    assert_history(organization, Upstream(sandbox))
    unknown = UsageDay.objects.filter(key_id=UNKNOWN_KEY)
    assert unknown.exists()
    # A refund to it is a row below zero, not a lost one.
    assert unknown.filter(day=ago(TODAY, 50), usage__lt=0).exists()
    assert not UsageDay.objects.filter(key_id=NO_KEY, day__lte=LAST).exists()


def test_an_organization_without_use_has_days_of_nothing(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_client, "fetch", lambda *given, **filters: ())
    query = analytics.query
    monkeypatch.setattr(analytics, "query", lambda *given: replace(query(*given), rows=()))
    pulled("activity")
    pulled("history")
    assert not UsageDay.objects.exists()
    assert DaySum.objects.filter(upstream=0).count() == 364
    assert history.due(synced, None) is None


@pytest.mark.parametrize("clock", [datetime(2028, 4, 15, 12, tzinfo=UTC)], indirect=True)
def test_a_leap_day_is_a_day(synced: Organization, upstream: Upstream, pulled: Pull) -> None:
    pulled("activity")
    pulled("history")
    day = date(2028, 4, 15)
    assert_history(synced, upstream, ago(day, 364), ago(day, 31))
    february = UsageRollup.objects.get(dimension=Dimension.TOTAL, grain=Grain.MONTH, start=date(2028, 2, 1))
    truth = upstream.analytics(date(2028, 2, 1), date(2028, 2, 29))
    assert truth[date(2028, 2, 29)][0] > 0
    assert february.requests == sum(sums[0] for sums in truth.values())


# --- answers that are not whole ---------------------------------------------------------------------


def test_an_answer_cut_short_is_asked_for_again_in_halves(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    query = analytics.query
    cut: list[bool] = []

    def short(client: Any, question: analytics.Query) -> analytics.Answer:
        answer = query(client, question)
        is_cut = len(answer.rows) > 500
        cut.append(is_cut)
        return replace(answer, rows=answer.rows[:500], truncated=True) if is_cut else answer

    monkeypatch.setattr(analytics, "query", short)
    pulled("activity")
    pulled("history")
    assert cut.count(True) > 3
    monkeypatch.undo()
    assert_history(synced, upstream)


def test_a_single_day_that_does_not_fit_fails_in_words(
    synced: Organization, pull: Pull, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("activity")
    query = analytics.query
    monkeypatch.setattr(analytics, "query", lambda *given: replace(query(*given), truncated=True))
    run = pull("history")
    assert run.state == SyncRun.State.FAILED
    assert "part of a single day" in run.error


def test_a_question_that_is_too_slow_is_asked_in_halves(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    sandbox.sandbox.fault(kind="status", status=408, path="/analytics/query", times=2)
    pulled("history")
    assert_history(synced, upstream)


def test_upstream_limits_the_rows_by_itself(
    synced: Organization, upstream: Upstream, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_ROWS", 300)
    pulled("activity")
    pulled("history")
    assert_history(synced, upstream)


# --- cut off, slow, failing ------------------------------------------------------------------------


class Killed(BaseException):
    """What a SIGKILL is to the code: nothing catches it."""


def test_killed_between_two_keys_it_goes_on_where_it_was(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulled("activity")
    query = analytics.query
    asked: list[int] = []

    def dying(*given: Any) -> Any:
        if len(asked) == 4:
            asked.clear()
            raise Killed
        asked.append(1)
        return query(*given)

    monkeypatch.setattr(analytics, "query", dying)
    sandbox.sandbox.clear_requests()
    for _ in range(2):
        with pytest.raises(Killed):
            pull("history")
        assert_rolled_up(synced)
    monkeypatch.setattr(analytics, "query", query)
    pulled("history")
    assert set(questions(sandbox).values()) == {1}, "nobody is asked for twice"
    assert_history(synced, upstream)
    after = held(synced.pk)

    UsageDay.objects.filter(day__lte=LAST).delete()
    UsageRollup.objects.filter(organization_id=synced.pk).delete()
    HistoryPart.objects.all().delete()
    DaySum.objects.filter(source=Source.ANALYTICS).delete()
    pulled("history")
    assert held(synced.pk) == after, "as a pull that nobody killed"


def test_it_works_in_slices_and_is_due_again_at_once(
    synced: Organization, upstream: Upstream, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("activity")
    monkeypatch.setattr(history.pull_history, "__kwdefaults__", {"clock": lambda: 0.0, "seconds": 0.0})
    runs = []
    while history.is_left(synced):
        runs.append(pulled("history"))
        due = history.due(synced, runs[-1].created_at)
        assert due is None or due <= runs[-1].created_at
    parts = HistoryPart.objects.count()
    assert [(run.seen, run.expected) for run in runs] == [(done, parts) for done in range(1, parts + 1)]
    assert_history(synced, upstream)


def test_when_upstream_fails_it_is_not_asked_again_at_once(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgadmin.usage.history.PATIENCE", replace(PATIENCE, tries=1))
    pulled("activity")
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=3)
    sandbox.sandbox.fault(kind="status", status=500, path="/analytics/query")
    run = pull("history")
    assert run.state == SyncRun.State.FAILED
    assert next_due(synced, "history", run, lambda kind: True) == run.created_at + RETRY_AFTER
    assert HistoryPart.objects.exclude(done_at=None).count() == 3
    pulled("history")
    assert_history(synced, upstream)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
        {"kind": "status", "status": 502},
        {"kind": "drop_after"},
        {"kind": "extra_field"},
    ],
    ids=lambda fault: str(fault.get("status", fault["kind"])),
)
def test_trouble_that_passes_is_asked_over(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull, fault: dict[str, Any]
) -> None:
    pulled("activity")
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=4)
    sandbox.sandbox.fault(path="/analytics/query", **fault)
    pulled("history")
    assert_history(synced, upstream)


def test_days_that_analytics_forgot_meanwhile_are_not_kept_by_halves(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    monkeypatch.setattr(history, "HISTORY_DAYS", 60)
    query = analytics.query
    asked: list[int] = []

    def dying(*given: Any) -> Any:
        asked.append(1)
        if len(asked) == 4:
            raise Killed
        return query(*given)

    monkeypatch.setattr(analytics, "query", dying)
    with pytest.raises(Killed):
        pull("history")
    monkeypatch.setattr(analytics, "query", query)
    assert UsageDay.objects.filter(day=ago(TODAY, 59)).exists()

    clock.move_to(NOON + timedelta(days=2))
    for kind in ("keys", "activity", "history"):
        pulled(kind)
    assert_history(synced, upstream, ago(TODAY, 57), LAST)
    assert not UsageDay.objects.filter(day__lt=ago(TODAY, 57)).exists()
    assert not DaySum.objects.filter(day__lt=ago(TODAY, 57)).exists()
    assert history.due(synced, None) is None


# --- gaps ------------------------------------------------------------------------------------------


def test_a_gap_longer_than_activity_remembers_heals_from_analytics(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    pulled("history")
    key = Key.objects.order_by("-usage_monthly")[0]
    sandbox.sandbox.set_now(NOON + timedelta(days=5))
    sandbox.sandbox.outside.correct_day(key.hash, date=(TODAY + timedelta(days=2)).isoformat(), usd=-3)
    clock.move_to(NOON + timedelta(days=45))
    sandbox.sandbox.clock.restore()

    for kind in ("keys", "activity"):
        pulled(kind)
    missing = TODAY, TODAY + timedelta(days=14)
    assert history.gap(synced) == missing
    sandbox.sandbox.clear_requests()
    pulled("history")
    asked = questions(sandbox)
    assert set(asked.values()) == {1}
    assert_history(synced, upstream, *missing)
    assert_reconciled(synced, upstream)
    sources = dict(DaySum.objects.values_list("day", "source"))
    assert sources[ago(TODAY, 1)] == sources[TODAY + timedelta(days=15)] == Source.ACTIVITY
    assert history.due(synced, None) is None


def test_a_key_deleted_in_the_gap_is_asked_for_too(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    pulled("history")
    key = Key.objects.order_by("-usage_monthly")[0]
    sandbox.sandbox.set_now(NOON + timedelta(days=6))
    sandbox.sandbox.outside.delete_key(key.hash)
    clock.move_to(NOON + timedelta(days=45))
    sandbox.sandbox.clock.restore()
    for kind in ("keys", "activity", "history"):
        pulled(kind)
    assert_history(synced, upstream, TODAY, TODAY + timedelta(days=14))
    assert_reconciled(synced, upstream)
