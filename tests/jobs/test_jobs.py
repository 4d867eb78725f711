"""Jobs: each item once, resumed after a kill, cancelled, tried again, with a result for each."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.leases import lease
from orgadmin.inventory.models import Lease
from orgadmin.jobs import services
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.selectors import progress_of, progresses_of
from orgadmin.jobs.services import NewJob, Skip, job_cancel, job_retry, job_start, run_job
from orgadmin.openrouter.errors import AnswerLost, InvalidRequest
from tests.conftest import Bells


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Work:
    """A kind of job whose act is whatever the test says; ``done`` are the targets acted on, in order."""

    done: list[str] = field(default_factory=list)
    act: Callable[[Job, JobItem], str] = lambda job, item: "Done."

    def __call__(self, job: Job, item: JobItem) -> str:
        self.done.append(item.target_id)
        return self.act(job, item)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setitem(services._ACTS, "tests.work", made)
    return made


Start = Callable[..., Job]


@pytest.fixture
def start(work: Work, organization: Organization, admin: User) -> Start:
    def begin(number: int = 3, form_token: uuid.UUID | None = None) -> Job:
        targets = ((f"id-{n}", f"name {n}") for n in range(number))
        new = NewJob("tests.work", f"Work on {number}", targets, {"depth": 2}, form_token)
        return job_start(actor=admin, organization=organization, new=new)

    return begin


def outcomes(job: Job) -> list[str]:
    return list(job.items.order_by("id").values_list("state", flat=True))


def test_it_does_every_item_and_says_what_came_of_it(start: Start, work: Work, bells: Bells) -> None:
    job = start()
    assert (job.state, job.total) == (Job.State.QUEUED, 3)
    bells.work()
    job.refresh_from_db()
    assert work.done == ["id-0", "id-1", "id-2"]
    assert job.state == Job.State.DONE
    assert job.started_at is not None
    assert job.finished_at is not None
    assert {item.message for item in job.items.all()} == {"Done."}
    assert all(item.finished_at for item in job.items.all())


def test_one_item_does_not_hold_up_the_others(start: Start, work: Work, bells: Bells) -> None:
    def act(job: Job, item: JobItem) -> str:
        if item.target_id == "id-0":
            raise InvalidRequest("No such limit.", status=400)
        if item.target_id == "id-1":
            raise AnswerLost("No answer in time.", outcome_unknown=True)
        if item.target_id == "id-2":
            raise Skip("It was so already.")
        if item.target_id == "id-3":
            raise KeyError("sk-or-v1-0123456789abcdef")
        return "Done."

    work.act = act
    job = start(5)
    bells.work()
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert outcomes(job) == ["failed", "unknown", "skipped", "failed", "ok"]
    messages = list(job.items.order_by("id").values_list("message", flat=True))
    assert messages[:3] == ["No such limit.", "No answer in time.", "It was so already."]
    assert "sk-or" not in messages[3]
    progress = progress_of(job)
    assert (progress.ok, progress.failed, progress.unknown, progress.skipped) == (1, 2, 1, 1)
    assert (progress.pending, progress.finished, progress.total) == (0, 5, 5)


def test_the_same_form_sent_twice_is_one_job(start: Start, work: Work, bells: Bells) -> None:
    token = uuid.uuid4()
    assert start(form_token=token) == start(form_token=token)
    bells.work()
    assert Job.objects.count() == 1
    assert len(work.done) == 3


def test_a_bell_rung_twice_does_nothing_twice(start: Start, work: Work) -> None:
    job = start()
    run_job(job_id=job.pk)
    run_job(job_id=job.pk)
    run_job(job_id=10**9)
    assert len(work.done) == 3


def test_two_workers_do_not_share_a_job(start: Start, work: Work) -> None:
    job = start()
    with lease(f"job:{job.pk}") as held:
        assert held is not None
        run_job(job_id=job.pk)
    assert work.done == []


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_a_killed_job_is_resumed(start: Start, work: Work, victim: int) -> None:
    def die(job: Job, item: JobItem) -> str:
        if item.target_id == f"id-{victim}":
            raise Killed
        return "Done."

    job = start()
    work.act = die
    with pytest.raises(Killed):
        run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.RUNNING
    cut_off = job.items.get(target_id=f"id-{victim}")
    assert cut_off.started_at is not None
    assert cut_off.state == JobItem.State.PENDING
    work.act = lambda job, item: "Done."
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert outcomes(job) == ["ok"] * 3
    # Only the item in hand was done again.
    assert sorted(work.done) == sorted(["id-0", "id-1", "id-2", f"id-{victim}"])


def test_who_lost_the_lease_stops(start: Start, work: Work) -> None:
    def lose(job: Job, item: JobItem) -> str:
        Lease.objects.update(holder="somebody else")
        return "Done."

    work.act = lose
    job = start()
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert work.done == ["id-0"]
    assert job.state == Job.State.RUNNING


def test_a_waiting_job_is_cancelled_on_the_spot(start: Start, work: Work, bells: Bells) -> None:
    job = start()
    job_cancel(job=job)
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    bells.work()
    assert work.done == []
    assert outcomes(job) == ["skipped"] * 3


def test_a_running_job_stops_before_the_next_item(start: Start, work: Work) -> None:
    def cancel(job: Job, item: JobItem) -> str:
        if item.target_id == "id-1":
            job_cancel(job=job)
        return "Done."

    work.act = cancel
    job = start(5)
    run_job(job_id=job.pk)
    job.refresh_from_db()
    assert work.done == ["id-0", "id-1"]
    assert job.state == Job.State.CANCELLED
    assert outcomes(job) == ["ok", "ok", "skipped", "skipped", "skipped"]
    assert job.items.filter(message="Cancelled before its turn.").count() == 3


def test_a_finished_job_cannot_be_cancelled(start: Start, bells: Bells) -> None:
    job = start()
    bells.work()
    job_cancel(job=job)
    job.refresh_from_db()
    assert (job.state, job.cancel_requested_at) == (Job.State.DONE, None)


def test_trying_again_does_what_failed_and_nothing_else(start: Start, work: Work, bells: Bells) -> None:
    def fail(job: Job, item: JobItem) -> str:
        if item.target_id == "id-1":
            raise InvalidRequest("Not now.")
        return "Done."

    work.act = fail
    job = start()
    bells.work()
    work.act = lambda job, item: "Done at last."
    work.done.clear()
    assert job_retry(job=job) == 1
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert job_retry(job=job) == 0
    bells.work()
    job.refresh_from_db()
    assert work.done == ["id-1"]
    assert job.state == Job.State.DONE
    assert outcomes(job) == ["ok"] * 3


def test_trying_again_leaves_what_was_cancelled_alone(start: Start, work: Work, bells: Bells) -> None:
    def fail_then_cancel(job: Job, item: JobItem) -> str:
        job_cancel(job=job)
        raise InvalidRequest("Not now.")

    work.act = fail_then_cancel
    job = start()
    bells.work()
    work.act = lambda job, item: "Done."
    work.done.clear()
    assert job_retry(job=job) == 1
    bells.work()
    assert work.done == ["id-0"]
    assert outcomes(job) == ["ok", "skipped", "skipped"]


def test_there_is_nothing_to_try_again_in_a_job_that_went_well(start: Start, bells: Bells) -> None:
    job = start()
    bells.work()
    assert job_retry(job=job) == 0
    job.refresh_from_db()
    assert job.state == Job.State.DONE


def test_the_sweep_rings_for_what_nobody_works_on(start: Start, bells: Bells) -> None:
    waiting, at_work, orphan = start(), start(), start()
    later = timezone.now() + timedelta(minutes=1)
    Lease.objects.create(name=f"job:{at_work.pk}", holder="alive", expires_at=later.timestamp())
    Lease.objects.create(name=f"job:{orphan.pk}", holder="dead", expires_at=0)
    bells.jobs.clear()
    services.sweep()
    assert set(bells.jobs) == {waiting.pk, orphan.pk}
    bells.work()
    bells.jobs.clear()
    services.sweep()
    assert bells.jobs == [], "one is at work, the others are done"


def test_a_kind_nobody_registered_is_refused(organization: Organization, admin: User) -> None:
    new = NewJob("tests.nothing", "Nothing", [("a", "b")], {})
    with pytest.raises(ValueError, match=r"tests\.nothing"):
        job_start(actor=admin, organization=organization, new=new)
    assert not Job.objects.exists()


def test_a_thousand_items_are_written_in_pieces(start: Start, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(60):
        job = start(2500)
    assert job.total == job.items.count() == 2500


def test_the_progress_of_many_is_one_query(start: Start, django_assert_num_queries) -> None:
    jobs = [start(), start(2)]
    with django_assert_num_queries(1):
        found = progresses_of(jobs)
    assert [found[job.pk].pending for job in jobs] == [3, 2]
