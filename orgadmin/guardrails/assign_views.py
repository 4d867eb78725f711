"""Assigning: choose whom and what, see what it would mean, do it, see what came of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.guardrails.assign_forms import NONE, AssignRequest
from orgadmin.guardrails.assign_selectors import assignable, found, guardrail_of, subjects
from orgadmin.guardrails.assigning import (
    MOST_AT_ONCE,
    Outcomes,
    guardrail_assign,
    guardrails_take_off,
)
from orgadmin.guardrails.meaning import meaning
from orgadmin.inventory.models import Guardrail
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.pages import respond


@allow(Permission.CHANGE, methods=("GET", "POST"))
def assign(request: OrgRequest) -> HttpResponse:
    """Choose what is missing, then see what it would mean. Changes nothing."""
    asked = AssignRequest.of(request.POST if request.method == "POST" else request.GET)
    try:
        return _sheet(request, asked)
    except Http404 as missing:
        return _sheet(request, replace(asked, guardrail=""), problem=str(missing))


@allow(Permission.CHANGE, methods=("POST",))
def start(request: OrgRequest) -> HttpResponse:
    """Do what ``assign`` showed; the answer says by name what came of it."""
    asked = AssignRequest.of(request.POST)
    chosen = subjects(request.organization, asked.side, asked.selected)
    guardrail = _guardrail(request, asked)
    if not chosen or not asked.guardrail:
        return _sheet(request, asked, problem="Nothing was done: choose whom and what first.", status=400)
    try:
        outcomes = _act(request, asked, guardrail, chosen)
    except AlreadySubmitted:
        return _sheet(request, asked, problem="This was sent already: see what came of it in the audit log.")
    except OpenRouterError as error:
        return _sheet(request, asked, problem=error.message, status=502)
    context = {**_context(request, asked), "guardrail": guardrail, "outcomes": outcomes}
    return respond(
        request, "guardrails/assigned.html", context, fragment="guardrails/_assigned.html", dialog=True
    )


def _act(request: OrgRequest, asked: AssignRequest, guardrail: Guardrail | None, chosen: Any) -> Outcomes:
    act: dict[str, Any] = {
        "actor": request.user,
        "side": asked.side,
        "subjects": chosen,
        "form_token": asked.form_token,
    }
    if guardrail is None:
        return guardrails_take_off(organization=request.organization, **act)
    return guardrail_assign(guardrail=guardrail, **act)


def _guardrail(request: OrgRequest, asked: AssignRequest) -> Guardrail | None:
    if asked.guardrail in ("", NONE):
        return None
    return guardrail_of(request.organization, asked.guardrail)


def _sheet(
    request: OrgRequest, asked: AssignRequest, *, problem: str = "", status: int = 200
) -> HttpResponse:
    guardrail = _guardrail(request, asked)
    chosen = subjects(request.organization, asked.side, asked.selected)
    context = {
        **_context(request, asked),
        "guardrail": guardrail,
        "takes_off": asked.guardrail == NONE,
        "chosen": chosen,
        "choices": [] if asked.guardrail else assignable(request.organization),
        "found": found(request.organization, asked.side, asked.q) if not chosen else [],
        "meaning": meaning(guardrail, asked.side, chosen) if guardrail and chosen else None,
        "problem": problem,
    }
    return respond(
        request,
        "guardrails/assign.html",
        context,
        fragment="guardrails/_assign.html",
        dialog=True,
        status=status,
    )


def _context(request: OrgRequest, asked: AssignRequest) -> dict[str, Any]:
    return {
        "organization": request.organization,
        "asked": asked,
        "most": MOST_AT_ONCE,
        "back": reverse(f"{asked.kind}:list", kwargs={"organization": request.organization.slug}),
    }
