"""Taking a person out of a workspace, as a part of a job about them."""

from __future__ import annotations

from orgadmin.access import Permission
from orgadmin.inventory.models import Member, Workspace, WorkspaceMember
from orgadmin.inventory.workspace_models import place_of
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.permission import permissions_of
from orgadmin.jobs.services import PATIENCE, Skip, register
from orgadmin.openrouter.errors import Forbidden, InvalidRequest, OpenRouterError
from orgadmin.pages import sentence
from orgadmin.workspaces.membership import members_remove

WHY_REFUSED = (
    "OpenRouter keeps people who have active keys in the workspace: if it goes on refusing once those are "
    "disabled, delete them. Whom an identity provider (SCIM) put there, only the identity provider takes out."
)


class NotRemoved(OpenRouterError):
    """The person is still in the workspace, or nobody knows whether they are."""


@register("workspaces.leave")
def leave(job: Job, item: JobItem) -> str:
    """Out of one workspace (the item's target) with the member whom ``job.params`` names by ``user_id``."""
    if Permission.CHANGE not in permissions_of(job):
        raise Skip(f"{job.actor} may not remove people from workspaces any more.")
    user_id = job.params["user_id"]
    workspace = Workspace.objects.filter(organization=job.organization, uid=item.target_id).first()
    place = WorkspaceMember.objects.filter(
        organization=job.organization, place=place_of(item.target_id, user_id), gone_at=None
    )
    if workspace is None or not place.exists():
        raise Skip("They are not in this workspace any more.")
    member = Member.objects.get(organization=job.organization, uid=user_id)
    try:
        said = members_remove(actor=job.actor, workspace=workspace, members=[member], patience=PATIENCE)
    except (InvalidRequest, Forbidden) as refusal:
        words = f"{sentence(refusal.message)} {WHY_REFUSED}"
        raise NotRemoved(words, status=refusal.status, request_id=refusal.request_id) from refusal
    for _, why in said.failed:
        raise NotRemoved(why)
    if said.unknown:
        raise NotRemoved("Nobody knows yet whether they were removed.", outcome_unknown=True)
    return "Removed from the workspace."
