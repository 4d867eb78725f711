"""The People page: who belongs, as what, and who was invited."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from orgadmin.access import PERMISSIONS, OrgRequest, Permission, allow
from orgadmin.accounts.models import Membership, Role
from orgadmin.connections.forms import InviteForm, RoleForm
from orgadmin.connections.refusals import Refused
from orgadmin.connections.selectors import invitation_of, membership_of, open_invitations, people_of
from orgadmin.connections.services import invitation_revoke, person_invite, person_remove, person_set_role
from orgadmin.pages import go, respond


@allow(Permission.READ)
def people(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    found = people_of(organization=organization)
    context = {
        "organization": organization,
        "people": found,
        "owners": sum(row.role == Role.OWNER for row in found),
        "invitations": open_invitations(organization=organization),
        "me": request.user,
        "roles": Role.choices,
        "may_manage": Permission.MANAGE in request.may,
    }
    return respond(request, "connections/people.html", context)


@allow(Permission.MANAGE, methods=("GET", "POST"), proof=True)
def invite(request: OrgRequest) -> HttpResponse:
    if request.method == "GET":
        return _invite_sheet(request, InviteForm())
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _invite_sheet(request, form, status=400)
    draft = form.draft()
    try:
        link = person_invite(actor=request.user, organization=request.organization, draft=draft)
    except Refused as refused:
        form.refuse(refused)
        return _invite_sheet(request, form, status=400)
    if not link:
        return go(request, _address(request), toast=f"Invitation sent to {draft.email}.")
    context = {"organization": request.organization, "link": link, "role": Role(draft.role).label.lower()}
    return respond(
        request,
        "connections/invited.html",
        context,
        fragment="connections/_invited.html",
        dialog=True,
        status=201,
        no_store=True,
    )


@allow(Permission.MANAGE, methods=("POST",), proof=True)
def revoke(request: OrgRequest, invitation_id: int) -> HttpResponse:
    invitation = invitation_of(organization=request.organization, invitation_id=invitation_id)
    if invitation_revoke(actor=request.user, invitation=invitation):
        return go(request, _address(request), toast="Invitation withdrawn. Its link no longer works.")
    return go(request, _address(request), problem="This invitation was used or withdrawn already.")


@allow(Permission.MANAGE, methods=("POST",), proof=True)
def role(request: OrgRequest, membership_id: int) -> HttpResponse:
    membership = membership_of(organization=request.organization, membership_id=membership_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return go(request, _address(request), problem="Choose one of the roles in the list.")
    wanted = form.cleaned_data["role"]
    try:
        changed = person_set_role(actor=request.user, membership=membership, role=wanted)
    except Refused as refused:
        return go(request, _address(request), problem=refused.message)
    word = Role(wanted).label.lower()
    toast = f"{membership.user} is now {word}." if changed else f"{membership.user} is {word} already."
    return go(request, _after(request, membership, wanted), toast=toast)


@allow(Permission.MANAGE, methods=("GET", "POST"), proof=True)
def remove(request: OrgRequest, membership_id: int) -> HttpResponse:
    membership = membership_of(organization=request.organization, membership_id=membership_id)
    if request.method == "GET":
        context = {
            "organization": request.organization,
            "membership": membership,
            "is_me": membership.user_id == request.user.pk,
        }
        return respond(request, "connections/remove.html", context, fragment="connections/_remove.html")
    try:
        person_remove(actor=request.user, membership=membership)
    except Refused as refused:
        return go(request, _address(request), problem=refused.message)
    return go(request, _after(request, membership, ""), toast=f"{membership.user} was removed.")


def _invite_sheet(request: OrgRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    context = {"organization": request.organization, "form": form}
    return respond(
        request, "connections/invite.html", context, fragment="connections/_invite.html", status=status
    )


def _after(request: OrgRequest, membership: Membership, role: str) -> str:
    """People again, unless the owner just took that away from themselves."""
    lost = membership.user_id == request.user.pk and Permission.READ not in PERMISSIONS.get(role, frozenset())
    return reverse("home") if lost else _address(request)


def _address(request: OrgRequest) -> str:
    return reverse("connections:people", kwargs={"organization": request.organization.slug})
