"""Raising the limit of a key by an amount."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.fields import RaiseForm
from orgadmin.inventory.models import Key
from orgadmin.keys.selectors import visible_key
from orgadmin.keys.services import EditConflict, key_raise_limit
from orgadmin.openrouter.errors import InvalidRequest, OpenRouterError
from orgadmin.pages import explained, go, respond


@allow(Permission.CHANGE, methods=("GET", "POST"))
def raise_limit(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    if key.gone_at is not None or key.limit is None:
        raise Http404("This key has no limit.")
    form = RaiseForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _sheet(request, key, form, status=400 if form.is_bound else 200)
    typed = request.POST.get("amount")
    try:
        limit = key_raise_limit(
            actor=request.user,
            key=key,
            amount=form.cleaned_data["amount"],
            form_token=form.cleaned_data["form_token"],
        )
    except AlreadySubmitted:
        return go(request, _back(request, key), problem="This was already sent, and nothing was added twice.")
    except (ValueError, EditConflict) as refusal:
        return _sheet(request, key, RaiseForm.again(typed, str(refusal)), status=409)
    except OpenRouterError as error:
        if error.outcome_unknown:
            # Another try would add it again, if this one took effect.
            return go(request, _back(request, key), problem=explained(error, ""))
        form = RaiseForm.again(typed, explained(error, "The limit was not raised."))
        return _sheet(request, key, form, status=400 if isinstance(error, InvalidRequest) else 502)
    return go(request, _back(request, key), toast=f"The limit of {key.name} is now ${limit:,.2f}.")


def _back(request: OrgRequest, key: Key) -> str:
    at = {"organization": request.organization.slug}
    if request.GET.get("back") == "budgets":
        return reverse("budgets:list", kwargs=at)
    return reverse("keys:detail", kwargs={**at, "key_hash": key.hash})


def _sheet(request: OrgRequest, key: Key, form: RaiseForm, *, status: int) -> HttpResponse:
    left = key.limit_remaining
    context = {
        "organization": request.organization,
        "title": f"Raise the limit of “{key.name}”",
        "amount": key.limit,
        "used": None if left is None or key.limit is None else key.limit - left,
        "note": "",
        "form": form,
        "action": request.get_full_path(),
        "back": _back(request, key),
    }
    return respond(request, "budgets/raise.html", context, fragment="budgets/_raise.html", status=status)
