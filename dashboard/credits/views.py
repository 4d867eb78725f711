"""How long the credits last."""

from __future__ import annotations

from django.http import HttpResponse

from dashboard.credits.selectors import RANGES, credits_page
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond


@allow(Permission.READ)
def show(request: OrgRequest) -> HttpResponse:
    asked = request.GET.get("range", "")
    context = {
        "organization": request.organization,
        "page": credits_page(request.organization, asked),
        "ranges": RANGES,
    }
    return respond(request, "credits/show.html", context, fragment="credits/_show.html")
