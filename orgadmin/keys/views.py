"""The key list and one key: look, edit, disable, enable, delete."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.history import history
from orgadmin.fields import ConfirmForm
from orgadmin.inventory import guardrails
from orgadmin.inventory.models import Key
from orgadmin.inventory.successors import mentions_of
from orgadmin.inventory.windows import next_reset
from orgadmin.keys import csv, filters
from orgadmin.keys.bulk import blocked_by
from orgadmin.keys.filters import KeyFilters
from orgadmin.keys.forms import KeyEditForm, confirmation_word, posted, seen_text
from orgadmin.keys.selectors import (
    filtered,
    keys_page,
    lockable,
    may_enable,
    owner_choices,
    rotations_of,
    visible_key,
    visible_keys,
)
from orgadmin.keys.services import (
    EditConflict,
    Locked,
    key_delete,
    key_set_disabled,
    key_update,
    own_key_set_disabled,
)
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond, wants_fragment

SEE = (Permission.READ, Permission.OWN_KEYS)
ACT = (Permission.CHANGE, Permission.OWN_KEYS)
# What of a key decides whether it has spent its limit.
LIMITING = frozenset({"limit", "limit_reset", "include_byok_in_limit"})


@allow(*SEE)
def list_keys(request: OrgRequest) -> HttpResponse:
    wanted, summary = KeyFilters.of(request.GET), request.organization.summary
    page = keys_page(visible_keys(request), wanted, number=request.GET.get("page"))
    context = {
        "organization": request.organization,
        "summary": summary,
        "page": page,
        "held": guardrails.of_keys(request.organization, [key.hash for key in page.rows]),
        "filters": wanted,
        "choices": filters,
        "workspaces": _workspace_choices(request),
        "owners": [] if wants_fragment(request) else owner_choices(request, wanted.owner),
        "reads_all": request.reads_all,
        "may_act": bool(request.may.intersection(ACT)),
        "now": timezone.now(),
    }
    return respond(request, "keys/list.html", context, fragment="keys/_list.html")


def _workspace_choices(request: OrgRequest) -> list[tuple[str, str]]:
    """The workspaces of the organization, which a member is not told of."""
    known = request.organization.summary.get("workspace_choices", []) if request.reads_all else []
    return [(row["slug"], row["name"]) for row in known]


@allow(*SEE)
def export(request: OrgRequest) -> StreamingHttpResponse:
    return csv.stream(filtered(visible_keys(request), KeyFilters.of(request.GET)), request.organization)


@allow(*SEE)
def detail(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    context = {
        "organization": request.organization,
        "key": key,
        "resets_at": next_reset(key.limit_reset, timezone.now()) if key.limit is not None else None,
        "history": history(request.organization, ("key", "key_assignment"), key.hash, _names(key)),
        "guardrail": guardrails.of_keys(request.organization, [key.hash]).get(key.hash),
        "rotation": rotations_of(visible_keys(request)).filter(old=key, retired_at=None).first(),
        "may_act": bool(request.may.intersection(ACT)),
        "may_enable": _may_enable(request, key),
        "may_lock": Permission.CHANGE in request.may and lockable(Key.objects.filter(pk=key.pk)).exists(),
        "reads_all": request.reads_all,
        "now": timezone.now(),
    }
    return respond(request, "keys/detail.html", context)


def _names(key: Key) -> dict[str, str]:
    """Workspace, owner and guardrails as the history may name them."""
    names = guardrails.names(key.organization)
    if key.workspace:
        names[key.workspace_uid] = key.workspace.name
    if key.owner:
        names[key.owner.uid] = str(key.owner)
    return names


@allow(*ACT, methods=("GET", "POST"))
def edit(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    if request.method == "GET":
        return _edit_sheet(request, key, KeyEditForm.of(key))
    form = KeyEditForm(request.POST)
    if not (form.is_valid() and _stops_nothing_unasked(key, form)):
        return _edit_sheet(request, key, form, status=400)
    try:
        changed = key_update(actor=request.user, key=key, edit=form.edit())
    except EditConflict as conflict:
        return _conflict_sheet(request, key, form, conflict)
    except NotFound:
        return _go_to(
            request, key, problem="OpenRouter does not know this key any more: it was deleted elsewhere."
        )
    except InvalidRequest as error:
        form.add_error(None, f"OpenRouter: {error.message}")
        return _edit_sheet(request, key, form, status=400)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The key was not changed."))
        return _edit_sheet(request, key, form, status=502)
    return _go_to(
        request, key, toast="Key saved." if changed else "Nothing to save: the key is already like this."
    )


def _stops_nothing_unasked(key: Key, form: KeyEditForm) -> bool:
    """Whether what was changed of the limit stops no working key, or the person ticked that it may."""
    edit = form.edit()
    if form.cleaned_data["blocks_anyway"] or not edit.changed.keys() & LIMITING:
        return True
    blocked = blocked_by(
        Key.objects.filter(pk=key.pk),
        limit=edit.wanted["limit"],
        limit_reset=edit.wanted["limit_reset"],
        counts_byok=edit.wanted["include_byok_in_limit"],
    )
    if blocked:
        form.refuse_to_block()
    return not blocked


def _edit_sheet(request: OrgRequest, key: Key, form: KeyEditForm, *, status: int = 200) -> HttpResponse:
    context = {"organization": request.organization, "key": key, "form": form, "conflict": None}
    return respond(request, "keys/edit.html", context, fragment="keys/_edit.html", status=status)


def _conflict_sheet(request: OrgRequest, key: Key, form: KeyEditForm, conflict: EditConflict) -> HttpResponse:
    """The same form with what the other one did beside it; saving again now means to overwrite that."""
    edit_made = form.edit()
    rows = [
        (form[name].label, edit_made.seen[name], conflict.theirs[name], edit_made.wanted[name])
        for name in conflict.fields
    ]
    data = {name: form.data.get(name, "") for name in form.fields}
    data["seen"] = seen_text(conflict.theirs)
    for name, value in conflict.theirs.items():
        if name not in edit_made.changed:
            # What the editor left alone follows what the other one made of it.
            data[name] = posted(value)
    context = {
        "organization": request.organization,
        "key": key,
        "form": KeyEditForm(data),
        "conflict": rows,
    }
    return respond(request, "keys/edit.html", context, fragment="keys/_edit.html", status=409)


@allow(*ACT, methods=("POST",))
def disable(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    return _switch(request, key, disabled=True, done="Key disabled. It refuses requests until it is enabled.")


@allow(*ACT, methods=("POST",))
def enable(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    return _switch(request, key, disabled=False, done="Key enabled.")


def _may_enable(request: OrgRequest, key: Key) -> bool:
    return may_enable(user=request.user, key=key, may_change=Permission.CHANGE in request.may)


def _switch(request: OrgRequest, key: Key, *, disabled: bool, done: str) -> HttpResponse:
    is_undoable = key.disabled is not disabled
    try:
        if Permission.CHANGE in request.may:
            key_set_disabled(actor=request.user, key=key, disabled=disabled)
        elif not own_key_set_disabled(actor=request.user, key=key, disabled=disabled):
            done, is_undoable = f"The key is already {'disabled' if disabled else 'enabled'}.", False
    except Locked as locked:
        return _go_to(request, key, problem=str(locked))
    except NotFound:
        return _go_to(
            request, key, problem="OpenRouter does not know this key any more: it was deleted elsewhere."
        )
    except OpenRouterError as error:
        return _go_to(request, key, problem=explained(error, "The key was not changed."))
    messages.success(request, done, extra_tags=_opposite(request, key, disabled) if is_undoable else "")
    return _go_to(request, key)


def _opposite(request: OrgRequest, key: Key, disabled: bool) -> str:
    """Where the act that takes a disabling or enabling back is posted."""
    at = {"organization": request.organization.slug, "key_hash": key.hash}
    return reverse("keys:enable" if disabled else "keys:disable", kwargs=at)


@allow(*ACT, methods=("GET", "POST"), proof=True)
def delete(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    form = ConfirmForm(request.POST or None, word=confirmation_word(key))
    if request.method == "GET" or not form.is_valid():
        return _delete_sheet(request, key, form, status=400 if form.is_bound else 200)
    try:
        key_delete(actor=request.user, key=key)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The key was not deleted."))
        return _delete_sheet(request, key, form, status=502)
    return go(
        request,
        reverse("keys:list", kwargs={"organization": request.organization.slug}),
        toast=f"Key “{key.name}” deleted.",
    )


def _delete_sheet(request: OrgRequest, key: Key, form: ConfirmForm, *, status: int) -> HttpResponse:
    context = {
        "organization": request.organization,
        "key": key,
        "form": form,
        # Members see no more of the organization than their keys.
        "mentions": mentions_of(request.organization, key.hash) if request.reads_all else [],
    }
    return respond(request, "keys/delete.html", context, fragment="keys/_delete.html", status=status)


def _go_to(request: OrgRequest, key: Key, *, toast: str = "", problem: str = "") -> HttpResponse:
    address = reverse("keys:detail", kwargs={"organization": request.organization.slug, "key_hash": key.hash})
    return go(request, address, toast=toast, problem=problem)
