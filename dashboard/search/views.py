"""The search palette, and the same as a page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect

from dashboard.search.pasted import hash_of_secret
from dashboard.search.selectors import found
from orgadmin.access import OrgRequest, Permission, allow
from orgadmin.pages import respond, wants_fragment

LONGEST = 200


@allow(Permission.READ, Permission.OWN_KEYS)
def palette(request: OrgRequest) -> HttpResponse:
    query = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    pasted = hash_of_secret(query)
    if pasted and not wants_fragment(request):
        # Out of the address, and so out of the history and of what a next page is told.
        return HttpResponseRedirect(f"{request.path}?{urlencode({'q': pasted, 'pasted': 'secret'})}")
    is_secret, query = bool(pasted) or "pasted" in request.GET, pasted or query
    # Where a browser could not tell the hash of a secret, there is nothing to look for.
    hits = found(request, query) if query or not is_secret else []
    context = {
        "organization": request.organization,
        "query": query,
        "groups": [(heading, [(hit.label, hit.detail, hit.url) for hit in some]) for heading, some in hits],
        "is_secret": is_secret,
    }
    return respond(request, "search/results.html", context, fragment="search/_results.html")
