"""Pages of no organization: adding one, one's own name, signing in with a link, answering an invitation."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from orgadmin.access import SignedInRequest, signed_in
from orgadmin.accounts.invitations import (
    InvitationRefused,
    find_open,
    forget,
    invitation_in_session,
    remember,
)
from orgadmin.accounts.models import Invitation, Role
from orgadmin.accounts.proof import proof_is_fresh
from orgadmin.accounts.selectors import may_connect, memberships_of
from orgadmin.accounts.sign_in_links import sign_in as sign_in_with
from orgadmin.accounts.sign_in_links import user_of
from orgadmin.connections.forms import ConnectForm, PersonNameForm
from orgadmin.connections.refusals import Refused
from orgadmin.connections.services import invitation_accept, organization_connect, person_rename
from orgadmin.pages import go, respond


@signed_in(methods=("GET", "POST"), proof=True)
def add(request: SignedInRequest) -> HttpResponse:
    if not may_connect(user=request.user):
        raise PermissionDenied("Only staff of this installation and owners can connect another organization.")
    if request.method == "GET":
        return _add_page(request, ConnectForm(initial={"base_url": settings.OPENROUTER_BASE_URL}))
    form = ConnectForm(request.POST)
    if not form.is_valid():
        return _add_page(request, form, status=400)
    try:
        organization = organization_connect(actor=request.user, draft=form.draft())
    except Refused as refused:
        form.refuse(refused)
        return _add_page(request, form, status=400)
    return go(
        request,
        reverse("keys:list", kwargs={"organization": organization.slug}),
        toast=f"{organization.name} is connected. Its keys are being pulled.",
    )


def _add_page(request: SignedInRequest, form: ConnectForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "needs_proof": not proof_is_fresh(request) and request.user.has_usable_password(),
    }
    return respond(request, "connections/add.html", context, fragment="connections/_add.html", status=status)


@signed_in(methods=("GET", "POST"))
def name(request: SignedInRequest) -> HttpResponse:
    """How the person is called, among the pages of their own account."""
    form = PersonNameForm(request.POST or None, initial={"name": request.user.get_full_name()})
    if request.method == "GET" or not form.is_valid():
        return respond(request, "connections/name.html", {"form": form}, status=400 if form.errors else 200)
    changed = person_rename(actor=request.user, name=form.cleaned_data["name"])
    return go(
        request, reverse("front:name"), toast="Name saved." if changed else "That is your name already."
    )


@require_GET
def sign_in(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """HEAD and prefetching proxies do not use the link up: only GET signs in."""
    answer = sign_in_with(request, uid=uid, token=token)
    if answer is not None:
        return answer
    if request.user.is_authenticated and user_of(uid) == request.user:
        return redirect("home")
    return respond(request, "connections/stale_link.html", status=410, no_store=True)


@require_GET
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address bar: from here on the session knows which invitation it is."""
    found = find_open(token)
    if found is None:
        forget(request)
        return respond(request, "connections/stale_invitation.html", status=410, no_store=True)
    remember(request, found)
    return redirect("front:accept")


@require_http_methods(["GET", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    found = invitation_in_session(request)
    if found is None:
        forget(request)
        return respond(request, "connections/stale_invitation.html", status=410)
    if not request.user.is_authenticated:
        return _accept_page(request, found)
    if request.method == "GET":
        return _accept_page(request, found)
    try:
        membership = invitation_accept(actor=request.user, invitation=found)
    except InvitationRefused as refused:
        return _accept_page(request, found, problem=str(refused), status=409)
    forget(request)
    organization = found.organization
    return go(
        request,
        reverse("keys:list", kwargs={"organization": organization.slug}),
        toast=f"You belong to {organization.name} now, as {Role(membership.role).label.lower()}.",
    )


def _accept_page(
    request: HttpRequest, found: Invitation, *, problem: str = "", status: int = 200
) -> HttpResponse:
    user = request.user if request.user.is_authenticated else None
    context = {
        "invitation": found,
        "role": Role(found.role).label.lower(),
        "user": user,
        "belongs": any(row.organization_id == found.organization_id for row in memberships_of(user=user))
        if user
        else False,
        "problem": problem,
        "here": reverse("front:accept"),
    }
    return respond(request, "connections/accept.html", context, status=status, no_store=True)
