"""The pull of activity: what is asked, and that every day is OpenRouter's to the nano-dollar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member, SyncRun, Workspace
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import activity as client
from orgadmin.usage import activity
from orgadmin.usage.labels import labels
from orgadmin.usage.models import (
    NO_KEY,
    DaySum,
    Dimension,
    Grain,
    KeyCursor,
    Source,
    UsageDay,
    UsageModel,
    UsageRollup,
)
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.upstream import Upstream, ago, assert_reconciled, assert_rolled_up, ours

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
YESTERDAY = ago(TODAY, 1)
FREE = "meta-llama/llama-3.3-70b-instruct:free"


def busiest(nth: int = 0) -> Key:
    return Key.objects.filter(gone_at=None).order_by("-usage_monthly", "pk")[nth]


def unused() -> Key:
    return Key.objects.filter(gone_at=None, usage=0, byok_usage=0).order_by("pk")[0]


def asked(upstream: Upstream) -> tuple[int, list[str], list[str]]:
    """How often the organization was asked for, and which keys and members."""
    queries = upstream.seen()
    keys = [query["api_key_hash"] for query in queries if "api_key_hash" in query]
    members = [query["user_id"] for query in queries if "user_id" in query]
    return len(queries) - len(keys) - len(members), keys, members


# --- what is asked ---------------------------------------------------------------------------------


def test_the_first_pull_asks_once_for_the_organization_and_for_every_key_that_was_used(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled("activity")
    total, keys, _ = asked(upstream)
    used = {key.hash for key in Key.objects.all() if key.usage - key.usage_daily or key.byok_usage}
    assert total == 1
    assert len(keys) == len(set(keys))
    assert used <= set(keys)
    assert unused().hash not in keys
    assert run.seen == run.expected == len(keys)
    truth = assert_reconciled(synced, upstream)
    assert (min(truth), max(truth)) == (ago(TODAY, 30), YESTERDAY)


def test_every_key_has_what_openrouter_says_it_has(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    sandbox.sandbox.clear_requests()
    for key in Key.objects.all():
        facts = UsageDay.objects.filter(key_id=key.pk)
        assert ours(synced, facts=facts) == upstream.by_day(api_key_hash=key.hash)
        assert set(facts.values_list("member_id", flat=True)) <= {key.owner_id or 0}


def test_in_a_steady_state_one_call_finds_that_nothing_differs(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    before = held(synced.pk)
    sandbox.sandbox.clear_requests()
    run = pulled("activity")
    assert asked(upstream) == (1, [], [])
    assert (run.calls, run.seen, run.changed) == (1, 0, 0)
    assert held(synced.pk) == before


def test_only_the_key_whose_counters_moved_is_asked_the_second_time(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = busiest(3)
    sandbox.sandbox.outside.correct_day(key.hash, date=ago(TODAY, 9).isoformat(), usd=Decimal("4.5"))
    pulled("keys")
    sandbox.sandbox.clear_requests()
    run = pulled("activity")
    assert asked(upstream) == (1, [key.hash], [])
    assert run.changed == 1
    assert_reconciled(synced, upstream)


def test_a_day_later_the_keys_that_rested_are_not_asked(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    resting = busiest()
    sandbox.sandbox.outside.quiet_key(resting.hash)
    clock.move_to(NOON + timedelta(days=2))
    pulled("keys")
    sandbox.sandbox.clear_requests()
    pulled("activity")
    total, keys, _ = asked(upstream)
    assert total == 1
    assert resting.hash in keys  # it was used in the morning of the day it was last asked for
    assert_reconciled(synced, upstream)

    clock.move_to(NOON + timedelta(days=3))
    pulled("keys")
    sandbox.sandbox.clear_requests()
    pulled("activity")
    _, keys, _ = asked(upstream)
    assert resting.hash not in keys
    assert set(keys) <= set(
        Key.objects.filter(active_at__gte=NOON + timedelta(days=1)).values_list("hash", flat=True)
    )
    assert_reconciled(synced, upstream)


def test_days_beyond_the_window_stay_as_they_were(
    synced: Organization, upstream: Upstream, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    oldest = ours(synced)[ago(TODAY, 30)]
    for days in (1, 2):
        clock.move_to(NOON + timedelta(days=days))
        pulled("keys")
        pulled("activity")
        assert_reconciled(synced, upstream)
    assert ours(synced)[ago(TODAY, 30)] == oldest
    assert DaySum.objects.filter(source=Source.ACTIVITY).count() == 32


# --- what no key explains --------------------------------------------------------------------------


def test_the_chat_room_is_kept_by_member_and_by_nobody(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    when = ago(TODAY, 2).isoformat()
    sandbox.sandbox.outside.correct_day(date=when, usd=Decimal("1.25"), requests=3)
    pulled("activity")
    assert_reconciled(synced, upstream)
    chat = UsageDay.objects.filter(key_id=NO_KEY)
    assert chat.filter(member_id=0).exists()
    chatters = set(chat.exclude(member_id=0).values_list("member_id", flat=True))
    assert chatters
    for member in Member.objects.filter(pk__in=chatters):
        # A member's activity is that of their keys and of their chat room.
        facts = UsageDay.objects.filter(member_id=member.pk)
        assert ours(synced, facts=facts) == upstream.by_day(user_id=member.uid)


def test_a_refund_to_the_chat_room_may_lie_below_what_was_spent(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    when = ago(TODAY, 3).isoformat()
    sandbox.sandbox.outside.correct_day(date=when, usd=Decimal("-123.45"))
    pulled("activity")
    assert_reconciled(synced, upstream)
    assert UsageDay.objects.filter(key_id=NO_KEY, usage__lt=0).exists()
    sandbox.sandbox.clear_requests()
    pulled("activity")
    assert asked(upstream) == (1, [], [])


def test_what_a_key_spent_before_it_was_deleted_stays_its_own(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    key = busiest()
    before = ours(synced, facts=UsageDay.objects.filter(key_id=key.pk))
    clock.move_to(NOON + timedelta(days=1))
    sandbox.sandbox.outside.delete_key(key.hash)
    pulled("keys")
    pulled("activity")
    # What it spent after it was last asked for is not lost: nobody can say any more that it was this key.
    assert_reconciled(synced, upstream)
    assert ours(synced, facts=UsageDay.objects.filter(key_id=key.pk)) == before
    label = labels(Dimension.KEY, [key.pk])[key.pk]
    assert (label.text, label.is_gone) == (key.name, True)

    sandbox.sandbox.clear_requests()
    pulled("activity")
    assert asked(upstream) == (1, [], []), "a deleted key is not asked again with every pull"


def test_a_deleted_key_that_was_corrected_downwards_before_anybody_asked(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = busiest()
    sandbox.sandbox.outside.correct_day(key.hash, date=YESTERDAY.isoformat(), usd=Decimal(-7), requests=-2)
    sandbox.sandbox.outside.delete_key(key.hash)
    pulled("keys")
    pulled("activity")
    # Its own facts cannot be asked for any more; a row below zero makes the day OpenRouter's all the same.
    assert_reconciled(synced, upstream)
    row = UsageDay.objects.get(key_id=NO_KEY, usage__lt=0)
    assert (row.day, row.usage, row.requests) == (YESTERDAY, Decimal(-7), -2)


def test_a_workspace_deleted_with_its_keys(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    workspace = busiest().workspace
    assert workspace is not None
    sandbox.sandbox.outside.delete_workspace(workspace.uid)
    for kind in ("workspaces", "keys", "activity"):
        pulled(kind)
    assert_reconciled(synced, upstream)


def test_free_use_of_a_key_that_shows_no_sign_of_life_is_found_by_the_full_check(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    key = unused()
    sandbox.sandbox.outside.correct_day(
        key.hash, date=YESTERDAY.isoformat(), requests=7, prompt_tokens=900, model=FREE
    )
    pulled("activity")
    assert_reconciled(synced, upstream)
    assert not UsageDay.objects.filter(key_id=key.pk).exists()

    pulled("activity-full")
    assert_reconciled(synced, upstream)
    row = UsageDay.objects.get(key_id=key.pk)
    assert (row.requests, row.prompt_tokens, row.usage) == (7, 900, 0)
    # Once found it is no longer said to be nobody's.
    at = UsageDay.objects.filter(key_id=NO_KEY, day=YESTERDAY, model_id=row.model_id)
    assert not at.filter(requests=7).exists()


def test_free_use_is_found_at_once_where_the_key_was_seen_alive(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = unused()
    sandbox.sandbox.outside.correct_day(
        key.hash, date=YESTERDAY.isoformat(), requests=7, prompt_tokens=900, model=FREE
    )
    pulled("keys")
    pulled("activity")
    assert UsageDay.objects.get(key_id=key.pk).requests == 7
    assert_reconciled(synced, upstream)


def test_the_full_check_asks_every_key_once_a_day(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    done = Key.objects.filter(pk__in=KeyCursor.objects.filter(through=YESTERDAY).values("key_id"))
    already = set(done.values_list("hash", flat=True))
    sandbox.sandbox.clear_requests()
    pulled("activity-full")
    _, keys, _ = asked(upstream)
    assert set(keys) == set(Key.objects.values_list("hash", flat=True)) - already
    assert len(keys) == len(set(keys)) > 0
    sandbox.sandbox.clear_requests()
    pulled("activity-full")
    assert asked(upstream) == (1, [], [])


# --- corrections -----------------------------------------------------------------------------------


def test_a_day_is_corrected_downwards_and_refunded_below_zero(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = busiest()
    day = ago(TODAY, 12)
    for amount in (Decimal("-0.75"), Decimal("-500"), Decimal("499")):
        sandbox.sandbox.outside.correct_day(key.hash, date=day.isoformat(), usd=amount)
        pulled("keys")
        pulled("activity")
        assert_reconciled(synced, upstream)
    assert ours(synced, facts=UsageDay.objects.filter(key_id=key.pk)) == upstream.by_day(
        api_key_hash=key.hash
    )


def test_a_correction_is_found_although_the_keys_were_not_pulled(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = busiest()
    sandbox.sandbox.outside.correct_day(key.hash, date=YESTERDAY.isoformat(), byok_usd=Decimal("2.5"))
    pulled("activity")
    # Whose it is shows when the keys were pulled; the day is OpenRouter's before that.
    assert_reconciled(synced, upstream)
    pulled("keys")
    pulled("activity")
    assert_reconciled(synced, upstream)
    assert ours(synced, facts=UsageDay.objects.filter(key_id=key.pk)) == upstream.by_day(
        api_key_hash=key.hash
    )


def test_rows_that_come_twice_count_once(
    synced: Organization, upstream: Upstream, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = client.fetch

    def twice(*given: Any, **filters: Any) -> tuple[client.ActivityRow, ...]:
        rows = fetch(*given, **filters)
        return (*rows, *rows[::-1])

    monkeypatch.setattr(client, "fetch", twice)
    pulled("activity")
    monkeypatch.undo()
    assert_reconciled(synced, upstream)


def test_rows_that_share_their_natural_key_but_differ_are_added_up(
    synced: Organization, upstream: Upstream, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = client.fetch

    def halves(row: client.ActivityRow) -> tuple[client.ActivityRow, ...]:
        first = replace(row, usage=Decimal(0), requests=0)
        rest = replace(
            row,
            byok_usage_inference=Decimal(0),
            prompt_tokens=0,
            completion_tokens=0,
            reasoning_tokens=0,
            cached_tokens=0,
        )
        return first, rest

    monkeypatch.setattr(
        client, "fetch", lambda *given, **filters: tuple(
            half for row in fetch(*given, **filters) for half in halves(row)
        ),
    )  # fmt: skip
    pulled("activity")
    monkeypatch.undo()
    assert_reconciled(synced, upstream)


# --- what changes its name or place ----------------------------------------------------------------


def test_a_renamed_key_keeps_its_use(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    pulled("activity")
    key = busiest()
    before = held(synced.pk)
    sandbox.sandbox.outside.update_key(key.hash, name="Another name")
    pulled("keys")
    pulled("activity")
    assert held(synced.pk) == before
    assert labels(Dimension.KEY, [key.pk])[key.pk].text == "Another name"


def test_a_key_that_moved_has_used_each_workspace_while_it_was_there(
    synced: Organization,
    sandbox: RunningSandbox,
    upstream: Upstream,
    pulled: Pull,
    clock: time_machine.Traveller,
) -> None:
    pulled("activity")
    key = busiest()
    elsewhere = Workspace.objects.exclude(uid=key.workspace_uid)[0]
    sandbox.sandbox.outside.update_key(key.hash, workspace_id=elsewhere.uid)
    clock.move_to(NOON + timedelta(days=3))
    pulled("keys")
    pulled("activity")
    assert_reconciled(synced, upstream)
    where = dict(Workspace.objects.values_list("uid", "pk"))
    truth = upstream.by(lambda row: where[row["workspace_id"]], api_key_hash=key.hash, group_by="workspace")
    assert set(truth) == {key.workspace_id, elsewhere.pk}
    facts = UsageDay.objects.filter(key_id=key.pk, day__gte=ago(TODAY, 27))
    assert ours(synced, "workspace_id", facts) == truth


def test_a_workspace_that_nobody_knew_yet_gets_its_use_with_its_name(
    synced: Organization, upstream: Upstream, pulled: Pull
) -> None:
    workspace = busiest().workspace
    assert workspace is not None
    known = workspace.uid
    Workspace.objects.filter(pk=workspace.pk).update(uid="another")
    pulled("activity")
    assert_reconciled(synced, upstream)
    assert UsageDay.objects.filter(workspace_id=0).exists()
    Workspace.objects.filter(pk=workspace.pk).update(uid=known)
    pulled("activity")
    assert_reconciled(synced, upstream)
    assert not UsageDay.objects.filter(workspace_id=0).exists()


def test_a_renamed_model_is_one_model_and_a_vanished_one_keeps_its_use(
    synced: Organization,
    upstream: Upstream,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
    clock: time_machine.Traveller,
) -> None:
    fetch = client.fetch
    # Upstream spells the days before the renaming as they were.
    monkeypatch.setattr(
        client, "fetch", lambda *given, **filters: tuple(
            replace(row, model="old/name") if row.day < ago(TODAY, 5) else row
            for row in fetch(*given, **filters)
        ),
    )  # fmt: skip
    pulled("activity")
    monkeypatch.undo()
    recent = UsageDay.objects.filter(day=YESTERDAY).values("model_id")
    assert not UsageModel.objects.filter(pk__in=recent, slug="old/name").exists()
    vanished = UsageModel.objects.filter(pk__in=recent)[0]
    was = ours(synced, facts=UsageDay.objects.filter(model_id=vanished.pk))

    # A month and more later nobody uses it.
    monkeypatch.setattr(
        client, "fetch", lambda *given, **filters: tuple(
            row for row in fetch(*given, **filters) if row.model_permaslug != vanished.permaslug
        ),
    )  # fmt: skip
    clock.move_to(NOON + timedelta(days=30))
    pulled("keys")
    pulled("activity")
    assert ours(synced, facts=UsageDay.objects.filter(model_id=vanished.pk)) == was
    assert labels(Dimension.MODEL, [vanished.pk])[vanished.pk].text == vanished.slug


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
