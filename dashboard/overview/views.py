"""The first page: are we all right?"""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone

from dashboard.overview import selectors
from dashboard.overview.notices import notices
from dashboard.spend.filters import SpendFilters
from dashboard.spend.selectors import chart_of
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond
from orgadmin.usage.credits import standing
from orgadmin.usage.models import Dimension
from orgadmin.usage.outlook import behind


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    organization = request.organization
    past, settled = behind(organization), selectors.last_settled(organization)
    spent = selectors.Spent(organization, settled, past)
    chart, note = chart_of(organization, SpendFilters(range="30d"))
    context = {
        "organization": organization,
        "today": spent.today(),
        "week": spent.of_days(7),
        "month": spent.of_month(),
        "forecast": past.month_end(),
        "credits": standing(organization, past),
        "chart": chart,
        "chart_note": note,
        "lists": [
            ("Top models", selectors.top(organization, settled, Dimension.MODEL, "model")),
            ("Top keys", selectors.top(organization, settled, Dimension.KEY, "key")),
            ("Top members", selectors.top(organization, settled, Dimension.MEMBER, "member")),
            ("Top workspaces", selectors.top(organization, settled, Dimension.WORKSPACE, "workspace")),
        ],
        "limits": selectors.limits(organization),
        "notices": notices(organization),
        "now": timezone.now(),
    }
    return respond(request, "overview/show.html", context)
