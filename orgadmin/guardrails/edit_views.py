"""Creating, duplicating, editing and deleting guardrails, and what their pickers suggest."""

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
from orgadmin.audit.words import field_words
from orgadmin.fields import ConfirmForm, SeenField
from orgadmin.guardrails import pickers
from orgadmin.guardrails.drafts import canonical, differing, rules_as_values
from orgadmin.guardrails.forms import (
    GuardrailForm,
    confirmation_word,
    lacking,
)
from orgadmin.guardrails.selectors import (
    Row,
    filing_places,
    key_holders,
    member_holders,
    newest_known,
    row_of,
)
from orgadmin.guardrails.services import (
    EditConflict,
    guardrail_create,
    guardrail_delete,
    guardrail_update,
)
from orgadmin.inventory.guardrail_nouns import RULES
from orgadmin.inventory.models import Guardrail
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond


@allow(Permission.CHANGE, methods=("GET", "POST"))
def create(request: OrgRequest) -> HttpResponse:
    copied = request.GET.get("copy", "").replace("\x00", "")[:64]
    try:
        values = _as_copy(row_of(request.organization, copied)) if copied else {}
    except Http404:
        # An old link still opens an empty form.
        values = {}
    return _create(request, values)


def _as_copy(row: Row) -> dict[str, Any]:
    values = rules_as_values(row.guardrail)
    return {**values, "name": f"Copy of {row.name}"[:200], "workspace": row.guardrail.workspace_uid}


