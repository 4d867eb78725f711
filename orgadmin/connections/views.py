"""The Settings page: what the organization is connected with, and what its owner can do about it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.accounts.proof import proof_is_fresh
from orgadmin.connections.forms import DefaultWorkspaceForm, RekeyForm, RenameForm, ServiceForm, TypedForm
from orgadmin.connections.refusals import Refused
from orgadmin.connections.selectors import inference_keys_of, workspace_choices
from orgadmin.connections.services import (
    organization_check,
    organization_disconnect,
    organization_rekey,
    organization_rename,
    organization_set_default_workspace,
)
from orgadmin.pages import go, respond

BOTH = ("GET", "POST")


@allow(Permission.READ)
def settings(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    names = dict(workspace_choices(organization=organization))
    lent = inference_keys_of(organization=organization)
    context = {
        "organization": organization,
        "workspace": names.get(organization.default_workspace_uid, ""),
        "workspace_names": names,
        "inference_keys": lent,
        "may_manage": Permission.MANAGE in request.may,
    }
    return respond(request, "connections/settings.html", context)


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def rekey(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    if request.method == "GET":
        return _sheet(request, "rekey", RekeyForm(initial={"base_url": organization.base_url}))
    form = RekeyForm(request.POST)
    if not form.is_valid():
        return _sheet(request, "rekey", form, status=400)
    try:
        organization_rekey(actor=request.user, organization=organization, connection=form.connection())
    except Refused as refused:
        form.refuse(refused)
        return _sheet(request, "rekey", form, status=400)
    return _done(request, "The new key is in use. Everything is being pulled with it.")


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def rename(request: OrgRequest) -> HttpResponse:
    if request.method == "GET":
        return _sheet(request, "rename", RenameForm(initial={"name": request.organization.name}))
    form = RenameForm(request.POST)
    if not form.is_valid():
        return _sheet(request, "rename", form, status=400)
    changed = organization_rename(
        actor=request.user, organization=request.organization, name=form.cleaned_data["name"]
    )
    return _done(request, "Name saved." if changed else "That was the name already.")


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def default_workspace(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    workspaces = workspace_choices(organization=organization)
    if request.method == "GET":
        initial = {"workspace": organization.default_workspace_uid}
        return _sheet(
            request, "default_workspace", DefaultWorkspaceForm(workspaces=workspaces, initial=initial)
        )
    form = DefaultWorkspaceForm(request.POST, workspaces=workspaces)
    if not form.is_valid():
        return _sheet(request, "default_workspace", form, status=400)
    try:
        changed = organization_set_default_workspace(
            actor=request.user, organization=organization, workspace_uid=form.cleaned_data["workspace"]
        )
    except Refused as refused:
        form.refuse(refused)
        return _sheet(request, "default_workspace", form, status=400)
    return _done(
        request, "Default workspace saved." if changed else "That was the default workspace already."
    )


@allow(Permission.MANAGE, methods=("POST",))
def check(request: OrgRequest) -> HttpResponse:
    checked = organization_check(actor=request.user, organization=request.organization)
    if checked.ok:
        return _done(request, "OpenRouter answered and accepts the key.")
    return go(request, _address(request), problem=checked.message)


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def disconnect(request: OrgRequest) -> HttpResponse:
    word = request.organization.name
    if request.method == "GET":
        return _sheet(request, "disconnect", TypedForm(word=word))
    form = TypedForm(request.POST, word=word)
    if not form.is_valid():
        return _sheet(request, "disconnect", form, status=400)
    organization_disconnect(actor=request.user, organization=request.organization)
    return _done(
        request, "Disconnected. The key is forgotten; delete it at OpenRouter if nothing else uses it."
    )


def _sheet(request: OrgRequest, name: str, form: ServiceForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "organization": request.organization,
        "form": form,
        # Asked for in the same form: a second page must not carry a pasted key, so it would be lost.
        "needs_proof": not proof_is_fresh(request) and request.user.has_usable_password(),
    }
    return respond(
        request, f"connections/{name}.html", context, fragment=f"connections/_{name}.html", status=status
    )


def _done(request: OrgRequest, toast: str) -> HttpResponse:
    return go(request, _address(request), toast=toast)


def _address(request: OrgRequest) -> str:
    return reverse("connections:settings", kwargs={"organization": request.organization.slug})
