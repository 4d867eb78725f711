"""Every limit in one table, and the few that are nearest to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.budgets.limits import Everything
from orgadmin.budgets.selectors import BudgetFilters, matching, near_the_end, shown
from orgadmin.pages import csv_of, page_of, respond

COLUMNS = (
    "kind",
    "of",
    "set_by",
    "limit_usd",
    "interval",
    "used_usd",
    "left_usd",
    "share_used",
    "byok_counts",
    "used_is_an_estimate",
    "resets_at",
    "exceeded",
)
# On the overview.
MOST_NEAR = 5


@allow(Permission.READ)
def list_limits(request: OrgRequest) -> HttpResponse:
    filters = BudgetFilters.of(request.GET)
    everything = Everything.of(request.organization)
    found = matching(everything, filters)
    context = {
        "organization": request.organization,
        "summary": request.organization.summary,
        "filters": filters,
        "lacks_budgets": request.organization.capabilities.get("workspace_budgets") is False,
        "may_act": Permission.CHANGE in request.may,
        "page": page_of(
            len(found), request.GET.get("page"), lambda at, size: shown(everything, found[at : at + size])
        ),
    }
    return respond(request, "budgets/list.html", context, fragment="budgets/_list.html")


@allow(Permission.READ)
def export(request: OrgRequest) -> StreamingHttpResponse:
    everything = Everything.of(request.organization)
    found = matching(everything, BudgetFilters.of(request.GET))

    def lines() -> Iterator[tuple[Any, ...]]:
        for row in shown(everything, found):
            names = [name for name, _ in row.subjects]
            limit = row.limit
            yield (
                limit.kind,
                names[0] if names else "",
                names[1] if len(names) > 1 else "",
                f"{row.amount:f}",
                limit.interval or "never",
                "" if row.used is None else f"{row.used:f}",
                "" if row.left is None else f"{row.left:f}",
                "" if limit.used is None else f"{limit.share:.4f}",
                "yes" if limit.counts_byok else "no",
                "no" if limit.kind == "key" else "yes",
                row.resets_at.isoformat() if row.resets_at else "",
                row.words,
            )

    return csv_of("budgets", request.organization.slug, COLUMNS, lines())


@allow(Permission.READ)
def panel(request: OrgRequest) -> HttpResponse:
    """Those nearest to their end, loaded by the overview."""
    context = {
        "organization": request.organization,
        "rows": near_the_end(request.organization, MOST_NEAR),
    }
    return respond(request, "budgets/panel.html", context, fragment="budgets/_panel.html")
