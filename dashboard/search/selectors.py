"""What the palette finds: keys, workspaces and members of one organization, the product's pages, and the
other organizations of whoever asks."""

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
    """The groups of results for a query, empty ones left out, at most eight hits each and a way to the rest.

    Members of the dashboard who see their own keys only find those, and no workspaces and people. A person
    comes before the keys that are found only because they own them.
    """
    words = query.casefold().split()[:MOST_WORDS]
    pages = ("Pages", _pages(request, words))
    if not words:
        return [pages]
    start = query.casefold().strip()
    keys = ("Keys", _keys(request, start, words))
    rest = [("Organizations", _organizations(request, words))]
    if request.reads_all:
        people, places = ("Members", _members(request, words)), ("Workspaces", _workspaces(request, words))
        is_named = any(hit.label.casefold().startswith(start) for hit in keys[1])
        groups = [keys, pages, places, people] if is_named else [people, places, keys, pages]
    else:
        groups = [keys, pages]
    return [(heading, hits) for heading, hits in (*groups, *rest) if hits]


def _pages(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    pages = destinations(may=request.may, words=words)
    slug = request.organization.slug
    return [Hit(page.label, page.detail, page.url(slug)) for page in pages][: MOST if words else None]


def _keys(request: OrgRequest, start: str, words: Sequence[str]) -> list[Hit]:
    """Keys whose name begins like the query first, then those that hold its words anywhere."""
    keys = (
        visible_keys(request).filter(gone_at=None).select_related("workspace").defer("extra", "search_text")
    )
    named = list(keys.filter(sort_name__startswith=start).order_by("sort_name", "pk")[: MOST + 1])
    others: list[Key] = []
    if len(named) <= MOST:
        holding = keys.exclude(pk__in=[key.pk for key in named])
        for condition in containing(" ".join(words)):
            holding = holding.filter(condition)
        others = list(holding.order_by("sort_name", "pk")[: MOST + 1 - len(named)])
    rows = [*named, *others]
    slug = request.organization.slug
    hits = [
        Hit(
            label=key.name,
            detail=f"{key.label} · {key.workspace.name}" if key.workspace else key.label,
            url=reverse("keys:detail", kwargs={"organization": slug, "key_hash": key.hash}),
        )
        for key in rows[:MOST]
    ]
    if len(rows) > MOST:
        query = " ".join(words)
        hits.append(Hit(f"All keys with “{query[:40]}”", "", _keys_url(request, q=query)))
    return hits


def _workspaces(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    rows = Workspace.objects.filter(organization=request.organization, gone_at=None)
    for word in words:
        rows = rows.filter(Q(name__icontains=word) | Q(slug__icontains=word))
    return [
        Hit(row.name, row.slug, _at(request, "workspaces:detail", workspace_uid=row.uid))
        for row in rows[:MOST]
    ]


def _members(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    rows = Member.objects.filter(organization=request.organization, gone_at=None)
    for word in words:
        named = Q(first_name__icontains=word) | Q(last_name__icontains=word)
        rows = rows.filter(named | Q(email__icontains=word) | Q(uid__iexact=word))
    return [
        Hit(str(row), row.email, _at(request, "members:detail", member_uid=row.uid)) for row in rows[:MOST]
    ]


def _organizations(request: OrgRequest, words: Sequence[str]) -> list[Hit]:
    """The others that the person belongs to: known already, so this asks nothing."""
    others = (entry.organization for entry in request.memberships if entry != request.membership)
    return [
        Hit(row.name, "Organization", reverse("keys:list", kwargs={"organization": row.slug}))
        for row in others
        if all(word in f"{row.name} {row.slug}".casefold() for word in words)
    ][:MOST]


def _at(request: OrgRequest, target: str, **arguments: str) -> str:
    return reverse(target, kwargs={"organization": request.organization.slug, **arguments})


def _keys_url(request: OrgRequest, **filters: str) -> str:
    address = reverse("keys:list", kwargs={"organization": request.organization.slug})
    return f"{address}?{urlencode(filters)}"
