"""Many keys at once: first what would happen, then a job that does it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.audit.text import writable
from orgadmin.fields import ConfirmForm
from orgadmin.inventory.models import Key
from orgadmin.keys.bulk import ACTS, Act, blocked_by, bulk_start, done_by, would_change
from orgadmin.keys.filters import KeyFilters
from orgadmin.keys.forms import LimitForm
from orgadmin.keys.selectors import filtered, visible_keys
from orgadmin.keys.views import ACT
from orgadmin.pages import go, respond

MOST_SELECTED = 1000
NAMES_SHOWN = 10


@allow(*ACT, methods=("POST",))
def preview(request: OrgRequest) -> HttpResponse:
    """What the act would do to the selection. Changes nothing."""
    act = ACTS.get(request.POST.get("action", ""))
    if act is None or not _selection(request).exists():
        return go(request, _list_address(request), problem="Select at least one key first.")
    return _sheet(request, act)


@allow(*ACT, methods=("POST",), proof=True)
def start(request: OrgRequest) -> HttpResponse:
    """Begin the job that ``preview`` described: for all that match, only if they are as many as it said."""
    act = ACTS.get(request.POST.get("action", ""))
    if act is None or not _selection(request).exists():
        return go(request, _list_address(request), problem="These keys are gone already. Nothing was done.")
    total = _selection(request).count()
    form = _form(act, request.POST, total)
    if request.POST.get("all") and request.POST.get("previewed") != str(total):
        # What is to be typed before a deletion names the number, so that is asked anew.
        return _sheet(request, act, form=None if act.is_final else form, status=409, is_outdated=True)
    if form is not None and not (form.is_valid() and _stops_nothing_unasked(request, form)):
        return _sheet(request, act, form=form, status=400)
    job = bulk_start(
        actor=request.user,
        organization=request.organization,
        act=act,
        keys=_selection(request),
        params=_params(form),
        form_token=_token(request),
    )
    return go(
        request,
        reverse("syncs:job", kwargs={"organization": request.organization.slug, "job_id": job.pk}),
    )


def _selection(request: OrgRequest) -> QuerySet[Key]:
    """The ticked keys, all that match the filters when the person asked for all, or what a job changed."""
    keys = visible_keys(request).filter(gone_at=None)
    if number := _job_number(request):
        return keys.filter(hash__in=done_by(number, organization=request.organization))
    if request.POST.get("all"):
        return filtered(keys, KeyFilters.of(QueryDict(request.POST.get("filters", "")[:4000])))
    return keys.filter(hash__in=_ticked(request))


def _job_number(request: OrgRequest) -> int:
    """The job whose keys are meant, or 0."""
    text = request.POST.get("job", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _ticked(request: OrgRequest) -> list[str]:
    """What was ticked, without what no hash holds and PostgreSQL would choke on."""
    return [value for value in request.POST.getlist("selected")[:MOST_SELECTED] if value == writable(value)]


def _stops_nothing_unasked(request: OrgRequest, form: LimitForm | ConfirmForm) -> bool:
    """Whether a limit stops no key at once, or the person ticked that it may."""
    if not isinstance(form, LimitForm) or form.cleaned_data["blocks_anyway"]:
        return True
    limit, limit_reset = form.wanted()
    blocked = blocked_by(_selection(request), limit=limit, limit_reset=limit_reset)
    if blocked:
        form.refuse_to_block(blocked)
    return not blocked


def _token(request: OrgRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("form_token", ""))
    except ValueError:
        return uuid.uuid4()


def _form(act: Act, data: QueryDict | None, count: int) -> LimitForm | ConfirmForm | None:
    if act.name == "limit":
        return LimitForm(data)
    return ConfirmForm(data, word=f"delete {count}") if act.is_final else None


def _params(form: LimitForm | ConfirmForm | None) -> dict[str, Any]:
    if not isinstance(form, LimitForm):
        return {}
    limit, limit_reset = form.wanted()
    return {"limit": None if limit is None else str(limit), "limit_reset": limit_reset}


def _sheet(
    request: OrgRequest,
    act: Act,
    *,
    form: LimitForm | ConfirmForm | None = None,
    status: int = 200,
    is_outdated: bool = False,
) -> HttpResponse:
    keys = _selection(request)
    total = keys.count()
    names = list(keys.order_by("sort_name", "id").values_list("name", flat=True)[:NAMES_SHOWN])
    context = {
        "organization": request.organization,
        "act": act,
        "form": form if form is not None else _form(act, None, total),
        "total": total,
        "needed": would_change(act, keys, may_change=Permission.CHANGE in request.may),
        "names": names,
        "is_outdated": is_outdated,
        "carried": _carried(request),
        "form_token": request.POST.get("form_token") or uuid.uuid4(),
    }
    return respond(request, "keys/bulk.html", context, fragment="keys/_bulk.html", dialog=True, status=status)


def _carried(request: OrgRequest) -> list[tuple[str, str]]:
    """The selection, for the form that starts the job."""
    if number := _job_number(request):
        return [("job", str(number))]
    if request.POST.get("all"):
        return [("all", "1"), ("filters", request.POST.get("filters", ""))]
    return [("selected", value) for value in _ticked(request)]


def _list_address(request: OrgRequest) -> str:
    return reverse("keys:list", kwargs={"organization": request.organization.slug})
