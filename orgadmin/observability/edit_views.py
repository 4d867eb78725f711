"""Adding, editing, switching and deleting destinations, and the parts of their editor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.models import Entry
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.audit.words import changes
from orgadmin.fields import ConfirmForm, SeenField
from orgadmin.inventory.destination_types import TYPES, label_of
from orgadmin.inventory.models import Workspace
from orgadmin.observability.drafts import differing, settings_of
from orgadmin.observability.forms import (
    LOST,
    DestinationForm,
    confirmation_word,
    lacking,
)
from orgadmin.observability.rules_field import PRESS, Editor
from orgadmin.observability.selectors import (
    Row,
    found_keys,
    names_of_keys,
    newest_known,
    place_of,
    places,
    rooms,
    row_of,
)
from orgadmin.observability.services import (
    EditConflict,
    destination_create,
    destination_delete,
    destination_set_enabled,
    destination_update,
)
from orgadmin.observability.words import FIELDS, OPERATORS, rule_words
from orgadmin.openrouter.errors import Conflict, Forbidden, InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond

MOST_POSTED = 1000
LOCKED = "The account's privacy settings may be locked: then they are changed at OpenRouter alone."


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def create(request: OrgRequest) -> HttpResponse:
    """First where and of which type, then everything else."""
    asked = request.POST if request.method == "POST" else request.GET
    given = {name: asked.get(name, "").replace("\x00", "")[:100] for name in ("workspace", "type")}
    place = place_of(request.organization, given["workspace"])
    if place is None or given["type"] not in TYPES:
        return _choose(request, place)
    room = next(one for one in rooms(request.organization, place.uid) if one.type == given["type"])
    if room.is_full and request.method == "GET":
        return _choose(request, place)
    return _create(request, place, given["type"])


def _choose(request: OrgRequest, place: Workspace | None) -> HttpResponse:
    offered = places(request.organization)
    chosen = place.uid if place else (offered[0][0] if offered else "")
    context = {
        "organization": request.organization,
        "places": offered,
        "chosen": chosen,
        "rooms": rooms(request.organization, chosen),
    }
    return respond(request, "observability/choose.html", context, fragment="observability/_choose.html")


def _create(request: OrgRequest, place: Workspace, kind: str) -> HttpResponse:
    form = DestinationForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        values={},
        lacks=lacking(newest_known(request.organization)),
        is_new=True,
        find=partial(found_keys, request.organization, place.uid),
        names=_names(request, place.uid, ()),
    )
    if form.is_only_edited:
        form.press()
        return _new_sheet(request, place, form)
    if not form.is_valid():
        return _new_sheet(request, place, form, status=400 if form.is_bound else 200)
    try:
        uid = destination_create(
            actor=request.user,
            organization=request.organization,
            kind=kind,
            workspace_uid=place.uid,
            draft=form.draft(),
            config=form.config,
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except OpenRouterError as error:
        form.renew_token()
        form.add_error(None, _why(error, "No destination was added."))
        return _new_sheet(request, place, form, status=_status(error))
    words = "Destination added." if place.is_observability_broadcast_enabled else _silent(place)
    return go(request, _page(request, uid), toast=words)


def _silent(place: Workspace) -> str:
    return f"Destination added. Nothing is sent yet: broadcasting is off in {place.name}."


def _already(request: OrgRequest, entry: Entry) -> HttpResponse:
    """Where the first submission of a form led, in words."""
    outcome = entry.outcomes.order_by("-id").first()
    where = _page(request, outcome.target_id) if outcome and outcome.target_id else _list(request)
    said = outcome.get_outcome_display().lower() if outcome else "under way"
    return go(
        request, where, problem=f"This form was already sent, and nothing was sent again. It came to: {said}."
    )


def _why(error: OpenRouterError, known: str) -> str:
    if isinstance(error, Conflict):
        return explained(error, f"{known} A workspace has at most five destinations of a type.")
    return explained(error, f"{known} {LOCKED}" if isinstance(error, Forbidden) else known)


def _status(error: OpenRouterError) -> int:
    return 400 if isinstance(error, InvalidRequest) else 409 if isinstance(error, Conflict) else 502


def _new_sheet(
    request: OrgRequest, place: Workspace, form: DestinationForm, *, status: int = 200
) -> HttpResponse:
    return _drawn(request, None, place, form, status=status)


def _names(request: OrgRequest, workspace_uid: str, hashes: Any) -> dict[str, str]:
    """The names of the keys that the form may show, by hash: posted ones of the workspace, and those that are
    named already."""
    posted = [one.replace("\x00", "")[:100] for one in request.POST.getlist("api_key_hashes")[:MOST_POSTED]]
    named = names_of_keys(request.organization, posted, workspace_uid=workspace_uid) if posted else {}
    return {**(names_of_keys(request.organization, hashes) if hashes else {}), **named}


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def edit(request: OrgRequest, destination_uid: str) -> HttpResponse:
    row = _existing(request, destination_uid)
    if request.method == "GET":
        return _sheet(request, row, _form(request, row, settings_of(row.destination)))
    try:
        seen = SeenField("destination").clean(request.POST.get("seen", ""))
    except ValidationError:
        seen = settings_of(row.destination)
    form = _form(request, row, seen, request.POST)
    if form.is_only_edited:
        form.press()
        return _sheet(request, row, form)
    if not form.is_valid():
        return _sheet(request, row, form, status=400)
    made = form.edit()
    try:
        changed = destination_update(actor=request.user, destination=row.destination, edit=made)
    except EditConflict as conflict:
        table = changes(
            {name: seen.get(name) for name in differing(seen, conflict.theirs)},
            {name: conflict.theirs[name] for name in differing(seen, conflict.theirs)},
        )
        typed = {name: value for name, value in made.config.items() if isinstance(value, str)}
        config = {**(conflict.theirs.get("config") or {}), **typed}
        shown = {**conflict.theirs, **made.changed, "config": config}
        form = _form(request, row, conflict.theirs, shown=shown)
        return _sheet(request, row, form, status=409, conflict=table)
    except NotFound:
        problem = "OpenRouter does not know this destination any more: it was deleted elsewhere."
        return go(request, _page(request, destination_uid), problem=problem)
    except OpenRouterError as error:
        form.add_error(None, _why(error, "The destination was not changed."))
        return _sheet(request, row, form, status=_status(error))
    toast = "Destination saved." if changed else "Nothing to save: the destination is already like this."
    return go(request, _page(request, destination_uid), toast=toast)


def _existing(request: OrgRequest, destination_uid: str) -> Row:
    row = row_of(request.organization, destination_uid)
    if row.destination.gone_at is not None:
        raise Http404("This destination is gone.")
    return row


def _form(
    request: OrgRequest,
    row: Row,
    seen: Mapping[str, Any],
    data: Any = None,
    shown: Mapping[str, Any] | None = None,
) -> DestinationForm:
    destination = row.destination
    return DestinationForm(
        data,
        kind=destination.type,
        values=seen,
        shown=shown,
        lacks=lacking(destination),
        is_new=False,
        find=partial(found_keys, request.organization, destination.workspace_uid),
        names=_names(request, destination.workspace_uid, seen.get("api_key_hashes")),
    )


def _sheet(
    request: OrgRequest, row: Row, form: DestinationForm, *, status: int = 200, conflict: Any = None
) -> HttpResponse:
    return _drawn(request, row, row.workspace, form, status=status, conflict=conflict)


def _drawn(
    request: OrgRequest,
    row: Row | None,
    workspace: Workspace | None,
    form: DestinationForm,
    *,
    status: int,
    conflict: Any = None,
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "row": row,
        "workspace": workspace,
        "kind": form.kind,
        "label": label_of(form.kind),
        "about": TYPES[form.kind].about if form.kind in TYPES else "",
        "form": form,
        "conflict": conflict,
        "lost": LOST if form.is_bound or conflict else "",
        **_rules_context(form.editor),
    }
    return respond(
        request, "observability/edit.html", context, fragment="observability/_edit.html", status=status
    )


def _rules_context(editor: Editor) -> dict[str, Any]:
    return {
        "editor": editor,
        "words": rule_words(editor.readable()),
        "fields": FIELDS,
        "operators": OPERATORS,
    }


@allow(Permission.CHANGE, methods=("POST",))
def rules(request: OrgRequest) -> HttpResponse:
    """The rules' editor alone, after one of its buttons or a change in it. Saves nothing."""
    editor = Editor.posted(request.POST)
    editor.pressed(request.POST.get(PRESS, ""))
    context = {"organization": request.organization, "errors": [], **_rules_context(editor)}
    return respond(request, "observability/rules.html", context, fragment="observability/_rules.html")


