"""Adding, editing, rotating, switching and deleting credentials, and what their pickers suggest."""

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
from orgadmin.byok import pickers
from orgadmin.byok.drafts import canonical, differing, settings_of
from orgadmin.byok.forms import CredentialForm, RekeyForm, confirmation_word, lacking
from orgadmin.byok.known import Known
from orgadmin.byok.selectors import (
    Row,
    filing_places,
    last_days,
    names_in,
    newest_known,
    others_in_line,
    row_of,
    spent_through,
)
from orgadmin.byok.services import (
    EditConflict,
    credential_create,
    credential_delete,
    credential_rekey,
    credential_set_disabled,
    credential_update,
)
from orgadmin.byok.words import LISTS
from orgadmin.fields import ConfirmForm, SeenField
from orgadmin.inventory.byok_nouns import SETTINGS
from orgadmin.openrouter.errors import InvalidRequest, NotFound, OpenRouterError
from orgadmin.pages import explained, go, respond

GONE = "OpenRouter does not know this credential any more: it was deleted elsewhere."


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def create(request: OrgRequest) -> HttpResponse:
    form = CredentialForm(
        request.POST if request.method == "POST" else None,
        values=dict.fromkeys(SETTINGS),
        shown={**dict.fromkeys(SETTINGS), "provider": request.GET.get("provider", "")[:100]},
        lacks=lacking(newest_known(request.organization)),
        resolve=partial(pickers.resolved, request.organization),
        workspaces=filing_places(request.organization),
    )
    if not form.is_valid():
        return _sheet(request, None, form, status=400 if form.is_bound else 200)
    try:
        uid = credential_create(
            actor=request.user,
            organization=request.organization,
            draft=form.draft(),
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted as again:
        return _already(request, again.entry)
    except OpenRouterError as error:
        form.renew_token()
        form.add_error(None, explained(error, "No credential was added."))
        return _sheet(request, None, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(request, _page(request, uid), toast="Credential added. OpenRouter uses it from now on.")


def _already(request: OrgRequest, entry: Entry) -> HttpResponse:
    """Where the first submission of a form led, in words."""
    outcome = entry.outcomes.order_by("-id").first()
    where = _page(request, outcome.target_id) if outcome and outcome.target_id else _list(request)
    said = outcome.get_outcome_display().lower() if outcome else "under way"
    return go(
        request, where, problem=f"This form was already sent, and nothing was sent again. It came to: {said}."
    )


@allow(Permission.CHANGE, methods=("GET", "POST"))
def edit(request: OrgRequest, credential_uid: str) -> HttpResponse:
    row = _existing(request, credential_uid)
    if request.method == "GET":
        return _sheet(request, row, _edit_form(request, row, settings_of(row.credential)))
    try:
        seen = {**settings_of(row.credential), **SeenField("credential").clean(request.POST.get("seen", ""))}
    except ValidationError:
        seen = settings_of(row.credential)
    form = _edit_form(request, row, seen, request.POST)
    if not form.is_valid():
        return _sheet(request, row, form, status=400)
    wanted = form.edit()
    try:
        changed = credential_update(actor=request.user, credential=row.credential, edit=wanted)
    except EditConflict as conflict:
        merged = {**conflict.theirs, **wanted.changed}
        form = _edit_form(request, row, conflict.theirs, shown=merged)
        table = _three_ways(request, seen, conflict.theirs, wanted.wanted)
        return _sheet(request, row, form, status=409, conflict=table)
    except NotFound:
        return go(request, _page(request, credential_uid), problem=GONE)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The credential was not changed."))
        return _sheet(request, row, form, status=400 if isinstance(error, InvalidRequest) else 502)
    toast = "Credential saved." if changed else "Nothing to save: the credential is already like this."
    return go(request, _page(request, credential_uid), toast=toast)


def _existing(request: OrgRequest, credential_uid: str) -> Row:
    row = row_of(Known(request.organization), credential_uid)
    if row.credential.gone_at is not None:
        raise Http404("This credential is gone.")
    return row


def _edit_form(
    request: OrgRequest, row: Row, seen: Mapping[str, Any], data: Any = None, shown: Any = None
) -> CredentialForm:
    return CredentialForm(
        data,
        values=seen,
        shown=shown,
        lacks=lacking(row.credential),
        resolve=partial(pickers.resolved, request.organization),
    )


def _three_ways(
    request: OrgRequest, seen: Mapping[str, Any], theirs: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[tuple[str, Any, Any, Any]]:
    """Each setting that somebody changed: its label, what it was, what it is now, what the editor wants."""
    changed = {*differing(seen, theirs), *differing(seen, wanted)}
    mentioned = {
        name: [one for values in (seen, theirs, wanted) for one in values[name] or ()] for name in LISTS
    }
    names = names_in(request.organization, mentioned)

    def said(name: str, value: Any) -> Any:
        return (
            sorted(names.get(one, one) for one in value)
            if name in LISTS and value
            else canonical(name, value)
        )

    return [
        (field_words(name).label, *(said(name, values[name]) for values in (seen, theirs, wanted)))
        for name in SETTINGS
        if name in changed
    ]


def _sheet(
    request: OrgRequest, row: Row | None, form: CredentialForm, *, status: int = 200, conflict: Any = None
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "row": row,
        "form": form,
        "conflict": conflict,
        "names": names_in(request.organization, {name: form[name].value() for name in LISTS}),
        "offers": pickers.provider_offers(request.organization) if row is None else [],
    }
    return respond(request, "byok/edit.html", context, fragment="byok/_edit.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def rekey(request: OrgRequest, credential_uid: str) -> HttpResponse:
    row = _existing(request, credential_uid)
    form = RekeyForm(request.POST if request.method == "POST" else None, provider=row.credential.provider)
    if not form.is_valid():
        return _rekey_sheet(request, row, form, status=400 if form.is_bound else 200)
    try:
        credential_rekey(
            actor=request.user, credential=row.credential, secret=form.cleaned_data["provider_key"]
        )
    except NotFound:
        return go(request, _page(request, credential_uid), problem=GONE)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The key was not replaced."))
        status = 400 if isinstance(error, InvalidRequest) else 502
        return _rekey_sheet(request, row, form, status=status)
    toast = "Provider key replaced. Revoke the old one at the provider."
    return go(request, _page(request, credential_uid), toast=toast)


def _rekey_sheet(request: OrgRequest, row: Row, form: RekeyForm, *, status: int) -> HttpResponse:
    context = {"organization": request.organization, "row": row, "form": form}
    return respond(request, "byok/rekey.html", context, fragment="byok/_rekey.html", status=status)


@allow(Permission.CHANGE, methods=("GET", "POST"))
def disable(request: OrgRequest, credential_uid: str) -> HttpResponse:
    row = _existing(request, credential_uid)
    if request.method == "GET":
        context = _loss(request, row)
        return respond(request, "byok/disable.html", context, fragment="byok/_disable.html")
    return _switch(request, row, disabled=True)


@allow(Permission.CHANGE, methods=("POST",))
def enable(request: OrgRequest, credential_uid: str) -> HttpResponse:
    return _switch(request, _existing(request, credential_uid), disabled=False)


def _switch(request: OrgRequest, row: Row, *, disabled: bool) -> HttpResponse:
    where, word = _page(request, row.credential.uid), "disabled" if disabled else "enabled"
    try:
        credential_set_disabled(actor=request.user, credential=row.credential, disabled=disabled)
    except NotFound:
        return go(request, where, problem=GONE)
    except OpenRouterError as error:
        return go(request, where, problem=explained(error, f"The credential was not {word}."))
    return go(request, where, toast=f"“{row.credential}” is {word}.")


@allow(Permission.CHANGE, methods=("GET", "POST"), proof=True)
def delete(request: OrgRequest, credential_uid: str) -> HttpResponse:
    row = _existing(request, credential_uid)
    form = ConfirmForm(
        request.POST if request.method == "POST" else None, word=confirmation_word(row.credential)
    )
    if not form.is_valid():
        return _delete_sheet(request, row, form, status=400 if form.is_bound else 200)
    try:
        credential_delete(actor=request.user, credential=row.credential)
    except OpenRouterError as error:
        form.add_error(None, explained(error, "The credential was not deleted."))
        return _delete_sheet(request, row, form, status=502)
    return go(request, _list(request), toast=f"Credential “{row.credential}” deleted.")


def _delete_sheet(request: OrgRequest, row: Row, form: ConfirmForm, *, status: int) -> HttpResponse:
    context = {**_loss(request, row), "form": form}
    return respond(request, "byok/delete.html", context, fragment="byok/_delete.html", status=status)


def _loss(request: OrgRequest, row: Row) -> dict[str, Any]:
    """What stands to fall back to credits without it."""
    known = Known(request.organization)
    return {
        "organization": request.organization,
        "row": row,
        "others": others_in_line(known, row),
        "spent": spent_through(known, row),
        "span": last_days(),
    }


@allow(Permission.CHANGE)
def suggest(request: OrgRequest) -> HttpResponse:
    """What the picker of a list offers for what was typed into it."""
    name = request.GET.get("list", "")
    name = name if name in LISTS else "allowed_models"
    text = request.GET.get(f"add-{name}", "").replace("\x00", "")[:200]
    found = pickers.choices(request.organization, name, text) if text.strip() else []
    context = {"name": name, "found": found, "text": text}
    return respond(request, "byok/suggest.html", context, fragment="byok/_suggest.html")


def _list(request: OrgRequest) -> str:
    return reverse("byok:list", kwargs={"organization": request.organization.slug})


def _page(request: OrgRequest, uid: str) -> str:
    return reverse("byok:detail", kwargs={"organization": request.organization.slug, "credential_uid": uid})
