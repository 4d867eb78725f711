"""The way in: from the bare address to the organization one works with, and the choice of theme."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from dashboard.jinja import THEMES
from orgadmin.access import LAST_ORGANIZATION, PERMISSIONS, Permission, SignedInRequest, signed_in
from orgadmin.accounts.models import Membership
from orgadmin.accounts.selectors import may_connect
from orgadmin.pages import respond

THEME_SECONDS = 365 * 86_400


@signed_in()
def home(request: SignedInRequest) -> HttpResponse:
    """To the organization looked at last: its overview, or one's own keys in it. Where there is none, a page
    says how to get in."""
    if not request.memberships:
        context = {"email": request.user.email, "may_connect": may_connect(user=request.user)}
        return respond(request, "home/no_organization.html", context)
    chosen = _looked_at_last(request) or request.memberships[0]
    reads_all = Permission.READ in PERMISSIONS.get(chosen.role, ())
    first = "overview:show" if reads_all else "keys:list"
    return HttpResponseRedirect(reverse(first, kwargs={"organization": chosen.organization.slug}))


def _looked_at_last(request: SignedInRequest) -> Membership | None:
    slug = request.session.get(LAST_ORGANIZATION)
    return next((entry for entry in request.memberships if entry.organization.slug == slug), None)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or auto in a cookie, and go back to where the choice was made."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("The themes are auto, light and dark.")
    response = HttpResponseRedirect(_way_back(request))
    response.set_cookie(
        "theme",
        chosen,
        max_age=THEME_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _way_back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else reverse("home")
