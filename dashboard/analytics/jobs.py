"""The job that asks a question which takes longer than a page may."""

from __future__ import annotations

from dataclasses import replace

from dashboard.analytics import kept as store
from dashboard.analytics.services import KIND, Unfit, ask, question_of
from dashboard.formats import plural
from orgadmin.access import PERMISSIONS, Permission
from orgadmin.accounts.models import Membership
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.services import Skip, register
from orgadmin.openrouter.transport import WORKER

# A worker holds the lease of an item for 60 seconds.
PATIENCE = replace(WORKER, tries=3, seconds=50.0, read_timeout=45.0)


@register(KIND)
def answer(job: Job, item: JobItem) -> str:
    """Ask, and keep the answer for a day. Asking only reads, so it may be done again."""
    membership = Membership.objects.filter(
        organization=job.organization, user=job.actor, user__is_active=True
    ).first()
    if membership is None or Permission.READ not in PERMISSIONS.get(membership.role, frozenset()):
        raise Skip(f"{job.actor} may not read this organization any more.")
    try:
        kept = ask(organization=job.organization, question=question_of(job), patience=PATIENCE)
    except Unfit as unfit:
        raise Skip(str(unfit)) from None
    store.keep_job(job.pk, kept)
    return f"{plural(len(kept.answer.rows), 'row')}."
