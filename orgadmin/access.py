"""Who may. A role is a set of permissions; each view says which it needs, and whether it wants a fresh
proof of identity. Permission comes first: nothing is looked up for somebody who may not see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Any

from allauth.core import ratelimit
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.accounts.proof import proof_is_fresh, record_proof
from orgadmin.accounts.selectors import memberships_of
from orgadmin.pages import respond


class Permission(StrEnum):
    READ = "read"  # see everything of the organization
    CHANGE = "change"  # every change at OpenRouter
    OWN_KEYS = "own_keys"  # see and manage the keys whose creator one is
    MANAGE = "manage"  # the connection and the people


PERMISSIONS: Mapping[str, frozenset[str]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset({Permission.READ, Permission.CHANGE, Permission.OWN_KEYS}),
    Role.VIEWER: frozenset({Permission.READ}),
    Role.MEMBER: frozenset({Permission.OWN_KEYS}),
}


# The session's name for the organization last looked at, to which "/" leads.
LAST_ORGANIZATION = "organization"


class SignedInRequest(HttpRequest):
    """A request whose user signed in; ``memberships`` are all of theirs, organizations loaded."""

    user: User
    htmx: HtmxDetails
    memberships: list[Membership]


class OrgRequest(SignedInRequest):
    """A request about one organization, by somebody who belongs to it."""

    organization: Organization
    membership: Membership
    may: frozenset[str]

    @property
    def reads_all(self) -> bool:
        return Permission.READ in self.may


View = Callable[..., HttpResponseBase]


def allow(
    *any_of: Permission, methods: tuple[str, ...] = ("GET",), proof: bool = False
) -> Callable[[View], View]:
    """Let in whoever has one of the permissions in the organization that the URL names.

    Anonymous people are sent to sign in; strangers to the organization get 404; a role without the
    permission gets 403; a method not listed 405. With ``proof``, a POST also needs a password entered within
    ``PROOF_SECONDS``: without one, the answer asks for it and carries the form along.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: Any, *args: Any, organization: str, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            _enter(request, organization)
            if not request.may.intersection(any_of):
                raise PermissionDenied("Your role in this organization does not include this.")
            _read_head_as_get(request)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if proof and request.method == "POST" and (question := ask_for_proof(request)):
                return question
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def signed_in(*, methods: tuple[str, ...] = ("GET",), proof: bool = False) -> Callable[[View], View]:
    """Let in whoever signed in, for the few pages that belong to no organization."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _sign_in(request)
            request.memberships = memberships_of(user=request.user)
            _read_head_as_get(request)
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if proof and request.method == "POST" and (question := ask_for_proof(request)):
                return question
            return view(request, *args, **kwargs)

        return wrapper

    return decorate


def _read_head_as_get(request: Any) -> None:
    """HEAD asks what GET would answer, and needs no CSRF token: no view may take it for anything else. The
    server leaves the body out."""
    if request.method == "HEAD":
        request.method = "GET"


def _enter(request: Any, slug: str) -> None:
    request.memberships = memberships_of(user=request.user)
    found = next((entry for entry in request.memberships if entry.organization.slug == slug), None)
    if found is None:
        raise Http404("No such organization, or you do not belong to it.")
    request.membership = found
    request.organization = found.organization
    request.may = PERMISSIONS.get(found.role, frozenset())
    request.reads_all = Permission.READ in request.may
    # Not on a POST: what it did must be shown even if the session cannot be written any more.
    if request.method == "GET" and request.session.get(LAST_ORGANIZATION) != slug:
        request.session[LAST_ORGANIZATION] = slug


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(reverse("account_login"))
    # A form that was posted cannot be resumed by a GET on the same address.
    return redirect_to_login(request.get_full_path() if request.method == "GET" else reverse("home"))


@allow(Permission.READ, Permission.OWN_KEYS, methods=("GET", "POST"))
def nothing_here(request: OrgRequest, rest: str) -> HttpResponse:
    """An address that leads nowhere: 404, with the sidebar for those who belong to the organization."""
    raise Http404("There is no such page.")


# --- a fresh proof of identity ---------------------------------------------------------------------


def ask_for_proof(request: SignedInRequest) -> HttpResponse | None:
    """None when the proof is fresh or the posted password is right; else the page that asks for it.

    The page carries the posted fields along, so that the form need not be filled in again; secrets among
    them (``management_key``, ``secret-…``) are dropped and asked for again.
    """
    if proof_is_fresh(request):
        return None
    password, error = request.POST.get("proof_password", ""), ""
    if password:
        if not ratelimit.consume(request, action="reauthenticate", user=request.user):
            error = "Too many tries. Wait a minute, then try again."
        elif request.user.check_password(password):
            record_proof(request)
            # Now and not after the act, whose answer must be shown even if the database fails meanwhile.
            request.session.save()
            request.session.modified = False
            return None
        else:
            error = "That is not your password."
    return respond(
        request,
        "access/proof.html",
        {
            "action": request.get_full_path(),
            "fields": carried_fields(request.POST),
            "error": error,
            "has_password": request.user.has_usable_password(),
        },
        fragment="access/_proof.html",
        dialog=True,
        status=403 if error else 200,
    )


# What begins so is a secret of somebody else's service, and typed again.
TYPED_AGAIN = "secret-"
NOT_CARRIED = frozenset(
    {"csrfmiddlewaretoken", "proof_password", "management_key", "inference_key", "provider_key", "password"}
)


def carried_fields(posted: QueryDict) -> list[tuple[str, str]]:
    """The posted fields as name and value, repeated names kept, secrets left out."""
    return [
        (name, str(value))
        for name, values in posted.lists()
        if name not in NOT_CARRIED and not name.startswith(TYPED_AGAIN)
        for value in values
    ]
