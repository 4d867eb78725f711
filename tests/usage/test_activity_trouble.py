"""The pull of activity under trouble, at midnight, and for organizations of other shapes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import activity as client
from orgadmin.usage import activity
from orgadmin.usage.models import (
    DaySum,
    Dimension,
    Grain,
    KeyCursor,
    Source,
    UsageDay,
    UsageRollup,
)
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.test_activity import asked, busiest
from tests.usage.upstream import Upstream, ago, assert_reconciled, assert_rolled_up, ours

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
YESTERDAY = ago(TODAY, 1)
FREE = "meta-llama/llama-3.3-70b-instruct:free"


# --- trouble ---------------------------------------------------------------------------------------


def test_upstream_is_down_for_a_day_and_the_gap_heals_itself(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    pulled: Pull,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgadmin.usage.activity.PATIENCE", replace(PATIENCE, tries=2))
    pulled("activity")
    before = held(synced.pk)
    clock.move_to(NOON + timedelta(days=1))
    sandbox.sandbox.fault(kind="status", status=503, path="/activity", times=2)
    run = pull("activity")
    assert run.state == SyncRun.State.FAILED
    assert held(synced.pk) == before
    assert not DaySum.objects.filter(day=TODAY).exists()

    clock.move_to(NOON + timedelta(days=2))
    sandbox.sandbox.clear_faults()
    pulled("keys")
    pulled("activity")
    assert TODAY in assert_reconciled(synced, upstream)


class Killed(BaseException):
    """What a SIGKILL is to the code: nothing catches it."""


def test_killed_between_two_keys_and_begun_again_it_leaves_the_same_rows(
    synced: Organization, upstream: Upstream, pull: Pull, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "TOGETHER", 4)
    fetch = client.fetch
    for deadly in (1, 6, 17, 23):
        calls = 0

        def dying(*given: Any, deadly: int = deadly, **filters: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > deadly:
                raise Killed
            return fetch(*given, **filters)

        monkeypatch.setattr(client, "fetch", dying)
        with pytest.raises(Killed):
            pull("activity")
        assert_rolled_up(synced)
        assert not DaySum.objects.exists()
    monkeypatch.setattr(client, "fetch", fetch)
    written = Key.objects.filter(pk__in=KeyCursor.objects.values("key_id"))
    already = set(written.values_list("hash", flat=True))
    assert len(already) >= 12
    upstream.seen()
    pulled("activity")
    _, keys, _ = asked(upstream)
    assert not set(keys) & already, "what was written is not asked for again"
    assert_reconciled(synced, upstream)
    after = held(synced.pk)
    UsageDay.objects.all().delete()
    UsageRollup.objects.all().delete()
    KeyCursor.objects.all().delete()
    pulled("activity")
    assert held(synced.pk) == after, "as a pull that nobody killed"


def test_a_pull_that_fails_in_the_middle_keeps_what_was_answered_and_goes_on_there(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgadmin.usage.activity.PATIENCE", replace(PATIENCE, tries=1))
    sandbox.sandbox.clear_requests()
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/activity", times=9)
    sandbox.sandbox.fault(kind="status", status=500, path="/activity")
    run = pull("activity")
    assert run.state == SyncRun.State.FAILED
    _, first, _ = asked(upstream)
    assert (len(first), run.calls) == (9, 10)
    assert set(KeyCursor.objects.values_list("key_id", flat=True)) == set(
        Key.objects.filter(hash__in=first[:8]).values_list("pk", flat=True)
    )
    pulled("activity")
    _, second, _ = asked(upstream)
    assert not set(first[:8]) & set(second)
    assert_reconciled(synced, upstream)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
        {"kind": "status", "status": 500},
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "truncated"},
        {"kind": "html"},
    ],
    ids=lambda fault: str(fault.get("status", fault["kind"])),
)
def test_trouble_in_the_middle_that_passes_is_asked_over(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pull: Pull,
    fault: dict[str, Any],
) -> None:
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/activity", times=5)
    sandbox.sandbox.fault(path="/activity", **fault)
    if pull("activity").state != SyncRun.State.OK:
        # An answer that makes no sense is not asked for again by the client; the next pull does.
        assert fault["kind"] in {"truncated", "html"}
        assert pull("activity").state == SyncRun.State.OK
    assert_reconciled(synced, upstream)


def test_a_slow_answer_times_out_and_is_asked_for_again(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgadmin.usage.activity.PATIENCE", replace(PATIENCE, read_timeout=0.5))
    sandbox.sandbox.fault(kind="delay", seconds=1.5, path="/activity")
    pulled("activity")
    assert_reconciled(synced, upstream)


def test_fields_and_words_nobody_heard_of_change_nothing(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    sandbox.sandbox.fault(kind="extra_field", path="/activity", times=20)
    pulled("activity")
    sandbox.sandbox.clear_faults()
    assert_reconciled(synced, upstream)


# --- time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", [datetime(2026, 3, 17, 19, tzinfo=UTC)], indirect=True)
def test_midnight_during_a_pull_takes_nothing_from_the_oldest_day(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pulled("activity")
    oldest = ours(synced)[ago(TODAY, 30)]
    key = busiest()
    sandbox.sandbox.outside.correct_day(key.hash, date=YESTERDAY.isoformat(), usd=Decimal(1))
    pulled("keys")
    # The window is reckoned before midnight, the answers come after it.
    monkeypatch.setattr(client, "fetch", _after_midnight(client.fetch, clock))
    clock.move_to(datetime(2026, 3, 17, 23, 59, 59, tzinfo=UTC))
    pulled("activity")
    monkeypatch.undo()
    assert ours(synced)[ago(TODAY, 30)] == oldest
    sandbox.sandbox.clear_requests()
    truth = upstream.by_day()
    del truth[TODAY]
    kept = ours(synced)
    assert {day: kept[day] for day in truth} == truth
    clock.move_to(datetime(2026, 3, 18, 0, 30, tzinfo=UTC))
    pulled("keys")
    pulled("activity")
    assert_reconciled(synced, upstream)


def _after_midnight(fetch: Any, clock: time_machine.Traveller) -> Any:
    def late(*given: Any, **filters: Any) -> Any:
        clock.move_to(datetime(2026, 3, 18, 0, 0, 1, tzinfo=UTC))
        return fetch(*given, **filters)

    return late


@pytest.mark.parametrize("clock", [datetime(2026, 3, 17, 23, 59, 59, tzinfo=UTC)], indirect=True)
def test_a_first_pull_across_midnight_leaves_the_oldest_day_to_history(
    synced: Organization,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "fetch", _after_midnight(client.fetch, clock))
    pulled("activity")
    noted = DaySum.objects.filter(source=Source.ACTIVITY).values_list("day", flat=True)
    assert ago(TODAY, 30) not in noted
    assert (min(noted), max(noted)) == (ago(TODAY, 29), YESTERDAY)
    assert not UsageDay.objects.filter(day__lt=ago(TODAY, 29)).exists()


@pytest.mark.parametrize("clock", [datetime(2026, 3, 18, 0, 0, 5, tzinfo=UTC)], indirect=True)
def test_just_after_midnight_the_day_before_is_not_taken_for_complete(
    synced: Organization, upstream: Upstream, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    assert not UsageDay.objects.filter(day__gte=TODAY).exists()
    assert DaySum.objects.filter(day=YESTERDAY).exists()
    assert not DaySum.objects.filter(day=TODAY).exists()
    clock.move_to(datetime(2026, 3, 18, 0, 30, tzinfo=UTC))
    pulled("keys")
    pulled("activity")
    assert TODAY in assert_reconciled(synced, upstream)


@pytest.mark.parametrize(
    "clock",
    [
        datetime(2026, 3, 31, 12, tzinfo=UTC),
        datetime(2026, 4, 1, 0, 30, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2028, 3, 1, 12, tzinfo=UTC),
        datetime(2027, 1, 1, 6, tzinfo=UTC),
    ],
    indirect=True,
    ids=str,
)
def test_months_end_where_they_end(synced: Organization, upstream: Upstream, pulled: Pull) -> None:
    pulled("activity")
    truth = assert_reconciled(synced, upstream)
    months: dict[date, int] = {}
    for day, sums in truth.items():
        months[day.replace(day=1)] = months.get(day.replace(day=1), 0) + sums[0]
    rows = UsageRollup.objects.filter(dimension=Dimension.TOTAL, grain=Grain.MONTH)
    assert {row.start: row.requests for row in rows} == months


# --- organizations of other shapes -----------------------------------------------------------------


def test_an_empty_organization_has_days_of_nothing(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "fetch", lambda *given, **filters: ())
    Key.objects.update(usage=0, usage_daily=0, byok_usage=0, byok_usage_daily=0)
    run = pulled("activity")
    assert run.seen == 0
    assert not UsageDay.objects.exists()
    days = DaySum.objects.values_list("upstream", "upstream_requests", "source")
    assert set(days) == {(Decimal(0), 0, Source.ACTIVITY)}
    assert len(days) == 30
    assert pulled("activity-full").changed == 0


def test_a_server_that_knows_no_workspaces_gives_the_same_totals(
    synced: Organization, upstream: Upstream, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = client.fetch

    def older(*given: Any, **filters: Any) -> Any:
        return fetch(*given, **(filters | {"by_workspace": False}))

    monkeypatch.setattr(client, "fetch", older)
    pulled("activity")
    assert pulled("activity").calls == 1
    monkeypatch.undo()
    upstream.seen()
    assert_reconciled(synced, upstream)
