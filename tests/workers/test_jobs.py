"""A bulk job by real workers: its worker killed in the middle of an item, then taken up by another."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from orgadmin.accounts.models import Organization, Role, User
from orgadmin.audit.models import Entry, Outcome
from orgadmin.inventory.models import Key
from orgadmin.inventory.services import request_pull
from orgadmin.jobs import tasks
from orgadmin.jobs.models import Job, JobItem
from orgadmin.keys.bulk import ACTS, bulk_start
from tests.conftest import person
from tests.sandbox_server import RunningSandbox
from tests.workers.crew import Crew
from tests.workers.database import pass_time
from tests.workers.test_pulls import LEASE, finished
from tests.workers.waiting import eventually

PATCH = "PATCH /keys/{hash}"
IN_FLIGHT = timedelta(minutes=4)


def disabling(organization: Organization, actor: User, number: int) -> Job:
    """A job that disables so many keys."""
    chosen = Key.objects.filter(disabled=False, gone_at=None).order_by("pk").values("pk")[:number]
    return bulk_start(
        actor=actor,
        organization=organization,
        act=ACTS["disable"],
        keys=Key.objects.filter(pk__in=[row["pk"] for row in chosen]),
        params={},
        form_token=uuid4(),
    )


def is_done(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == Job.State.DONE


def test_a_job_whose_worker_was_killed_is_taken_up_where_it_stood(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    twin, admin = sandbox.sandbox, person("adam@house.test", synced, Role.ADMIN)
    twin.clear_requests()
    # The fourth key is disabled upstream, and nobody here hears of it.
    twin.fault(kind="delay", method="PATCH", seconds=0, times=3)
    twin.fault(kind="delay", method="PATCH", seconds=30, after=True)

    killed = crew.worker("killed")
    job = disabling(synced, admin, 8)
    targets = list(job.items.values_list("target_id", flat=True))
    eventually(
        lambda: twin.requests().count(PATCH) == 4 and twin.key(targets[3])["disabled"], "item 4 is sent"
    )
    killed.kill()
    assert job.items.filter(state=JobItem.State.OK).count() == 3

    worker = crew.worker("heir")
    pass_time(LEASE)
    tasks.run.delay(job.pk)
    tasks.run.delay(job.pk)
    eventually(lambda: is_done(job), "the job is done")

    assert set(job.items.values_list("state", flat=True)) == {JobItem.State.OK}
    assert all(twin.key(target)["disabled"] for target in targets)
    # Each once, but for the one that was cut off: its answer was lost, and saying it again does no harm.
    sent = [seen.path.rsplit("/", 1)[-1] for seen in twin.requests().last if seen.method == "PATCH"]
    assert sent == [*targets[:4], *targets[3:]]

    # The next pull finds nothing that somebody else did; it closes the entry that was left open.
    pass_time(IN_FLIGHT)
    run = request_pull(organization=synced, kind="keys")
    eventually(lambda: finished(run), "the pull is done")
    assert not Entry.objects.filter(actor_kind="outside").exists()
    assert Entry.objects.filter(outcome=Outcome.STARTED).count() == 9
    assert Entry.objects.filter(outcome=Outcome.OK).count() >= 8
    assert worker.process.poll() is None
