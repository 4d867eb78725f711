"""Rotating a key, watching the handover, retiring the old one."""

from __future__ import annotations

import re
import uuid

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.inventory.models import Key
from orgadmin.keys.create_views import (
    already_sent,
    lost,
    may_try_again,
    offered,
    renew_token,
    reveal,
)
from orgadmin.keys.forms import KeyForm
from orgadmin.keys.models import Rotation
from orgadmin.keys.selectors import may_enable, rotations_of, visible_key, visible_keys
from orgadmin.keys.services import CreateLost, Locked, key_rotate, rotation_retire
from orgadmin.keys.services.rotate import QUIET, Handover, handover, rotation_look
from orgadmin.keys.views import ACT, SEE
from orgadmin.openrouter.errors import OpenRouterError
from orgadmin.pages import Page, explained, go, page_of, respond

_SUFFIX = re.compile(r" \(from \d{4}-\d{2}-\d{2}\)$")


@allow(*ACT, methods=("GET", "POST"), proof=True)
def rotate(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    if key.gone_at is not None:
        return _refused(request, key, "This key no longer exists: nothing can succeed it.", status=409)
    if not may_enable(user=request.user, key=key, may_change=Permission.CHANGE in request.may):
        # Its successor would do what the lock is there to stop.
        return _refused(request, key, str(Locked()), status=403)
    workspaces, owners = _with_own(request, key)
    if request.method == "GET":
        form = KeyForm(workspaces=workspaces, owners=owners, initial=_successor(key))
        return _sheet(request, key, form)
    form = KeyForm(request.POST, workspaces=workspaces, owners=owners)
    if not form.is_valid():
        return _sheet(request, key, form, status=400)
    try:
        made = key_rotate(
            actor=request.user, key=key, draft=form.draft(), form_token=form.cleaned_data["form_token"]
        )
    except AlreadySubmitted as error:
        return already_sent(request, error)
    except CreateLost as error:
        if not may_try_again(form, error):
            return lost(request, error)
        renew_token(form)
        return _sheet(request, key, form, status=502)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "No successor was created; the old key is as it was."))
        renew_token(form)
        return _sheet(request, key, form, status=400 if error.status == 400 else 502)
    return reveal(request, made, old=key)


def _with_own(request: OrgRequest, key: Key) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What may be chosen, the key's own workspace and owner among it even if they are gone from the lists."""
    workspaces, owners = (list(options) for options in offered(request))
    if key.workspace_uid not in {uid for uid, _ in workspaces}:
        workspaces.append((key.workspace_uid, key.workspace.name if key.workspace else "Its own workspace"))
    owner = key.creator_user_id
    if owner and request.reads_all and owner not in {uid for uid, _ in owners}:
        # OpenRouter may refuse somebody who left. To drop the owner without a word would be worse.
        owners.append((owner, f"former member {key.owner or owner}"))
    return workspaces, owners


def _successor(key: Key) -> dict[str, object]:
    """The same settings; the name says since when, the expiry is kept while it lies ahead."""
    now = timezone.now()
    ahead = key.expires_at is not None and key.expires_at > now
    return {
        "form_token": uuid.uuid4(),
        "name": f"{_SUFFIX.sub('', key.name)[:180]} (from {now:%Y-%m-%d})",
        "workspace": key.workspace_uid,
        "creator": key.creator_user_id or "",
        "limit": key.limit,
        "limit_reset": key.limit_reset or "",
        "include_byok_in_limit": key.include_byok_in_limit,
        "expires_at": key.expires_at if ahead else None,
    }


def _sheet(request: OrgRequest, key: Key, form: KeyForm, *, status: int = 200) -> HttpResponse:
    context = {
        "organization": request.organization,
        "key": key,
        "form": form,
        "reads_all": request.reads_all,
        "refusal": "",
    }
    return respond(request, "keys/rotate.html", context, fragment="keys/_rotate.html", status=status)


def _refused(request: OrgRequest, key: Key, refusal: str, *, status: int) -> HttpResponse:
    context = {"organization": request.organization, "key": key, "refusal": refusal}
    return respond(
        request, "keys/rotate.html", context, fragment="keys/_rotate.html", dialog=True, status=status
    )


@allow(*SEE)
def list_rotations(request: OrgRequest) -> HttpResponse:
    rotations = rotations_of(visible_keys(request))
    page: Page[Rotation] = page_of(
        rotations.count(),
        request.GET.get("page"),
        lambda offset, limit: list(rotations[offset : offset + limit]),
    )
    context = {
        "organization": request.organization,
        "page": page,
        "handovers": [handover(rotation) for rotation in page.rows],
    }
    return respond(request, "keys/rotations.html", context)


@allow(*SEE)
def detail(request: OrgRequest, rotation_id: int) -> HttpResponse:
    found = handover(_rotation(request, rotation_id))
    return respond(request, "keys/rotation.html", _context(request, found, problem=""))


@allow(*ACT, methods=("POST",))
def retire(request: OrgRequest, rotation_id: int) -> HttpResponse:
    rotation = _rotation(request, rotation_id)
    address = reverse(
        "keys:rotation", kwargs={"organization": request.organization.slug, "rotation_id": rotation.pk}
    )
    if rotation.retired_at is not None:
        # Somebody may have enabled the old key again since, for reasons that this button knows nothing of.
        problem = "The old key was retired already. To disable it once more, open the key itself."
        return go(request, address, problem=problem)
    try:
        state = rotation_look(rotation)
    except OpenRouterError as error:
        return go(request, address, problem=explained(error, "The old key is as it was."))
    if not (state.is_quiet or state.is_off or request.POST.get("still_used")):
        problem = "The old key was used in the last 24 hours. Tick the box if you mean to cut that off."
        return respond(request, "keys/rotation.html", _context(request, state, problem=problem), status=400)
    try:
        is_member = Permission.CHANGE not in request.may
        warnings = rotation_retire(actor=request.user, rotation=rotation, is_member=is_member)
    except OpenRouterError as error:
        return go(request, address, problem=explained(error, "The old key is as it was."))
    toast = f"“{rotation.old.name}” is disabled. Delete it when nothing misses it."
    return go(request, address, toast=toast, problem=" ".join(warnings))


def _rotation(request: OrgRequest, rotation_id: int) -> Rotation:
    found = rotations_of(visible_keys(request)).filter(pk=rotation_id).first()
    if found is None:
        raise Http404("No such rotation.")
    return found


def _context(request: OrgRequest, state: Handover, *, problem: str) -> dict[str, object]:
    return {
        "organization": request.organization,
        "handover": state,
        "quiet_hours_needed": int(QUIET.total_seconds() // 3600),
        "may_act": bool(request.may.intersection(ACT)),
        "problem": problem,
        "now": timezone.now(),
    }
