"""What the palette finds: keys, workspaces and members of one organization, and the product's pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from dashboard.search.pages import destinations
from orgadmin.access import OrgRequest
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.inventory.search import containing
from orgadmin.keys.selectors import visible_keys

MOST = 8
# More words than this are no search any more, but a paste.
MOST_WORDS = 8


@dataclass(frozen=True)
class Hit:
    """One result: what it is called, a few words beside it, where it leads."""

    label: str
    detail: str
    url: str


Group = tuple[str, list[Hit]]


def found(request: OrgRequest, query: str) -> list[Group]:
    """The groups of results for a query, empty ones left out, at most eight hits each.

    Members of the dashboard who see their own keys only find those, and no workspaces and people.
    """
    words = query.casefold().split()[:MOST_WORDS]
    groups = [("Pages", _pages(request, words))]
    if words:
        groups = [("Keys", _keys(request, query.casefold().strip(), words)), *groups]
        if request.reads_all:
            groups += [("Workspaces", _workspaces(request, words)), ("Members", _members(request, words))]
    return [(heading, hits) for heading, hits in groups if hits]


def _pages(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    pages = destinations(may=request.may, words=words)
    slug = request.organization.slug
    return [Hit(page.label, page.detail, page.url(slug)) for page in pages][: MOST if words else None]


def _keys(request: OrgRequest, start: str, words: Sequence[str]) -> list[Hit]:
    """Keys whose name begins like the query first, then those that hold its words anywhere."""
    keys = (
        visible_keys(request).filter(gone_at=None).select_related("workspace").defer("extra", "search_text")
    )
    named = list(keys.filter(sort_name__startswith=start).order_by("sort_name", "pk")[:MOST])
    others: list[Key] = []
    if len(named) < MOST:
        holding = keys.exclude(pk__in=[key.pk for key in named])
        for condition in containing(" ".join(words)):
            holding = holding.filter(condition)
        others = list(holding.order_by("sort_name", "pk")[: MOST - len(named)])
    slug = request.organization.slug
    return [
        Hit(
            label=key.name,
            detail=f"{key.label} · {key.workspace.name}" if key.workspace else key.label,
            url=reverse("keys:detail", kwargs={"organization": slug, "key_hash": key.hash}),
        )
        for key in (*named, *others)
    ]


def _workspaces(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    rows = Workspace.objects.filter(organization=request.organization, gone_at=None)
    for word in words:
        rows = rows.filter(Q(name__icontains=word) | Q(slug__icontains=word))
    return [Hit(row.name, row.slug, _keys_url(request, workspace=row.slug)) for row in rows[:MOST]]


def _members(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    rows = Member.objects.filter(organization=request.organization, gone_at=None)
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(named | Q(email__icontains=word) | Q(uid__iexact=word))
    return [Hit(str(row), row.email, _keys_url(request, owner=row.uid)) for row in rows[:MOST]]


def _keys_url(request: OrgRequest, **filters: str) -> str:
    address = reverse("keys:list", kwargs={"organization": request.organization.slug})
    return f"{address}?{urlencode(filters)}"
