"""The pull of activity where OpenRouter changes its mind, and where things change their names or places."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Workspace
from orgadmin.openrouter import activity as client
from orgadmin.usage.labels import labels
from orgadmin.usage.models import (
    Dimension,
    UsageDay,
    UsageModel,
)
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import held
from tests.usage.test_activity import busiest
from tests.usage.upstream import Upstream, ago, assert_reconciled, ours

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
YESTERDAY = ago(TODAY, 1)
FREE = "meta-llama/llama-3.3-70b-instruct:free"


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
