"""What whoever started a job may do now."""

from __future__ import annotations

from orgadmin.access import PERMISSIONS
from orgadmin.accounts.models import Membership
from orgadmin.jobs.models import Job


def permissions_of(job: Job) -> frozenset[str]:
    """What the actor may do now: a role taken away stops a job that was started with it."""
    membership = Membership.objects.filter(
        organization=job.organization, user=job.actor, user__is_active=True
    ).first()
    return PERMISSIONS.get(membership.role, frozenset()) if membership else frozenset()
