"""Raising a limit by an amount: one sheet and one way to answer, whatever is limited. The slice that owns the
noun says what the limit is now and how to raise it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.fields import RaiseForm
from orgadmin.inventory.acts import Refused
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, go, respond


@dataclass(frozen=True)
class Raise:
    """``called`` names the limit in a sentence, ``page`` is where it is shown. ``act`` adds an amount with a
    form's token and answers the new limit; it raises Refused, AlreadySubmitted and OpenRouterError."""

    called: str
    amount: Decimal
    page: str
    act: Callable[[Decimal, UUID], Decimal]
    used: Decimal | None = None
    note: str = ""


def answer(request: OrgRequest, wanted: Raise) -> HttpResponse:
    """The sheet, or what came of it."""
    form = RaiseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _sheet(request, wanted, form, status=400 if form.is_bound else 200)
    typed, back = request.POST.get("amount"), _back(request, wanted)
    try:
        limit = wanted.act(form.cleaned_data["amount"], form.cleaned_data["form_token"])
    except AlreadySubmitted:
        return go(request, back, problem="This was already sent, and nothing was added twice.")
    except Refused as refusal:
        return _sheet(request, wanted, RaiseForm.again(typed, str(refusal)), status=409)
    except OpenRouterError as error:
        if error.outcome_unknown:
            # Another try would add it again, if this one took effect.
            return go(request, back, problem=explained(error, ""))
        form = RaiseForm.again(typed, explained(error, "It was not raised."))
        return _sheet(request, wanted, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(request, back, toast=f"The {wanted.called} is now ${limit:,.2f}.")


def _back(request: OrgRequest, wanted: Raise) -> str:
    """Where one came from: the page of all limits, or that of the noun."""
    if request.GET.get("back") == "budgets":
        return reverse("budgets:list", kwargs={"organization": request.organization.slug})
    return wanted.page


def _sheet(request: OrgRequest, wanted: Raise, form: RaiseForm, *, status: int) -> HttpResponse:
    context = {
        "organization": request.organization,
        "wanted": wanted,
        "form": form,
        "action": request.get_full_path(),
        "back": _back(request, wanted),
    }
    return respond(request, "budgets/raise.html", context, fragment="budgets/_raise.html", status=status)
