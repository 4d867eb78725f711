"""Restoring what an act changed: first the difference against now, then a new change."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.restoring import NotRestorable, Offer, offer_of
from orgadmin.audit.restoring import restore as restore_act
from orgadmin.audit.selectors import Act, act_of
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.audit.words import action_words, changes
from orgadmin.auditlog.selectors import names_in
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, go, respond

CHANGED = "Nothing was restored: it is no longer as you saw it. Below is what it is now."
SENT_ALREADY = "This was sent already, and nothing was restored twice."


@allow(Permission.CHANGE, methods=("GET", "POST"))
def restore(request: OrgRequest, entry_id: int) -> HttpResponse:
    act = act_of(organization=request.organization, entry_id=entry_id)
    if act is None:
        raise Http404("No such entry.")
    try:
        offer = offer_of(act)
    except NotRestorable as reason:
        return _sheet(
            request, act, None, problem=str(reason), status=409 if request.method == "POST" else 200
        )
    if request.method == "GET":
        return _sheet(request, act, offer)
    if request.POST.get("seen", "") != offer.seen:
        return _sheet(request, act, offer, problem=CHANGED, status=409)
    chosen = offer.only(request.POST.getlist("field"))
    if not chosen.then:
        return _sheet(request, act, offer, problem="Nothing was restored: tick what to put back.", status=400)
    try:
        toast = restore_act(
            actor=request.user, act=act, offer=chosen, form_token=_token(request.POST.get("form_token", ""))
        )
    except AlreadySubmitted:
        return go(request, _entry(request, act), problem=SENT_ALREADY)
    except NotRestorable as reason:
        return _again(request, act, str(reason), 409)
    except OpenRouterError as error:
        status = 400 if isinstance(error, InvalidRequest) else 502
        return _again(request, act, explained(error, "Nothing was restored."), status)
    return go(request, _entry(request, act), toast=toast)


def _token(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


def _entry(request: OrgRequest, act: Act) -> str:
    at = {"organization": request.organization.slug, "entry_id": act.entry.pk}
    return reverse("auditlog:entry", kwargs=at)


def _again(request: OrgRequest, act: Act, problem: str, status: int) -> HttpResponse:
    """The sheet as things are now, after what went wrong."""
    try:
        offer = offer_of(act)
    except NotRestorable:
        offer = None
    return _sheet(request, act, offer, problem=problem, status=status)


def _sheet(
    request: OrgRequest, act: Act, offer: Offer | None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "organization": request.organization,
        "act": act,
        "action": action_words(act.entry.action),
        "offer": offer,
        "changes": [],
        "problem": problem,
        "form_token": uuid.uuid4(),
    }
    if offer is not None:
        names = names_in(request.organization, (offer.now, offer.then))
        context["changes"] = changes(offer.now, offer.then, names)
    return respond(
        request,
        "auditlog/restore.html",
        context,
        fragment="auditlog/_restore.html",
        dialog=request.method == "GET",
        status=status,
    )
