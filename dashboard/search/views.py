"""The search palette, and the same as a page."""

from __future__ import annotations

from django.http import HttpResponse

from dashboard.search.selectors import found
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond

LONGEST = 200


@allow(Permission.READ, Permission.OWN_KEYS)
def palette(request: OrgRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    groups = [
        (heading, [(hit.label, hit.detail, hit.url) for hit in hits])
        for heading, hits in found(request, query)
    ]
    context = {"organization": request.organization, "query": query, "groups": groups}
    return respond(request, "search/results.html", context, fragment="search/_results.html")
