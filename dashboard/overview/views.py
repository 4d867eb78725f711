"""The first page: are we all right?"""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from dashboard.overview import selectors
from dashboard.overview.notices import notices
from dashboard.spend.filters import SpendFilters
from dashboard.spend.selectors import spend
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond
from orgadmin.usage.models import Dimension


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    balance = selectors.newest_credits(organization)
    context = {
        "organization": organization,
        "today": selectors.spend_today(organization),
        "week": selectors.spend_of_days(organization, 7),
        "month": selectors.spend_of_month(organization),
        "credits": balance,
        "days_left": selectors.days_left(organization, balance.balance) if balance else None,
        "spend": spend(organization, SpendFilters(range="30d"), {}),
        "lists": [
            ("Top keys", selectors.top(organization, Dimension.KEY, "key")),
            ("Top members", selectors.top(organization, Dimension.MEMBER, "member")),
            ("Top workspaces", selectors.top(organization, Dimension.WORKSPACE, "workspace")),
        ],
        "limits": selectors.limits(organization),
        "notices": notices(organization),
        "now": timezone.now(),
    }
    return respond(request, "overview/show.html", context)
