"""Runs: asked for once, never two at a time, repeated after a kill, swept and forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory import leases, services
from orgadmin.inventory import pull as pull_module
from orgadmin.inventory.leases import LeaseLost, lease
from orgadmin.inventory.models import Key, Lease, SyncRun
from orgadmin.inventory.nouns import NOUNS
from orgadmin.inventory.pull import Pull
from orgadmin.inventory.summary import note_freshness
from tests.conftest import Bells
from tests.inventory.pulling import between_pages, log_of, pulled
from tests.sandbox_server import RunningSandbox


def test_asking_twice_is_asking_once(organization: Organization, admin: User, bells: Bells) -> None:
    first = services.request_pull(organization=organization, kind="keys", requested_by=admin)
    second = services.request_pull(organization=organization, kind="keys")
    assert first == second
    assert bells.pulls == [first.pk]
    organization.refresh_from_db()
    assert organization.summary["sync_state"] == "running"


def test_the_summary_says_what_the_newest_run_came_to(synced: Organization) -> None:
    assert synced.summary["sync_state"] == "ok"
    services.request_pull(organization=synced, kind="keys")
    synced.refresh_from_db()
    assert synced.summary["sync_state"] == "running"
    assert synced.summary["keys"] == 40
    SyncRun.objects.filter(state="queued").update(state=SyncRun.State.INTERRUPTED)
    note_freshness(synced)
    synced.refresh_from_db()
    assert synced.summary["sync_state"] == "ok"


def test_two_runs_never_overlap(synced: Organization, sandbox: RunningSandbox) -> None:
    run = services.request_pull(organization=synced, kind="keys")
    sandbox.sandbox.clear_requests()
    with lease(f"pull:{synced.pk}:keys") as held:
        assert held is not None
        services.run_pull(run_id=run.pk)
        run.refresh_from_db()
        assert run.state == SyncRun.State.QUEUED
        assert sandbox.sandbox.requests().total == 0
    services.run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == SyncRun.State.OK


def test_a_run_is_done_once_however_often_it_is_delivered(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    run = services.request_pull(organization=synced, kind="keys")
    services.run_pull(run_id=run.pk)
    sandbox.sandbox.clear_requests()
    services.run_pull(run_id=run.pk)
    services.run_pull(run_id=10**9)
    assert sandbox.sandbox.requests().total == 0


def test_who_lost_the_lease_writes_nothing_more(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.sandbox.outside.create_key(name="late", workspace_id=Key.objects.earliest("id").workspace_uid)

    def steal() -> None:
        Lease.objects.update(holder="somebody else")

    between_pages(monkeypatch, steal, before=True)
    run = services.request_pull(organization=synced, kind="keys")
    services.run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING
    assert not Key.objects.filter(name="late").exists()
    assert log_of(synced) == []


class Killed(BaseException):
    """The process ends here."""


def kill_after(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    kept = Pull._keep
    seen: list[int] = []

    def keep(self: Pull, items: Any, asked_at: Any) -> None:
        if len(seen) == pages:
            raise Killed
        seen.append(1)
        kept(self, items, asked_at)

    monkeypatch.setattr(Pull, "_keep", keep)


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_a_killed_pull_is_resumed_without_loss_or_repetition(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    outside = sandbox.sandbox.outside
    for workspace in sandbox.sandbox.account.workspaces:
        outside.create_key(name=f"new in {workspace.slug}", workspace_id=workspace.id)
    run = services.request_pull(organization=synced, kind="keys")
    with monkeypatch.context() as dying:
        kill_after(dying, pages)
        with pytest.raises(Killed):
            services.run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING
    assert Key.objects.count() == 40 + pages
    services.run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == SyncRun.State.OK
    assert run.seen == 43
    assert Key.objects.count() == 43
    assert sorted(entry.action for entry in log_of(synced)) == ["key.create"] * 3


def test_the_sweep_buries_a_dead_run_and_asks_again(synced: Organization, bells: Bells) -> None:
    run = services.request_pull(organization=synced, kind="keys")
    started = timezone.now() - timedelta(seconds=leases.SECONDS + 1)
    SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING, started_at=started)
    Lease.objects.create(
        name=f"pull:{synced.pk}:keys", holder="the dead", expires_at=timezone.now().timestamp() + 30
    )
    bells.pulls.clear()
    services.sweep()
    run.refresh_from_db()
    assert run.state == SyncRun.State.RUNNING, "its lease is alive"
    Lease.objects.update(expires_at=timezone.now().timestamp() - 1)
    services.sweep()
    run.refresh_from_db()
    assert run.state == SyncRun.State.INTERRUPTED
    bells.work()
    newest = SyncRun.objects.filter(kind="keys").first()
    assert newest is not None
    assert (newest.pk > run.pk, newest.state) == (True, SyncRun.State.OK)
    assert not Entry.objects.exists()


def test_the_sweep_rings_again_for_a_run_nobody_took(synced: Organization, bells: Bells) -> None:
    run = services.request_pull(organization=synced, kind="keys")
    services.sweep()
    bells.pulls.clear()
    services.sweep()
    assert bells.pulls == []
    SyncRun.objects.filter(pk=run.pk).update(
        created_at=timezone.now() - services.RING_AGAIN - timedelta(seconds=1)
    )
    services.sweep()
    assert bells.pulls == [run.pk]


def nouns_rung(bells: Bells) -> set[str]:
    return {SyncRun.objects.get(pk=number).kind for number in bells.pulls} & set(NOUNS)


def test_the_sweep_asks_for_what_is_due(synced: Organization, bells: Bells) -> None:
    bells.pulls.clear()
    services.sweep()
    assert nouns_rung(bells) == set()
    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        services.sweep()
        assert nouns_rung(bells) == {"keys"}
    with time_machine.travel(timezone.now() + timedelta(seconds=1801)):
        services.sweep()
        assert nouns_rung(bells) == set(NOUNS)


def test_the_sweep_leaves_disconnected_organizations_alone(synced: Organization, bells: Bells) -> None:
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    bells.pulls.clear()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        services.sweep()
    assert bells.pulls == []


def test_old_runs_are_forgotten_but_for_the_last_good_one(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    good = SyncRun.objects.get(kind="keys")
    SyncRun.objects.create(organization=synced, kind="keys", state=SyncRun.State.FAILED)
    SyncRun.objects.update(created_at=F("created_at") - timedelta(days=31))
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    services.sweep()
    assert list(SyncRun.objects.filter(kind="keys")) == [good]
    # Without it the next pull would take itself for the first, and audit nothing.
    sandbox.sandbox.outside.create_key(name="while away")
    pulled(synced)
    assert [entry.action for entry in log_of(synced)] == ["key.create"]


def test_progress_is_written_as_it_goes(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_module, "PROGRESS_SECONDS", 0.0)
    seen: list[tuple[int, int]] = []
    told = Pull._tell

    def tell(self: Pull) -> None:
        told(self)
        row = SyncRun.objects.get(pk=self.run.pk)
        seen.append((row.seen, row.calls))

    monkeypatch.setattr(Pull, "_tell", tell)
    run = pulled(synced)
    assert run.expected == 40
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert seen[-1] == (40, 4)


def test_a_call_ends_before_the_lease_does() -> None:
    assert pull_module.PATIENCE.seconds < leases.SECONDS


def test_a_lease_has_one_holder_and_passes_on_when_it_expires(db: None) -> None:
    with lease("bell tower") as first:
        assert first is not None
        with lease("bell tower") as second:
            assert second is None
        Lease.objects.update(expires_at=0)
        with lease("bell tower") as third:
            assert third is not None
            with pytest.raises(LeaseLost):
                first.renew()
    assert not Lease.objects.exists()
