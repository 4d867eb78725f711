"""Starting, working off, cancelling and resuming jobs.

A slice registers what its kind of job does to one item. That function must be safe to repeat: a worker
killed between the call and the note leaves the item pending, and the next worker does it again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.text import writable
from orgadmin.inventory.leases import Holding, LeaseLost, lease
from orgadmin.inventory.models import Lease
from orgadmin.inventory.summary import refresh_summary
from orgadmin.jobs.models import Job, JobItem
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.openrouter.transport import Patience

log = structlog.get_logger(__name__)
BATCH = 1000
# An item makes four calls at most: the key read by the job and again for a member who may not override an
# administrator, the change, and a look when its answer was lost. 4 × 13 s leave 8 s of the lease's 60 s for
# the database; who loses the lease all the same stops before the next item.
CALLS = 4
PATIENCE = Patience(tries=4, seconds=13, connect_timeout=4, read_timeout=10)
# A job is worked off in slices. Between two of them the worker takes what else waits, such as a pull, and no
# message stays unacknowledged for long.
SLICE_SECONDS = 30.0


class Skip(Exception):
    """The item needs nothing, or must not be touched; the text says why."""


# Acts on one item: returns a few words for the item's row. Raises Skip or OpenRouterError.
Act = Callable[[Job, JobItem], str]
_ACTS: dict[str, Act] = {}


def register(kind: str) -> Callable[[Act], Act]:
    """``@register("keys.disable")`` above the function that does it to one item."""

    def keep(act: Act) -> Act:
        _ACTS[kind] = act
        return act

    return keep


def is_kind(kind: str) -> bool:
    """Whether a slice registered jobs of this kind."""
    return kind in _ACTS


def act_of(kind: str) -> Act:
    """What jobs of a kind do to one item, for a job that is made of several kinds."""
    return _ACTS[kind]


@dataclass(frozen=True)
class NewJob:
    """What to start: ``targets`` are (id, name) pairs; ``params`` are the same for every item."""

    kind: str
    title: str
    targets: Iterable[tuple[str, str]]
    params: dict[str, Any]
    form_token: uuid.UUID | None = None


def job_start(*, actor: User, organization: Organization, new: NewJob) -> Job:
    """Write the job and all its items, then ring for a worker. The same form token gives the same job."""
    from orgadmin.jobs import tasks

    if new.kind not in _ACTS:
        raise ValueError(f"No slice registered jobs of kind {new.kind}.")
    try:
        with transaction.atomic():
            job = Job.objects.create(
                organization=organization,
                kind=new.kind,
                title=new.title,
                params=new.params,
                actor=actor,
                form_token=new.form_token,
            )
            job.total = _write_items(job, new.targets)
            job.save(update_fields=["total"])
            tasks.ring(job)
    except IntegrityError:
        first = Job.objects.filter(form_token=new.form_token, organization=organization).first()
        if new.form_token is None or first is None:
            raise
        return first
    return job


def _write_items(job: Job, targets: Iterable[tuple[str, str]]) -> int:
    written, rest = 0, iter(targets)
    while batch := list(islice(rest, BATCH)):
        JobItem.objects.bulk_create(
            [JobItem(job=job, target_id=target, target_name=name[:300]) for target, name in batch]
        )
        written += len(batch)
    return written


def job_cancel(*, job: Job) -> None:
    """Ask the worker to stop before the next item. What is done stays done."""
    Job.objects.filter(
        pk=job.pk, cancel_requested_at=None, state__in=[Job.State.QUEUED, Job.State.RUNNING]
    ).update(cancel_requested_at=timezone.now())
    with lease(_lease_name(job.pk)) as held:
        if held is not None:
            # Nobody is working on it: close it here and now.
            _close(job)


def job_retry(*, job: Job) -> int:
    """Put the failed and unknown items of a finished job back to work; returns how many."""
    from orgadmin.jobs import tasks

    with transaction.atomic():
        undone = job.items.filter(state__in=[JobItem.State.FAILED, JobItem.State.UNKNOWN])
        finished = Job.objects.filter(pk=job.pk, state__in=[Job.State.DONE, Job.State.CANCELLED])
        if not undone.exists() or not finished.update(
            state=Job.State.QUEUED, finished_at=None, cancel_requested_at=None
        ):
            return 0
        count = undone.update(state=JobItem.State.PENDING, message="", started_at=None, finished_at=None)
        tasks.ring(job)
    return count


def run_job(*, job_id: int, turn: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
    """Work off a job's pending items for about ``SLICE_SECONDS``, then ring for the rest. Called twice, late
    or after a kill, each item is done once.

    ``turn`` is the slice that the caller was rung for (None: whichever is next). A bell for a slice that was
    worked off already does nothing; without that, every bell rung twice would go on ringing for itself.
    """
    from orgadmin.jobs import tasks

    with lease(_lease_name(job_id)) as held:
        if held is None:
            return
        job = Job.objects.select_related("organization", "actor").filter(pk=job_id).first()
        if job is None or not job.is_open or turn not in {None, job.turn}:
            return
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.RUNNING, started_at=job.started_at or timezone.now()
        )
        try:
            is_over = _work_off(job, held, clock)
        except LeaseLost:
            return
        if is_over:
            _close(job)
            return
        job.turn += 1
        job.save(update_fields=["turn"])
    # Only now: a bell that is heard while the lease is in hand is for nothing.
    tasks.ring(job)


def _work_off(job: Job, held: Holding, clock: Callable[[], float]) -> bool:
    """Do the next items, one at least; whether that was all, or all that is wanted."""
    until = clock() + SLICE_SECONDS
    while batch := list(job.items.filter(state=JobItem.State.PENDING).order_by("id")[:50]):
        for item in batch:
            held.renew()
            if Job.objects.filter(pk=job.pk).exclude(cancel_requested_at=None).exists():
                return True
            _do(job, item)
            if clock() >= until:
                return False
    return True


def _do(job: Job, item: JobItem) -> None:
    JobItem.objects.filter(pk=item.pk).update(started_at=timezone.now())
    try:
        state, message = JobItem.State.OK, _ACTS[job.kind](job, item)
    except Skip as reason:
        state, message = JobItem.State.SKIPPED, str(reason)
    except OpenRouterError as error:
        state = JobItem.State.UNKNOWN if error.outcome_unknown else JobItem.State.FAILED
        message = error.message
    except Exception:
        # One object that trips our own code must not hold up the other 811.
        log.exception("job item failed", job=job.pk, item=item.pk)
        state, message = JobItem.State.FAILED, "Something went wrong here, not at OpenRouter. It was logged."
    JobItem.objects.filter(pk=item.pk).update(
        state=state, message=writable(message)[:500], finished_at=timezone.now()
    )


def _close(job: Job) -> None:
    """Note that a job is over. What a cancelled job leaves undone is not pending any more: trying the failed
    items again must not bring the rest back to life."""
    now = timezone.now()
    with transaction.atomic():
        is_cut_short = job.items.filter(state=JobItem.State.PENDING).exists()
        state = Job.State.CANCELLED if is_cut_short else Job.State.DONE
        is_open = Job.objects.filter(pk=job.pk, state__in=[Job.State.QUEUED, Job.State.RUNNING])
        if is_open.update(state=state, finished_at=now) and is_cut_short:
            job.items.filter(state=JobItem.State.PENDING).update(
                state=JobItem.State.SKIPPED, message="Cancelled before its turn.", finished_at=now
            )
    refresh_summary(job.organization)


def sweep() -> None:
    """Ring for every open job that nobody works on: its message got lost, or its worker died."""
    from orgadmin.jobs import tasks

    alive = Lease.objects.filter(name__startswith="job:", expires_at__gte=timezone.now().timestamp())
    at_work = set(alive.values_list("name", flat=True))
    for job in Job.objects.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]):
        if _lease_name(job.pk) not in at_work:
            tasks.ring(job)


def _lease_name(job_id: int) -> str:
    return f"job:{job_id}"