@allow(Permission.CHANGE)
def suggest(request: OrgRequest) -> HttpResponse:
    """The keys of a workspace that match what was typed."""
    workspace_uid = request.GET.get("workspace", "").replace("\x00", "")[:100]
    text = request.GET.get("add-api_key_hashes", "").replace("\x00", "")[:200]
    found = found_keys(request.organization, workspace_uid, text)
    context = {"organization": request.organization, "found": found, "text": text}
    return respond(request, "observability/suggest.html", context, fragment="observability/_suggest.html")


@allow(Permission.CHANGE, methods=("POST",), proof=True)
def enable(request: OrgRequest, destination_uid: str) -> HttpResponse:
    return _switch(request, destination_uid, enabled=True)


@allow(Permission.CHANGE, methods=("POST",))
def disable(request: OrgRequest, destination_uid: str) -> HttpResponse:
    return _switch(request, destination_uid, enabled=False)


def _switch(request: OrgRequest, destination_uid: str, *, enabled: bool) -> HttpResponse:
    row = _existing(request, destination_uid)
    here = _page(request, destination_uid)
    try:
        destination_set_enabled(actor=request.user, destination=row.destination, enabled=enabled)
    except OpenRouterError as error:
        return go(request, here, problem=_why(error, "The destination was not changed."))
    said = "enabled" if enabled else "disabled: nothing is sent to it any more"
    return go(request, here, toast=f"“{row.name}” {said}.")


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def delete(request: OrgRequest, destination_uid: str) -> HttpResponse:
    row = _existing(request, destination_uid)
    form = ConfirmForm(
        request.POST if request.method == "POST" else None, word=confirmation_word(row.destination)
    )
    if not form.is_valid():
        return _delete_sheet(request, row, form, status=400 if form.is_bound else 200)
    try:
        destination_delete(actor=request.user, destination=row.destination)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The destination was not deleted."))
        return _delete_sheet(request, row, form, status=502)
    return go(request, _list(request), toast=f"Destination “{row.name}” deleted.")


def _delete_sheet(request: OrgRequest, row: Row, form: ConfirmForm, *, status: int) -> HttpResponse:
    context = {"organization": request.organization, "row": row, "form": form}
    return respond(
        request, "observability/delete.html", context, fragment="observability/_delete.html", status=status
    )


def _list(request: OrgRequest) -> str:
    return reverse("observability:list", kwargs={"organization": request.organization.slug})


def _page(request: OrgRequest, uid: str) -> str:
    at = {"organization": request.organization.slug, "destination_uid": uid}
    return reverse("observability:detail", kwargs=at)
