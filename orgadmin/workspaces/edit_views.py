"""Creating, editing and deleting workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.models import Entry
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.audit.words import field_words
from orgadmin.fields import SeenField
from orgadmin.inventory.models import Workspace
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond
from orgadmin.workspaces.drafts import SETTINGS, canonical, differing, settings_of
from orgadmin.workspaces.forms import DeleteForm, WorkspaceForm, confirmation_word
from orgadmin.workspaces.selectors import outcome_of, workspace_of
from orgadmin.workspaces.services import EditConflict, workspace_create, workspace_delete, workspace_update
from orgadmin.workspaces.snapshot import contents_of


@allow(Permission.CHANGE, methods=("GET", "POST"))
def create(request: OrgRequest) -> HttpResponse:
    form = WorkspaceForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _sheet(request, None, form, status=400 if form.is_bound else 200)
    try:
        uid = workspace_create(
            actor=request.user,
            organization=request.organization,
            draft=form.draft(),
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except OpenRouterError as error:
        form.renew_token()
        form.add_error(None, explained(error, "No workspace was created."))
        return _sheet(request, None, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(
        request,
        page_of_workspace(request, uid),
        toast="Workspace created. Next: its members, budgets and default guardrail.",
    )


def _already(request: OrgRequest, entry: Entry) -> HttpResponse:
    """Where the first submission of a form led, in words."""
    outcome = outcome_of(entry)
    uid = outcome.target_id if outcome else ""
    where = page_of_workspace(request, uid) if uid else page_of_list(request)
    said = outcome.get_outcome_display().lower() if outcome else "under way"
    return go(
        request, where, problem=f"This form was already sent, and nothing was sent again. It came to: {said}."
    )


@allow(Permission.CHANGE, methods=("GET", "POST"))
def edit(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    workspace = existing(request, workspace_uid)
    if request.method == "GET":
        return _sheet(request, workspace, WorkspaceForm(values=settings_of(workspace)))
    try:
        seen = {**settings_of(workspace), **SeenField("workspace").clean(request.POST.get("seen", ""))}
    except ValidationError:
        seen = settings_of(workspace)
    form = WorkspaceForm(request.POST, values=seen)
    if not form.is_valid():
        return _sheet(request, workspace, form, status=400)
    wanted = form.edit()
    try:
        changed = workspace_update(actor=request.user, workspace=workspace, edit=wanted)
    except EditConflict as conflict:
        merged = {**conflict.theirs, **wanted.changed}
        form = WorkspaceForm(values=conflict.theirs, shown=merged)
        table = _three_ways(seen, conflict.theirs, wanted.wanted)
        return _sheet(request, workspace, form, status=409, conflict=table)
    except NotFound:
        problem = "OpenRouter does not know this workspace any more: it was deleted elsewhere."
        return go(request, page_of_workspace(request, workspace_uid), problem=problem)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The workspace was not changed."))
        return _sheet(request, workspace, form, status=400 if isinstance(error, InvalidRequest) else 502)
    toast = "Workspace saved." if changed else "Nothing to save: the workspace is already like this."
    return go(request, page_of_workspace(request, workspace_uid), toast=toast)


def existing(request: OrgRequest, workspace_uid: str) -> Workspace:
    """A workspace that can still be changed."""
    workspace = workspace_of(request.organization, workspace_uid)
    if workspace.gone_at is not None:
        raise Http404("This workspace is gone.")
    return workspace


def _three_ways(
    seen: Mapping[str, Any], theirs: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[tuple[str, Any, Any, Any]]:
    """Each setting that somebody changed: its label, what it was, what it is now, what the editor wants."""
    names = [name for name in SETTINGS if name in {*differing(seen, theirs), *differing(seen, wanted)}]
    return [
        (field_words(name).label, *(canonical(name, values[name]) for values in (seen, theirs, wanted)))
        for name in names
    ]


def _sheet(
    request: OrgRequest,
    workspace: Workspace | None,
    form: WorkspaceForm,
    *,
    status: int = 200,
    conflict: Any = None,
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "workspace": workspace,
        "form": form,
        "conflict": conflict,
    }
    return respond(request, "workspaces/edit.html", context, fragment="workspaces/_edit.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def delete(request: OrgRequest, workspace_uid: str) -> HttpResponse:
    workspace = existing(request, workspace_uid)
    posted = request.POST if request.method == "POST" else None
    form = DeleteForm(posted, word=confirmation_word(workspace))
    refusal = _refusal(workspace)
    if refusal or not form.is_valid():
        return _delete_sheet(request, workspace, form, status=400 if form.is_bound else 200, refusal=refusal)
    try:
        workspace_delete(actor=request.user, workspace=workspace, form_token=form.cleaned_data["form_token"])
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except OpenRouterError as error:
        form = DeleteForm(word=confirmation_word(workspace))
        problem = explained(error, "The workspace was not deleted.")
        status = 400 if isinstance(error, InvalidRequest) else 502
        return _delete_sheet(request, workspace, form, status=status, problem=problem)
    return go(request, page_of_list(request), toast=f"Workspace “{workspace.name}” deleted.")


def _refusal(workspace: Workspace) -> str:
    """Why it cannot be deleted now: "default", "keys", or nothing."""
    if workspace.uid == workspace.organization.default_workspace_uid:
        return "default"
    return "keys" if contents_of(workspace).active.exists() else ""


def _delete_sheet(
    request: OrgRequest,
    workspace: Workspace,
    form: DeleteForm,
    *,
    status: int,
    refusal: str = "",
    problem: str = "",
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "workspace": workspace,
        "form": form,
        "contents": contents_of(workspace),
        "refusal": refusal,
        "problem": problem,
    }
    return respond(
        request, "workspaces/delete.html", context, fragment="workspaces/_delete.html", status=status
    )


def page_of_list(request: OrgRequest) -> str:
    return reverse("workspaces:list", kwargs={"organization": request.organization.slug})


def page_of_workspace(request: OrgRequest, uid: str) -> str:
    return reverse(
        "workspaces:detail", kwargs={"organization": request.organization.slug, "workspace_uid": uid}
    )
