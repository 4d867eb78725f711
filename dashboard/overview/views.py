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
from orgadmin.usage.credits import standing
from orgadmin.usage.models import Dimension
from orgadmin.usage.outlook import behind


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    past = behind(organization)
    context = {
        "organization": organization,
        "today": selectors.spend_today(organization),
        "week": selectors.spend_of_days(organization, 7),
        "month": selectors.spend_of_month(organization),
        "forecast": past.month_end(),
        "credits": standing(organization, past),
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
