"""How fresh the mirror is: the Sync page, the line in the top bar, and the button that asks for a pull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import trigger_client_event

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.accounts.models import Organization
from orgadmin.inventory.kinds import KINDS
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_everything, request_pull
from orgadmin.pages import go, respond, wants_fragment
from orgadmin.syncs.selectors import NounState, RunFilters, fresh_now, noun_states, runs_page

ASK = (Permission.CHANGE, Permission.MANAGE)
ALL = "all"
FRESHNESS = "components/_freshness.html"


@allow(Permission.READ)
def list_runs(request: OrgRequest) -> HttpResponse:
    filters = RunFilters.of(request.GET)
    context = {
        **_nouns(request, noun_states(request.organization)),
        "filters": filters,
        "page": runs_page(request.organization, filters, number=request.GET.get("page")),
        "kinds": [(kind.name, kind.label) for kind in KINDS.values()],
        "states": SyncRun.State.choices,
    }
    return respond(request, "syncs/list.html", context, fragment="syncs/_runs.html")


def _nouns(request: OrgRequest, states: Sequence[NounState]) -> dict[str, Any]:
    return {
        "organization": request.organization,
        "nouns": states,
        "is_watched": _is_any_open(states) or _awaits_first_sync(request),
        "may_ask": bool(request.may.intersection(ASK)) and not _is_disconnected(request),
        "may_replace": Permission.MANAGE in request.may,
    }


def _is_any_open(states: Sequence[NounState]) -> bool:
    return any(state.is_open for state in states)


def _is_disconnected(request: OrgRequest) -> bool:
    return request.organization.status == Organization.Status.DISCONNECTED


@allow(Permission.READ)
def progress(request: OrgRequest) -> HttpResponse:
    """The nouns alone, asked for every two seconds while a run is open."""
    states = noun_states(request.organization)
    response = respond(request, "syncs/progress.html", _nouns(request, states), fragment="syncs/_nouns.html")
    if not _is_any_open(states):
        # The list of runs below has new lines now.
        trigger_client_event(response, "sync:done")
        if _is_list_of_keys(request) and not _awaits_first_sync(request):
            # It showed the progress in place of what a mirror never filled cannot offer (counts, workspaces),
            # so the whole page is due; once it is loaded, it does not ask again.
            response["HX-Refresh"] = "true"
    return response


def _is_list_of_keys(request: OrgRequest) -> bool:
    """Whether the list of keys asks."""
    keys = reverse("keys:list", kwargs={"organization": request.organization.slug})
    return urlsplit(request.htmx.current_url or "").path == keys


def _awaits_first_sync(request: OrgRequest) -> bool:
    """Whether the list of keys waits for counts. The last run is done a moment before they are written, and
    before the clock asked there is no run at all: in both cases nothing is open, and it must ask again."""
    return _is_list_of_keys(request) and request.organization.summary.get("synced_at") is None


@allow(Permission.READ, Permission.OWN_KEYS)
def freshness(request: OrgRequest) -> HttpResponse:
    """The line in the top bar. It stands in the organization's summary; a run said to be under way is looked
    up, so that a page never waits for a sync that nobody works on."""
    organization = request.organization
    if organization.summary.get("sync_state") == "running":
        organization.summary = {**organization.summary, **fresh_now(organization)}
    return respond(request, "syncs/fresh.html", {}, fragment=FRESHNESS)


@allow(*ASK, methods=("POST",))
def run(request: OrgRequest) -> HttpResponse:
    """Ask for a pull of one noun, or of all of them."""
    kind = request.POST.get("kind", ALL)
    if kind != ALL and kind not in KINDS:
        return _answer(request, problem="There is no such thing to sync.")
    if _is_disconnected(request):
        problem = "This organization is disconnected. Its owner can enter a management key in Settings."
        return _answer(request, problem=problem)
    if kind == ALL:
        request_everything(organization=request.organization, requested_by=request.user)
    else:
        request_pull(organization=request.organization, kind=kind, requested_by=request.user)
    request.organization.refresh_from_db(fields=["summary"])
    return _answer(request, toast="Sync started.")


def _answer(request: OrgRequest, *, toast: str = "", problem: str = "") -> HttpResponse:
    """What replaces the pressed button: the nouns on the Sync page, the line in the top bar elsewhere.

    Without JavaScript it is the page that the button stood on."""
    if not wants_fragment(request):
        return go(request, _page_before(request), toast=toast, problem=problem)
    if problem:
        messages.error(request, problem)
    if request.htmx.target == "nouns":
        response = respond(
            request,
            "syncs/progress.html",
            _nouns(request, noun_states(request.organization)),
            fragment="syncs/_nouns.html",
        )
        # For the line in the top bar, which would say "Synced now" for up to half a minute.
        return response if problem else trigger_client_event(response, "sync:asked")
    response = respond(request, "syncs/fresh.html", {}, fragment=FRESHNESS)
    return response if problem else trigger_client_event(response, "sync:started")


def _page_before(request: OrgRequest) -> str:
    """The page the form stood on; the Sync page when the browser does not say or says something foreign."""
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if is_ours else reverse("syncs:list", kwargs={"organization": request.organization.slug})
