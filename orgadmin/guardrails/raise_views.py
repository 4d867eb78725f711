"""Raising the budget of a guardrail by an amount."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.fields import RaiseForm
from orgadmin.guardrails.selectors import Row, row_of
from orgadmin.guardrails.services import EditConflict, guardrail_raise_limit
from orgadmin.guardrails.words import counted
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, go, respond


@allow(Permission.CHANGE, methods=("GET", "POST"))
def raise_limit(request: OrgRequest, guardrail_uid: str) -> HttpResponse:
    row = row_of(request.organization, guardrail_uid)
    if row.guardrail.gone_at is not None or row.guardrail.limit is None:
        raise Http404("This guardrail has no budget.")
    form = RaiseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _sheet(request, row, form, status=400 if form.is_bound else 200)
    typed = request.POST.get("amount")
    try:
        limit = guardrail_raise_limit(
            actor=request.user,
            guardrail=row.guardrail,
            amount=form.cleaned_data["amount"],
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted:
        return go(request, _back(request, row), problem="This was already sent, and nothing was added twice.")
    except (ValueError, EditConflict) as refusal:
        return _sheet(request, row, RaiseForm.again(typed, str(refusal)), status=409)
    except OpenRouterError as error:
        if error.outcome_unknown:
            # Another try would add it again, if this one took effect.
            return go(request, _back(request, row), problem=explained(error, ""))
        form = RaiseForm.again(typed, explained(error, "The budget was not raised."))
        return _sheet(request, row, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(request, _back(request, row), toast=f"The budget of {row.name} is now ${limit:,.2f}.")


def _back(request: OrgRequest, row: Row) -> str:
    at = {"organization": request.organization.slug}
    if request.GET.get("back") == "budgets":
        return reverse("budgets:list", kwargs=at)
    return reverse("guardrails:detail", kwargs={**at, "guardrail_uid": row.guardrail.uid})


def _sheet(request: OrgRequest, row: Row, form: RaiseForm, *, status: int) -> HttpResponse:
    context = {
        "organization": request.organization,
        "title": f"Raise the budget of “{row.name}”",
        "amount": row.guardrail.limit,
        "used": None,
        "note": _whom(row),
        "form": form,
        "action": request.get_full_path(),
        "back": _back(request, row),
    }
    return respond(request, "budgets/raise.html", context, fragment="budgets/_raise.html", status=status)


def _whom(row: Row) -> str:
    """It is never pooled: each of them gets as much more."""
    if row.is_default:
        return "Every key and every member of the workspace gets as much more: the budget is each one's own."
    keys, members = counted(row.keys, "key"), counted(row.members, "member")
    return f"Everybody who holds it gets as much more: {keys} and {members}, each for themselves."
