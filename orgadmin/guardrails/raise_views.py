"""Raising the budget of a guardrail by an amount."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.guardrails.selectors import Row, row_of
from orgadmin.guardrails.services import EditConflict, guardrail_raise_limit
from orgadmin.guardrails.words import counted
from orgadmin.inventory.acts import Refused
from orgadmin.raising import Raise, answer


@allow(Permission.CHANGE, methods=("GET", "POST"))
def raise_limit(request: OrgRequest, guardrail_uid: str) -> HttpResponse:
    row = row_of(request.organization, guardrail_uid)
    guardrail = row.guardrail
    if guardrail.gone_at is not None or guardrail.limit is None:
        raise Http404("This guardrail has no budget.")

    def act(amount: Decimal, form_token: UUID) -> Decimal:
        try:
            return guardrail_raise_limit(
                actor=request.user, guardrail=guardrail, amount=amount, form_token=form_token
            )
        except EditConflict as conflict:
            raise Refused(str(conflict)) from None

    at = {"organization": request.organization.slug, "guardrail_uid": guardrail.uid}
    wanted = Raise(
        called=f"budget of {row.name}",
        amount=guardrail.limit,
        page=reverse("guardrails:detail", kwargs=at),
        act=act,
        note=_whom(row),
    )
    return answer(request, wanted)


def _whom(row: Row) -> str:
    """It is never pooled: each of them gets as much more."""
    if row.is_default:
        return "Every key and every member of the workspace gets as much more: the budget is each one's own."
    keys, members = counted(row.keys, "key"), counted(row.members, "member")
    return f"Everybody who holds it gets as much more: {keys} and {members}, each for themselves."
