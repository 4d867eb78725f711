"""The inference keys of workspaces: lending one to the dashboard, replacing it, taking it back."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.accounts.models import InferenceKey
from orgadmin.accounts.proof import proof_is_fresh
from orgadmin.connections.forms import LendForm
from orgadmin.connections.refusals import Refused
from orgadmin.connections.selectors import inference_key_of, workspace_choices
from orgadmin.connections.services import inference_key_lend, inference_key_remove
from orgadmin.pages import go, respond

BOTH = ("GET", "POST")


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def add(request: OrgRequest) -> HttpResponse:
    workspaces = workspace_choices(organization=request.organization)
    if request.method == "GET":
        wanted = request.GET.get("workspace", "")
        return _sheet(request, LendForm(workspaces=workspaces, initial={"workspace": wanted}), None)
    return _lend(request, LendForm(request.POST, workspaces=workspaces), None)


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def replace(request: OrgRequest, key_id: int) -> HttpResponse:
    key = inference_key_of(organization=request.organization, key_id=key_id)
    if request.method == "GET":
        return _sheet(request, LendForm(), key)
    return _lend(request, LendForm(request.POST, workspace_uid=key.workspace_uid), key)


@allow(Permission.MANAGE, methods=BOTH, proof=True)
def remove(request: OrgRequest, key_id: int) -> HttpResponse:
    key = inference_key_of(organization=request.organization, key_id=key_id)
    if request.method == "GET":
        return _respond(request, "remove_key", {"key": key})
    inference_key_remove(actor=request.user, key=key)
    return go(
        request, _address(request), toast="Key forgotten. Delete it at OpenRouter if nothing else uses it."
    )


def _lend(request: OrgRequest, form: LendForm, replaced: InferenceKey | None) -> HttpResponse:
    if not form.is_valid():
        return _sheet(request, form, replaced, status=400)
    try:
        inference_key_lend(
            actor=request.user, organization=request.organization, lent=form.lent(), replaced=replaced
        )
    except Refused as refused:
        form.refuse(refused)
        return _sheet(request, form, replaced, status=400)
    return go(request, _address(request), toast="Key kept. The presets of its workspace are being read.")


def _sheet(
    request: OrgRequest, form: LendForm, replaced: InferenceKey | None, *, status: int = 200
) -> HttpResponse:
    return _respond(request, "lend", {"form": form, "replaced": replaced}, status=status)


def _respond(request: OrgRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    names = dict(workspace_choices(organization=request.organization))
    context |= {
        "organization": request.organization,
        "workspace_names": names,
        # Asked for in the same form: a second page must not carry a pasted key, so it would be lost.
        "needs_proof": not proof_is_fresh(request) and request.user.has_usable_password(),
    }
    return respond(
        request, f"connections/{name}.html", context, fragment=f"connections/_{name}.html", status=status
    )


def _address(request: OrgRequest) -> str:
    return reverse("connections:settings", kwargs={"organization": request.organization.slug})
