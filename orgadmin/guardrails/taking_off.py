"""Taking the guardrail off a person, as a part of a job about them."""

from __future__ import annotations

from orgadmin.access import Permission
from orgadmin.guardrails.assigning import MEMBERS, Subject, guardrails_take_off, held_by
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.permission import permissions_of
from orgadmin.jobs.services import PATIENCE, Skip, register
from orgadmin.openrouter.errors import OpenRouterError


class NotTakenOff(OpenRouterError):
    """The person still holds the guardrail, or nobody knows whether they do."""


@register("guardrails.take-off")
def take_off(job: Job, item: JobItem) -> str:
    """Whatever guardrail the member holds whom ``job.params`` names by ``user_id`` and ``member``."""
    if Permission.CHANGE not in permissions_of(job):
        raise Skip(f"{job.actor} may not take guardrails off any more.")
    person = Subject(job.params["user_id"], job.params["member"])
    if not held_by(job.organization, MEMBERS, [person.uid]):
        raise Skip("They hold no guardrail any more.")
    said = guardrails_take_off(
        actor=job.actor, organization=job.organization, side=MEMBERS, subjects=[person], patience=PATIENCE
    )
    for _, why in said.failed:
        raise NotTakenOff(why)
    if said.unknown:
        raise NotTakenOff("Nobody knows yet whether it was taken off.", outcome_unknown=True)
    return "Taken off."
