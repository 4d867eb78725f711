"""Reading jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from orgadmin.accounts.models import Organization, User
from orgadmin.jobs.models import Job, JobItem


@dataclass(frozen=True)
class Progress:
    """How a job's items stand."""

    total: int
    ok: int
    failed: int
    unknown: int
    skipped: int
    pending: int

    @property
    def finished(self) -> int:
        return self.total - self.pending


def progress_of(job: Job) -> Progress:
    """One query for all the counts."""
    return progresses_of([job])[job.pk]


def progresses_of(jobs: Sequence[Job]) -> dict[int, Progress]:
    """The progress of each by its number: one query for all of them."""
    counted = JobItem.objects.filter(job__in=jobs).order_by().values_list("job", "state")
    counts: dict[int, dict[str, int]] = {}
    for job_id, state, number in counted.annotate(number=Count("pk")):
        counts.setdefault(job_id, {})[state] = number
    return {job.pk: _progress(job, counts.get(job.pk, {})) for job in jobs}


def _progress(job: Job, counts: Mapping[str, int]) -> Progress:
    states = JobItem.State
    return Progress(
        total=job.total,
        ok=counts.get(states.OK, 0),
        failed=counts.get(states.FAILED, 0),
        unknown=counts.get(states.UNKNOWN, 0),
        skipped=counts.get(states.SKIPPED, 0),
        pending=counts.get(states.PENDING, 0),
    )


def jobs_of(*, organization: Organization, actor: User | None = None) -> QuerySet[Job]:
    """An organization's jobs, newest first; with ``actor``, theirs only."""
    jobs = Job.objects.filter(organization=organization).select_related("actor")
    return jobs if actor is None else jobs.filter(actor=actor)
