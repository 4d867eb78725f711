"""Taking a person out of a workspace.

OpenRouter answers a number and no names, so where it is not one the list is read again (FACTS 3.9).
"""

from __future__ import annotations

from django.utils import timezone

from orgadmin.access import Permission
from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.acts import CarryOn, failed
from orgadmin.inventory.models import WorkspaceMember
from orgadmin.inventory.nouns import WORKSPACE_MEMBERS
from orgadmin.inventory.pending import repeated_acts
from orgadmin.inventory.workspace_models import place_of
from orgadmin.jobs.models import Job, JobItem
from orgadmin.jobs.permission import permissions_of
from orgadmin.jobs.services import PATIENCE, Skip, register
from orgadmin.openrouter import workspace_members as upstream
from orgadmin.openrouter.errors import Forbidden, InvalidRequest, OpenRouterError
from orgadmin.openrouter.transport import WEB, OpenRouter, Patience
from orgadmin.pages import sentence

LEAVE = "members.leave-workspace"
WHY_REFUSED = (
    "OpenRouter keeps people who have active keys in the workspace: if it goes on refusing once those are "
    "disabled, delete them. Whom an identity provider (SCIM) put there, only the identity provider takes out."
)


class NotRemoved(OpenRouterError):
    """The person is still in the workspace, or nobody knows whether they are."""


@register(LEAVE)
def leave(job: Job, item: JobItem) -> str:
    """Out of one workspace (the item's target) with the member whom ``job.params`` names by ``user_id``."""
    if Permission.CHANGE not in permissions_of(job):
        raise Skip(f"{job.actor} may not remove people from workspaces any more.")
    place = WorkspaceMember.objects.filter(
        organization=job.organization, place=place_of(item.target_id, job.params["user_id"]), gone_at=None
    ).first()
    if place is None:
        raise Skip("They are not in this workspace any more.")
    workspace_leave(
        actor=job.actor,
        organization=job.organization,
        place=place,
        name=f"{job.params['member']} in {item.target_name.removeprefix('Workspace ')}",
        patience=PATIENCE,
    )
    return "Removed from the workspace."


def workspace_leave(
    *, actor: User, organization: Organization, place: WorkspaceMember, name: str, patience: Patience = WEB
) -> None:
    """POST /workspaces/{id}/members/remove for one person. Who is not there any more counts as removed.
    Raises OpenRouterError; its words say why OpenRouter may refuse."""
    client = client_for(organization, patience=patience)
    before = {column: getattr(place, column) for column in WORKSPACE_MEMBERS.columns}
    started = audit.start(
        actor=actor,
        organization=organization,
        action="workspace_member.delete",
        target=Target("workspace_member", place.place, name),
        before=WORKSPACE_MEMBERS.audited(before),
    )
    try:
        removed = upstream.remove(client, workspace_id=place.workspace_uid, user_ids=[place.user_id])
    except OpenRouterError as error:
        if not error.outcome_unknown:
            failed(started, error)
            raise _explained(error) from error
        _settle(client, place, started, error)
    else:
        if not removed:
            _settle(client, place, started, NotRemoved("OpenRouter took the request and removed nobody."))
    with CarryOn("earlier acts not settled", action=started.action, target=started.target_id):
        Entry.objects.bulk_create(repeated_acts(started))
    with CarryOn("audit outcome not saved", action=started.action, target=started.target_id):
        audit.finish(started, outcome=Outcome.OK)
    with CarryOn("place not marked gone", place=place.place):
        now = timezone.now()
        WorkspaceMember.objects.filter(pk=place.pk).update(gone_at=now, written_at=now)


def _explained(error: OpenRouterError) -> OpenRouterError:
    """The error, with the reasons there are where it is a refusal of the removal itself."""
    if not isinstance(error, InvalidRequest | Forbidden):
        return error
    said = f"{sentence(error.message)} {WHY_REFUSED}"
    return NotRemoved(said, status=error.status, request_id=error.request_id)


def _settle(client: OpenRouter, place: WorkspaceMember, started: Entry, error: OpenRouterError) -> None:
    """Nobody knows whether they were removed: read who is there. Raises the error unless they are not."""
    try:
        there = upstream.everyone(client, workspace_id=place.workspace_uid)
    except OpenRouterError:
        there = None
    if there is None:
        failed(started, error)
        raise error
    if all(row.user_id != place.user_id for row in there):
        return
    # Now known: the caller may say so and offer another try.
    error.outcome_unknown = False
    failed(started, error, seen="The list was read again: they are still in the workspace.")
    raise error
