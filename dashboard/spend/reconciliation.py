"""Whether our days are OpenRouter's: the list of them, and writing down why one is not."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from dashboard.spend.forms import ExplanationForm
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import go, page_of, respond
from orgadmin.usage.models import DaySum, Source
from orgadmin.usage.reconciliation import NoSuchDay, Reconciled, day_explain, reconciled

CHANGERS = (Permission.CHANGE, Permission.MANAGE)
ONLY = {"differences": "Only differences", "flagged": "Only unexplained ones"}
NO_SUCH_DAY = "There is no such day here. Choose one in the list."


@allow(Permission.READ)
def list_days(request: OrgRequest) -> HttpResponse:
    days = reconciled(request.organization)
    only = request.GET.get("only", "")
    only = only if only in ONLY else ""
    shown = [day for day in days if _is_shown(day, only)]
    context = {
        "organization": request.organization,
        "page": page_of(
            len(shown), request.GET.get("page"), lambda offset, limit: shown[offset : offset + limit]
        ),
        "only": only,
        "choices": list(ONLY.items()),
        "sources": dict(Source.choices),
        "known": sum(day.upstream is not None for day in days),
        "flagged": sum(day.is_flagged for day in days),
        "may_explain": bool(request.may.intersection(CHANGERS)),
    }
    return respond(request, "spend/reconciliation.html", context, fragment="spend/_reconciliation.html")


def _is_shown(day: Reconciled, only: str) -> bool:
    return day.is_flagged if only == "flagged" else day.differs if only == "differences" else True


@allow(*CHANGERS, methods=("GET", "POST"))
def explain(request: OrgRequest) -> HttpResponse:
    if request.method == "GET":
        return _ask(request)
    form = ExplanationForm(request.POST)
    if not form.is_valid():
        return _sheet(request, form, status=400)
    try:
        changed = day_explain(
            actor=request.user,
            organization=request.organization,
            day=form.cleaned_data["day"],
            explanation=form.cleaned_data["explanation"],
        )
    except NoSuchDay:
        form.add_error(None, NO_SUCH_DAY)
        return _sheet(request, form, status=400)
    return go(request, _list(request), toast="Explanation saved." if changed else "It said so already.")


def _ask(request: OrgRequest) -> HttpResponse:
    """The form, filled with what is written of the day."""
    asked = ExplanationForm({"day": request.GET.get("day", "")})
    row = (
        DaySum.objects.filter(organization=request.organization, day=asked.cleaned_data["day"]).first()
        if asked.is_valid()
        else None
    )
    if row is None:
        asked.add_error(None, NO_SUCH_DAY)
        return _sheet(request, asked, status=400)
    initial = {"day": row.day.isoformat(), "explanation": row.explanation}
    return _sheet(request, ExplanationForm(initial=initial))


def _list(request: OrgRequest) -> str:
    return reverse("spend:reconciliation", kwargs={"organization": request.organization.slug})


def _sheet(request: OrgRequest, form: ExplanationForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "organization": request.organization,
        "form": form,
        "day": _day_of(request, form),
    }
    return respond(
        request,
        "spend/explain.html",
        context,
        fragment="spend/_explain.html",
        dialog=request.method == "GET",
        status=status,
    )


def _day_of(request: OrgRequest, form: ExplanationForm) -> Reconciled | None:
    """The day that the form is about, with its figures; None when there is no such day."""
    day = form.cleaned_data.get("day") if form.is_bound else date.fromisoformat(form.initial["day"])
    return next(iter(reconciled(request.organization, day, day)), None) if day else None
