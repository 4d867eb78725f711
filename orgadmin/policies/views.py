"""The effective policy: which rules apply to somebody, where each comes from, and what they mean."""

from __future__ import annotations

from django.http import HttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond
from orgadmin.policies.filters import PolicyFilters
from orgadmin.policies.selectors import RANKS, answer, applied_to, find, known_models, left
from orgadmin.policy.layers import combine


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    filters = PolicyFilters.of(request.GET)
    found = applied_to(organization, filters)
    context = {
        "organization": organization,
        "filters": filters,
        "found": find(organization, filters.q),
        "subject": found[0] if found else None,
    }
    if found:
        _, applied = found
        models, layers = known_models(organization), applied.layers
        said, close = answer(models, filters.model, layers, applied.budgets) if filters.model else (None, [])
        context |= {
            "applied": applied,
            "ranks": RANKS,
            "rules": combine(layers),
            "answer": said,
            "close": close,
            "left": left(models, layers),
        }
    return respond(request, "policies/show.html", context)
