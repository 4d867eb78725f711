"""Jobs as their pages need them: who sees which, how each stands, and putting one back to work."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass

from django.db.models import Count, Q, QuerySet
from django.http import Http404

from orgadmin.access import OrgRequest, Permission
from orgadmin.accounts.models import User
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.parts import part_of
from orgadmin.jobs.selectors import Progress, jobs_of, progresses_of
from orgadmin.jobs.services import NewJob, job_retry, job_start
from orgadmin.pages import Page, page_of

UNDONE = (JobItem.State.FAILED, JobItem.State.UNKNOWN)
# What a cancelled job left alone is skipped like what needed nothing, but nobody began it.
NOT_REACHED = "unreached"
_NEVER_BEGUN = Q(state=JobItem.State.SKIPPED, started_at=None)


def visible_job(request: OrgRequest, job_id: int) -> Job:
    """A job of the organization; those who do not read everything see their own only, else Http404."""
    mine = None if request.reads_all else request.user
    job = jobs_of(organization=request.organization, actor=mine).filter(pk=job_id).first()
    if job is None:
        raise Http404("No such job.")
    return job


def may_steer(request: OrgRequest, job: Job) -> bool:
    """Whether the person may cancel the job or put it back to work."""
    is_own = job.actor_id == request.user.pk and Permission.OWN_KEYS in request.may
    return is_own or Permission.CHANGE in request.may


# The bulk act on keys that takes back what a job of each kind did.
OPPOSITE: Mapping[str, str] = {"keys.disable": "enable", "keys.enable": "disable"}


@dataclass(frozen=True)
class Standing(Progress):
    """How a job's items stand; ``skipped`` are those that were looked at and needed nothing."""

    unreached: int

    @property
    def finished(self) -> int:
        return self.total - self.pending - self.unreached


def standing_of(job: Job) -> Standing:
    """At most two queries for all the counts."""
    return standings_of([job])[job.pk]


def standings_of(jobs: Sequence[Job]) -> dict[int, Standing]:
    """How each job stands, by its number: two queries for all of them, one where nothing was skipped."""
    found = progresses_of(jobs)
    skipping = [number for number, progress in found.items() if progress.skipped]
    unreached: dict[int, int] = {}
    if skipping:
        rows = JobItem.objects.filter(_NEVER_BEGUN, job__in=skipping).order_by().values_list("job")
        unreached = dict(rows.annotate(number=Count("pk")))
    return {number: _standing(progress, unreached.get(number, 0)) for number, progress in found.items()}


def _standing(progress: Progress, unreached: int) -> Standing:
    counts = {**asdict(progress), "skipped": progress.skipped - unreached}
    return Standing(**counts, unreached=unreached)


@dataclass(frozen=True)
class JobState:
    """A job and how its items stand."""

    job: Job
    progress: Standing


def jobs_page(request: OrgRequest, *, number: str | None) -> Page[JobState]:
    """One page of the jobs that the person may see, newest first: four queries at most."""
    mine = None if request.reads_all else request.user
    jobs = jobs_of(organization=request.organization, actor=mine)

    def rows(offset: int, limit: int) -> list[JobState]:
        found = list(jobs[offset : offset + limit])
        standing = standings_of(found)
        return [JobState(job, standing[job.pk]) for job in found]

    return page_of(jobs.count(), number, rows)


@dataclass(frozen=True)
class ItemLine:
    """One item; ``key_hash`` is set where the key it is about has a page."""

    item: JobItem
    key_hash: str

    @property
    def is_unreached(self) -> bool:
        """Whether the job was cancelled before its turn came."""
        return self.item.state == JobItem.State.SKIPPED and self.item.started_at is None


def items_page(job: Job, *, state: str, number: str | None) -> Page[ItemLine]:
    """One page of a job's items in the order they are worked off: three queries."""
    items = _in_state(job, state).order_by("id")

    def rows(offset: int, limit: int) -> list[ItemLine]:
        found = list(items[offset : offset + limit])
        hashes = {item.pk: _key_of(job, item) for item in found}
        known = _known_keys(job, set(hashes.values()) - {""})
        return [ItemLine(item, hashes[item.pk] if hashes[item.pk] in known else "") for item in found]

    return page_of(items.count(), number, rows)


def _in_state(job: Job, state: str) -> QuerySet[JobItem]:
    if state == NOT_REACHED:
        return job.items.filter(_NEVER_BEGUN)
    if state == JobItem.State.SKIPPED:
        return job.items.filter(state=state).exclude(started_at=None)
    return job.items.filter(state=state) if state else job.items.all()


def _key_of(job: Job, item: JobItem) -> str:
    """The hash of the key that an item is about; "" where it is about something else."""
    part = part_of(job, item)
    return part.target if part.kind.startswith("keys.") else ""


def _known_keys(job: Job, hashes: Set[str]) -> Set[str]:
    if not hashes:
        return set()
    keys = Key.objects.filter(organization_id=job.organization_id, hash__in=hashes)
    return set(keys.values_list("hash", flat=True))


def item_state(asked: str) -> str:
    """The state that the URL asks for; nonsense means all."""
    return asked if asked in STATE_WORDS else ""


STATE_WORDS: Mapping[str, str] = {**dict(JobItem.State.choices), NOT_REACHED: "Not reached"}


def job_again(*, actor: User, job: Job, form_token: uuid.UUID | None) -> Job:
    """Put what failed back to work, and return the job that does it.

    Whoever started the job resumes it. Anybody else starts a job of their own over what failed: the audit
    log must name the person who caused a change.
    """
    if job.actor_id == actor.pk:
        job_retry(job=job)
        return job
    undone = job.items.filter(state__in=UNDONE).order_by("id")
    number = undone.count()
    return job_start(
        actor=actor,
        organization=job.organization,
        new=NewJob(
            kind=job.kind,
            title=f"{job.title}: {number:,} again"[:200],
            targets=undone.values_list("target_id", "target_name").iterator(chunk_size=1000),
            params=job.params,
            form_token=form_token,
        ),
    )