def _create(request: OrgRequest, values: Mapping[str, Any]) -> HttpResponse:
    form = GuardrailForm(
        request.POST if request.method == "POST" else None,
        values={**dict.fromkeys(RULES), **values},
        lacks=lacking(newest_known(request.organization)),
        workspaces=filing_places(request.organization),
        known=partial(pickers.known, request.organization),
    )
    if not form.is_valid():
        return _create_sheet(request, form, status=400 if form.is_bound else 200)
    draft = pickers.with_permanent_models(form.draft())
    try:
        uid = guardrail_create(
            actor=request.user,
            organization=request.organization,
            draft=draft,
            workspace_uid=form.cleaned_data["workspace"],
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except OpenRouterError as error:
        form.renew_token()
        form.add_error(None, explained(error, "No guardrail was created."))
        return _create_sheet(request, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(
        request,
        _page(request, uid),
        toast="Guardrail created. It is not enforced until a key or member holds it.",
    )


def _already(request: OrgRequest, entry: Entry) -> HttpResponse:
    """Where the first submission of a form led, in words."""
    outcome = entry.outcomes.order_by("-id").first()
    where = _page(request, outcome.target_id) if outcome and outcome.target_id else _list(request)
    said = outcome.get_outcome_display().lower() if outcome else "under way"
    return go(
        request, where, problem=f"This form was already sent, and nothing was sent again. It came to: {said}."
    )


def _create_sheet(request: OrgRequest, form: GuardrailForm, *, status: int) -> HttpResponse:
    context = {"organization": request.organization, "row": None, "form": form, "conflict": None}
    return respond(request, "guardrails/edit.html", context, fragment="guardrails/_edit.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"))
def edit(request: OrgRequest, guardrail_uid: str) -> HttpResponse:
    row = _existing(request, guardrail_uid)
    if request.method == "GET":
        return _edit_sheet(request, row, _edit_form(request, row, rules_as_values(row.guardrail)))
    try:
        seen = SeenField("guardrail").clean(request.POST.get("seen", ""))
    except ValidationError:
        seen = rules_as_values(row.guardrail)
    form = _edit_form(request, row, seen, request.POST)
    if not form.is_valid():
        return _edit_sheet(request, row, form, status=400)
    edit_made = form.edit()
    edit_made = type(edit_made)(seen=edit_made.seen, wanted=pickers.with_permanent_models(edit_made.wanted))
    try:
        changed = guardrail_update(actor=request.user, guardrail=row.guardrail, edit=edit_made)
    except EditConflict as conflict:
        merged = {**conflict.theirs, **edit_made.changed}
        form = _edit_form(request, row, conflict.theirs, initial=merged)
        table = _three_ways(seen, conflict.theirs, edit_made.wanted)
        return _edit_sheet(request, row, form, status=409, conflict=table)
    except NotFound:
        problem = "OpenRouter does not know this guardrail any more: it was deleted elsewhere."
        return go(request, _page(request, guardrail_uid), problem=problem)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The guardrail was not changed."))
        return _edit_sheet(request, row, form, status=400 if isinstance(error, InvalidRequest) else 502)
    toast = "Guardrail saved." if changed else "Nothing to save: the guardrail is already like this."
    return go(request, _page(request, guardrail_uid), toast=toast)


def _existing(request: OrgRequest, guardrail_uid: str) -> Row:
    row = row_of(request.organization, guardrail_uid)
    if row.guardrail.gone_at is not None:
        raise Http404("This guardrail is gone.")
    return row


def _edit_form(
    request: OrgRequest,
    row: Row,
    seen: Mapping[str, Any],
    data: Any = None,
    initial: Mapping[str, Any] | None = None,
) -> GuardrailForm:
    known: Guardrail | None = row.guardrail if row.is_configured else newest_known(request.organization)
    return GuardrailForm(
        data,
        values=seen,
        shown=initial,
        lacks=lacking(known),
        is_default=row.is_default,
        known=partial(pickers.known, request.organization),
    )


def _three_ways(
    seen: Mapping[str, Any], theirs: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[tuple[str, Any, Any, Any]]:
    """Each rule that somebody changed: its label, what it was, what it is now, what the editor wants."""
    names = [name for name in RULES if name in {*differing(seen, theirs), *differing(seen, wanted)}]
    return [
        (
            field_words(name).label,
            *(canonical(name, values.get(name, seen.get(name))) for values in (seen, theirs, wanted)),
        )
        for name in names
    ]


def _edit_sheet(
    request: OrgRequest, row: Row, form: GuardrailForm, *, status: int = 200, conflict: Any = None
) -> HttpResponse:
    context = {"organization": request.organization, "row": row, "form": form, "conflict": conflict}
    return respond(request, "guardrails/edit.html", context, fragment="guardrails/_edit.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def delete(request: OrgRequest, guardrail_uid: str) -> HttpResponse:
    row = _existing(request, guardrail_uid)
    if row.is_default:
        raise Http404("A workspace's default guardrail cannot be deleted.")
    form = ConfirmForm(
        request.POST if request.method == "POST" else None, word=confirmation_word(row.guardrail)
    )
    if not form.is_valid():
        return _delete_sheet(request, row, form, status=400 if form.is_bound else 200)
    try:
        guardrail_delete(actor=request.user, guardrail=row.guardrail)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The guardrail was not deleted."))
        return _delete_sheet(request, row, form, status=502)
    return go(request, _list(request), toast=f"Guardrail “{row.name}” deleted.")


def _delete_sheet(request: OrgRequest, row: Row, form: ConfirmForm, *, status: int) -> HttpResponse:
    context = {
        "organization": request.organization,
        "row": row,
        "form": form,
        "keys": key_holders(row, None),
        "members": member_holders(row, None),
    }
    return respond(
        request, "guardrails/delete.html", context, fragment="guardrails/_delete.html", status=status
    )


@allow(Permission.CHANGE)
def suggest(request: OrgRequest) -> HttpResponse:
    """What the picker of a list offers for what was typed into it."""
    name = request.GET.get("list", "")
    noun = next((noun for noun, names in pickers.LISTS.items() if name in names), pickers.MODELS)
    text = request.GET.get(f"add-{name}", "").replace("\x00", "")[:200]
    found = pickers.choices(request.organization, noun, text) if text.strip() else []
    context = {
        "name": name if noun and name in pickers.LISTS[noun] else "allowed_models",
        "found": found,
        "text": text,
    }
    return respond(request, "guardrails/suggest.html", context, fragment="guardrails/_suggest.html")


def _list(request: OrgRequest) -> str:
    return reverse("guardrails:list", kwargs={"organization": request.organization.slug})


def _page(request: OrgRequest, uid: str) -> str:
    return reverse(
        "guardrails:detail", kwargs={"organization": request.organization.slug, "guardrail_uid": uid}
    )
