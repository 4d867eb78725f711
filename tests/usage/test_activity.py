"""The pull of activity: what is asked, and that every day is OpenRouter's to the nano-dollar."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, Member
from orgadmin.usage.labels import labels
from orgadmin.usage.models import (
    NO_KEY,
    DaySum,
    Dimension,
    KeyCursor,
    Source,
    UsageDay,
)
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.upstream import Upstream, ago, assert_reconciled, ours

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
