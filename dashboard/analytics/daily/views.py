"""The daily record: what OpenRouter's analytics forget after 31 days, as it was harvested."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from dashboard.analytics.daily.csv import stream
from dashboard.analytics.daily.filters import RANGES, DailyFilters
from dashboard.analytics.daily.selectors import Offer, daily
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond
from orgadmin.usage.asking import ANALYTICS


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    offer = Offer.of(organization)
    filters = DailyFilters.of(request.GET, offer.columns)
    context = {
        "organization": organization,
        "filters": filters,
        "ranges": RANGES,
        "dimensions": offer.dimensions,
        "metrics": offer.metrics(filters.by),
        "daily": daily(organization, filters, offer, request.GET.get("page")),
        "has_analytics": organization.capabilities.get(ANALYTICS) is not False,
        "now": timezone.now(),
    }
    return respond(request, "analytics/daily.html", context, fragment="analytics/_daily_swap.html")


@allow(Permission.READ)
def csv(request: OrgRequest) -> StreamingHttpResponse:
    """Every metric of the chosen dimension in the chosen days."""
    offer = Offer.of(request.organization)
    return stream(request.organization, DailyFilters.of(request.GET, offer.columns), offer)
