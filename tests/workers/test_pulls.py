"""Pulls by a real worker: asked for by a page, told twice, side by side, and cut off in the middle."""

from __future__ import annotations

from datetime import timedelta

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory import tasks
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.services import request_pull
from tests.sandbox_server import RunningSandbox
from tests.workers.crew import Crew
from tests.workers.database import pass_time
from tests.workers.waiting import eventually

# What one pull of the keys asks: the workspaces, then one page of each of the three.
CALLS_OF_A_PULL = {"GET /workspaces": 1, "GET /keys": 3}
LEASE = timedelta(seconds=61)


def finished(run: SyncRun) -> bool:
    run.refresh_from_db()
    assert run.state != SyncRun.State.FAILED, run.error
    return run.state == SyncRun.State.OK


def test_a_pull_that_a_page_asked_for_runs_once_however_often_it_is_told(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    worker = crew.worker()
    sandbox.sandbox.clear_requests()

    run = request_pull(organization=synced, kind="keys")
    tasks.pull.delay(run.pk)
    eventually(lambda: finished(run), "the pull is done")

    for _ in range(3):
        tasks.pull.delay(run.pk)
    last = SyncRun.objects.order_by("-pk").values().get(pk=run.pk)
    eventually(lambda: worker.said().count("inventory.pull") >= 2 * (3 + 3 + 2), "every bell was heard")
    assert SyncRun.objects.values().get(pk=run.pk) == last
    assert sandbox.sandbox.requests().counts == CALLS_OF_A_PULL
    assert not Entry.objects.exists()


def test_two_workers_share_the_work_and_never_a_pull(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    workers = [crew.worker("one"), crew.worker("two")]
    for worker in workers:
        worker.wait_until_ready()
    sandbox.sandbox.clear_requests()
    # Slow enough that everybody else hears of it while it runs.
    sandbox.sandbox.fault(kind="delay", path="/keys", seconds=0.4, times=3)

    run = request_pull(organization=synced, kind="keys")
    for _ in range(8):
        tasks.pull.delay(run.pk)
    eventually(lambda: finished(run), "the pull is done")

    assert sandbox.sandbox.requests().counts == CALLS_OF_A_PULL
    assert (run.seen, run.added, run.changed, run.gone) == (40, 0, 0, 0)


def test_a_pull_whose_worker_was_killed_is_taken_up_again(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    renamed, deleted = Key.objects.order_by("pk")[:2]
    sandbox.sandbox.outside.update_key(renamed.hash, name="renamed elsewhere")
    sandbox.sandbox.outside.delete_key(deleted.hash)
    sandbox.sandbox.clear_requests()
    # The answer to the third page is long in coming: two are written by then.
    sandbox.sandbox.fault(kind="delay", path="/keys", seconds=0, times=2)
    sandbox.sandbox.fault(kind="delay", path="/keys", seconds=30)

    killed = crew.worker("killed")
    run = request_pull(organization=synced, kind="keys")
    eventually(lambda: sandbox.sandbox.requests().count("GET /keys") == 3, "the pull is at its third page")
    killed.kill()

    crew.worker("heir")
    crew.beat()
    pass_time(LEASE)
    eventually(lambda: SyncRun.objects.filter(kind="keys", state="ok").count() == 2, "the pull was made good")

    run.refresh_from_db()
    assert run.state in {SyncRun.State.OK, SyncRun.State.INTERRUPTED}
    assert Key.objects.count() == 40
    assert [key.hash for key in Key.objects.exclude(gone_at=None)] == [deleted.hash]
    found = sorted(Entry.objects.values_list("action", "target_id", "actor_kind"))
    assert found == [("key.delete", deleted.hash, "outside"), ("key.update", renamed.hash, "outside")]
