"""A long job is worked off in slices, so that pulls get their turn beside it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory import leases
from orgadmin.inventory.models import Lease
from orgadmin.jobs import services, tasks
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.services import PATIENCE, NewJob, job_cancel, job_start, run_job
from tests.conftest import Bells

ITEM_SECONDS = 9.0


@dataclass
class Clock:
    """Each item takes nine seconds; nobody waits for them."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()

    def act(job: Job, item: JobItem) -> str:
        made.now += ITEM_SECONDS
        return "Done\x00."

    monkeypatch.setitem(services._ACTS, "tests.slow", act)
    return made


@pytest.fixture
def job(organization: Organization, admin: User, clock: Clock) -> Job:
    targets = ((f"id-{number}", f"name {number}") for number in range(10))
    return job_start(
        actor=admin, organization=organization, new=NewJob("tests.slow", "Slow work", targets, {})
    )


def done(job: Job) -> int:
    job.refresh_from_db()
    return job.items.filter(state=JobItem.State.OK).count()


def test_a_slice_ends_lets_go_and_rings_again(job: Job, clock: Clock, bells: Bells) -> None:
    bells.jobs.clear()
    run_job(job_id=job.pk, turn=0, clock=clock)
    assert (done(job), job.state, job.turn) == (4, Job.State.RUNNING, 1)
    assert bells.jobs == [job.pk]
    assert not Lease.objects.exists()
    run_job(job_id=job.pk, turn=1, clock=clock)
    run_job(job_id=job.pk, turn=2, clock=clock)
    assert (done(job), job.state) == (10, Job.State.DONE)
    assert bells.jobs == [job.pk] * 2, "nothing is left to ring for"


def test_a_bell_that_rang_twice_does_not_go_on_ringing(job: Job, clock: Clock, bells: Bells) -> None:
    bells.jobs.clear()
    run_job(job_id=job.pk, turn=0, clock=clock)
    run_job(job_id=job.pk, turn=0, clock=clock)
    assert done(job) == 4
    assert bells.jobs == [job.pk]


def test_a_slice_does_one_item_however_long_it_takes(job: Job, clock: Clock, bells: Bells) -> None:
    for number in range(9):
        run_job(job_id=job.pk, clock=lambda: clock.now * 100)
        assert done(job) == number + 1
    run_job(job_id=job.pk, clock=lambda: clock.now * 100)
    run_job(job_id=job.pk, clock=clock)
    assert (done(job), job.state) == (10, Job.State.DONE)


def test_a_job_between_two_slices_is_cancelled_on_the_spot(job: Job, clock: Clock, bells: Bells) -> None:
    run_job(job_id=job.pk, clock=clock)
    job_cancel(job=job)
    assert (done(job), job.state) == (4, Job.State.CANCELLED)
    bells.work()
    assert done(job) == 4


def test_the_sweep_rings_for_a_slice_whose_bell_was_lost(job: Job, clock: Clock, bells: Bells) -> None:
    run_job(job_id=job.pk, clock=clock)
    bells.jobs.clear()
    services.sweep()
    assert bells.jobs == [job.pk]
    bells.work()
    assert (done(job), job.state) == (10, Job.State.DONE)


def test_the_task_hands_the_turn_on(job: Job) -> None:
    tasks.run(job.pk, 7)
    assert done(job) == 0
    tasks.run(job.pk, 0)
    assert (done(job), job.state) == (10, Job.State.DONE)


def test_what_an_item_says_is_kept_without_what_a_database_refuses(job: Job) -> None:
    run_job(job_id=job.pk)
    assert set(job.items.values_list("message", flat=True)) == {"Done."}


def test_the_calls_of_an_item_end_before_the_lease_does() -> None:
    assert services.CALLS * PATIENCE.seconds <= leases.SECONDS - 5
