"""Credits: what was bought and spent, kept when it moves, and purchases seen as jumps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import credits as client
from orgadmin.usage.models import CreditSnapshot
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull

pytestmark = pytest.mark.django_db


def snapshots() -> list[CreditSnapshot]:
    return list(CreditSnapshot.objects.order_by("taken_at"))


def answer(monkeypatch: pytest.MonkeyPatch, bought: str, spent: str) -> None:
    found = client.Credits(total_credits=Decimal(bought), total_usage=Decimal(spent))
    monkeypatch.setattr(client, "get", lambda *given: found)


def test_a_snapshot_is_what_upstream_says_in_one_call(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled("credits")
    assert sandbox.sandbox.requests().counts == {"GET /credits": 1}
    assert (run.calls, run.added) == (1, 1)
    (only,) = snapshots()
    assert only.purchased is None
    spent = Key.objects.values_list("usage", flat=True)
    # The keys and the chat room.
    assert only.total_usage >= sum(spent)
    assert only.balance == only.total_credits - only.total_usage


def test_spending_moves_it_and_is_no_purchase(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull
) -> None:
    pulled("credits")
    sandbox.sandbox.outside.spend(Key.objects.all()[0].hash, usd=Decimal("12.5"))
    pulled("credits")
    before, after = snapshots()
    assert after.total_usage - before.total_usage >= Decimal("12.5")
    assert after.purchased == after.total_credits - before.total_credits


def test_a_jump_is_a_purchase_and_a_fall_a_refund(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bought in ("100", "350.5", "300.5", "300.5"):
        answer(monkeypatch, bought, "20.000000001")
        pulled("credits")
    assert [row.purchased for row in snapshots()] == [None, Decimal("250.5"), Decimal(-50)]


def test_what_stands_still_is_kept_once_an_hour(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    answer(monkeypatch, "100", "120")
    for minutes in range(0, 125, 5):
        clock.move_to(NOON + timedelta(minutes=minutes, seconds=minutes))
        pulled("credits")
    assert len(snapshots()) == 3
    assert {row.purchased for row in snapshots()} == {None, Decimal(0)}
    assert snapshots()[-1].balance == Decimal(-20)


def test_more_than_a_column_holds_is_capped(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "1e15", "0.0000000004")
    pulled("credits")
    (only,) = snapshots()
    assert (only.total_credits, only.total_usage) == (Decimal(9_000_000_000), Decimal(0))


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 500, "times": 9}, {"kind": "html", "times": 9}],
    ids=lambda fault: str(fault["kind"]),
)
def test_a_failure_keeps_nothing_and_the_next_pull_goes_on(
    synced: Organization, sandbox: RunningSandbox, pull: Pull, monkeypatch: Any, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr("orgadmin.usage.balance.PATIENCE", replace(PATIENCE, tries=1))
    sandbox.sandbox.fault(path="/credits", **fault)
    assert pull("credits").state == SyncRun.State.FAILED
    assert not snapshots()
    sandbox.sandbox.clear_faults()
    assert pull("credits").state == SyncRun.State.OK
    assert len(snapshots()) == 1


def test_an_account_that_may_not_see_its_credits(
    synced: Organization, sandbox: RunningSandbox, pull: Pull
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, path="/credits")
    assert pull("credits").state == SyncRun.State.FAILED
    assert not snapshots()
