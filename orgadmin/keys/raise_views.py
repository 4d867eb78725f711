"""Raising the limit of a key by an amount."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.inventory.acts import Refused
from orgadmin.keys.selectors import visible_key
from orgadmin.keys.services import EditConflict, key_raise_limit
from orgadmin.raising import Raise, answer


@allow(Permission.CHANGE, methods=("GET", "POST"))
def raise_limit(request: OrgRequest, key_hash: str) -> HttpResponse:
    key = visible_key(request, key_hash)
    if key.gone_at is not None or key.limit is None:
        raise Http404("This key has no limit.")

    def act(amount: Decimal, form_token: UUID) -> Decimal:
        try:
            return key_raise_limit(actor=request.user, key=key, amount=amount, form_token=form_token)
        except EditConflict as conflict:
            raise Refused(str(conflict)) from None

    at = {"organization": request.organization.slug, "key_hash": key.hash}
    left = key.limit_remaining
    wanted = Raise(
        called=f"limit of {key.name}",
        amount=key.limit,
        page=reverse("keys:detail", kwargs=at),
        act=act,
        used=None if left is None else key.limit - left,
    )
    return answer(request, wanted)
