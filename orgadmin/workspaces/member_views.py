"""Who is in a workspace: the list, adding people, removing them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.inventory.models import Member, Workspace
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, page_of, respond
from orgadmin.workspaces.edit_views import existing
from orgadmin.workspaces.membership import MOST_AT_ONCE, Outcomes, members_add, members_remove
from orgadmin.workspaces.people import Chosen, blocked, members_named, people_beside, people_in
from orgadmin.workspaces.selectors import has_members, workspace_of

# Of many who could be added, so many are shown; the search finds the rest.
OFFERED = 50
SENT_ALREADY = "This was sent already, and nothing was sent again: the history says what it came to."


@allow(Permission.READ)
def members(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    workspace = workspace_of(request.organization, workspace_uid)
    q = request.GET.get("q", "").strip().replace("\x00", "")[:200]
    people = people_in(workspace, q)
    context = {
        "organization": request.organization,
        "workspace": workspace,
        "q": q,
        "is_default": workspace.uid == request.organization.default_workspace_uid,
        "is_told": has_members(request.organization, workspace),
        "page": page_of(len(people), request.GET.get("page"), lambda at, size: people[at : at + size]),
        "may_act": Permission.CHANGE in request.may and workspace.gone_at is None,
    }
    return respond(request, "workspaces/members.html", context, fragment="workspaces/_members.html")


@allow(Permission.CHANGE, methods=("GET", "POST"))
def add(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    """Choose people and add them. Looking for more of them keeps those that are ticked."""
    workspace = _with_members(request, workspace_uid)
    chosen = Chosen.of(request.POST if request.method == "POST" else request.GET)
    if request.method == "GET" or chosen.form_token is None:
        return _add_sheet(request, workspace, chosen)
    people = members_named(request.organization, chosen.selected)
    if not people:
        return _add_sheet(request, workspace, chosen, problem="Nobody was added: tick who.", status=400)
    try:
        outcomes = members_add(
            actor=request.user, workspace=workspace, members=people, form_token=chosen.form_token
        )
    except AlreadySubmitted:
        return _add_sheet(request, workspace, chosen, problem=SENT_ALREADY, status=409)
    except OpenRouterError as error:
        problem = explained(error, "Nobody was added.")
        return _add_sheet(request, workspace, chosen, problem=problem, status=_status(error))
    return _outcomes(request, workspace, outcomes, "added")


@allow(Permission.CHANGE, methods=("POST",))
def remove(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    """Show who would go and whom OpenRouter would not let go; with the sheet's token it is done."""
    workspace = _with_members(request, workspace_uid)
    chosen = Chosen.of(request.POST)
    people = members_named(request.organization, chosen.selected)
    kept = blocked(workspace, people)
    going = [one for one in people if one.uid not in kept]
    if chosen.form_token is None or not going:
        return _remove_sheet(request, workspace, people, kept)
    try:
        outcomes = members_remove(
            actor=request.user, workspace=workspace, members=going, form_token=chosen.form_token
        )
    except AlreadySubmitted:
        return _remove_sheet(request, workspace, people, kept, problem=SENT_ALREADY, status=409)
    except OpenRouterError as error:
        problem = explained(error, "Nobody was removed.")
        return _remove_sheet(request, workspace, people, kept, problem=problem, status=_status(error))
    return _outcomes(request, workspace, outcomes, "removed")


def _with_members(request: OrgRequest, workspace_uid: str) -> Workspace:
    workspace = existing(request, workspace_uid)
    if workspace.uid == request.organization.default_workspace_uid:
        raise Http404("Everybody of the organization is in the default workspace.")
    return workspace


def _status(error: OpenRouterError) -> int:
    return 400 if isinstance(error, InvalidRequest) else 502


def _add_sheet(
    request: OrgRequest, workspace: Workspace, chosen: Chosen, *, problem: str = "", status: int = 200
) -> HttpResponse:
    ticked = members_named(request.organization, chosen.selected)
    found = people_beside(workspace, chosen.q)
    context = {
        **_context(request, workspace),
        "chosen": chosen,
        "ticked": ticked,
        "found": list(found.exclude(pk__in=[one.pk for one in ticked])[: OFFERED + 1]),
        "offered": OFFERED,
        "most": MOST_AT_ONCE,
        "problem": problem,
        "form_token": uuid.uuid4(),
    }
    return respond(
        request,
        "workspaces/add_members.html",
        context,
        fragment="workspaces/_add_members.html",
        dialog=True,
        status=status,
    )


def _remove_sheet(
    request: OrgRequest,
    workspace: Workspace,
    people: Sequence[Member],
    kept: dict[str, int],
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **_context(request, workspace),
        "going": [one for one in people if one.uid not in kept],
        "kept": [(one, kept[one.uid]) for one in people if one.uid in kept],
        "problem": problem,
        "form_token": uuid.uuid4(),
    }
    return respond(
        request,
        "workspaces/remove_members.html",
        context,
        fragment="workspaces/_remove_members.html",
        dialog=True,
        status=status,
    )


def _outcomes(request: OrgRequest, workspace: Workspace, outcomes: Outcomes, done: str) -> HttpResponse:
    context = {**_context(request, workspace), "outcomes": outcomes, "done": done, "form_token": uuid.uuid4()}
    return respond(
        request,
        "workspaces/members_done.html",
        context,
        fragment="workspaces/_members_done.html",
        dialog=True,
    )


def _context(request: OrgRequest, workspace: Workspace) -> dict[str, Any]:
    at = {"organization": request.organization.slug, "workspace_uid": workspace.uid}
    return {
        "organization": request.organization,
        "workspace": workspace,
        "back": reverse("workspaces:members", kwargs=at),
    }
