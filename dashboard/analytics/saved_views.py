"""Saved queries: the list, save, rename, delete."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import reverse

from dashboard.analytics.forms import NameForm
from dashboard.analytics.question import Question
from dashboard.analytics.saving import NameTaken, query_delete, query_rename, query_save
from dashboard.analytics.selectors import asked_lately, labels_known, saved_queries, saved_query
from dashboard.analytics.services import in_words
from dashboard.analytics.views import MAY_SAVE
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import go, respond

KEEP = (Permission.CHANGE, Permission.MANAGE)
BOTH = ("GET", "POST")


@allow(Permission.READ)
def list_saved(request: OrgRequest) -> HttpResponse:
    context = {
        "organization": request.organization,
        "saved": saved_queries(request.organization),
        "asked": asked_lately(request.organization),
        "may_save": bool(MAY_SAVE & request.may),
    }
    return respond(request, "analytics/saved.html", context)


@allow(*KEEP, methods=BOTH)
def save(request: OrgRequest) -> HttpResponse:
    """GET has the question in its own address, POST in a field."""
    if request.method == "GET":
        return _save_sheet(request, NameForm(), Question.of(request.GET))
    form = NameForm(request.POST)
    question = Question.of(QueryDict(request.POST.get("question", "")[:20_000]))
    if question.is_empty:
        form.add_error(None, "There is no question to save: choose a metric and run it first.")
    if not form.is_valid():
        return _save_sheet(request, form, question, status=400)
    try:
        saved = query_save(
            actor=request.user,
            organization=request.organization,
            name=form.cleaned_data["name"],
            question=question,
        )
    except NameTaken as taken:
        form.refuse(taken)
        return _save_sheet(request, form, question, status=400)
    address = f"{_address(request, 'show')}?{question.query(run='1')}"
    return go(request, address, toast=f"Saved as “{saved.name}”.")


@allow(*KEEP, methods=BOTH)
def rename(request: OrgRequest, saved_id: int) -> HttpResponse:
    saved = saved_query(request.organization, saved_id)
    if request.method == "GET":
        return _sheet(request, "rename", form=NameForm(initial={"name": saved.name}), saved=saved)
    form = NameForm(request.POST)
    if not form.is_valid():
        return _sheet(request, "rename", status=400, form=form, saved=saved)
    try:
        changed = query_rename(actor=request.user, saved=saved, name=form.cleaned_data["name"])
    except NameTaken as taken:
        form.refuse(taken)
        return _sheet(request, "rename", status=400, form=form, saved=saved)
    toast = "Name saved." if changed else "That was its name already."
    return go(request, _address(request, "saved"), toast=toast)


@allow(*KEEP, methods=BOTH)
def delete(request: OrgRequest, saved_id: int) -> HttpResponse:
    saved = saved_query(request.organization, saved_id)
    if request.method == "GET":
        return _sheet(request, "delete", saved=saved)
    query_delete(actor=request.user, saved=saved)
    return go(request, _address(request, "saved"), toast=f"“{saved.name}” was deleted.")


def _save_sheet(
    request: OrgRequest, form: NameForm, question: Question, *, status: int = 200
) -> HttpResponse:
    words = in_words(question, labels_known(request.organization))
    return _sheet(request, "save", status=status, form=form, question=question, words=words)


def _sheet(request: OrgRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"organization": request.organization}
    return respond(
        request, f"analytics/{name}.html", context, fragment=f"analytics/_{name}.html", status=status
    )


def _address(request: OrgRequest, name: str) -> str:
    return reverse(f"analytics:{name}", kwargs={"organization": request.organization.slug})
