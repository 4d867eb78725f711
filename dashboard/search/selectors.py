"""What the palette finds: the objects of one organization, the product's pages, and the other organizations
of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.search.finding import BESIDE, Asked, Found, Noun, find
from dashboard.search.nouns import NOUNS
from dashboard.search.pages import pages
from orgadmin.access import OrgRequest

# Hits of a group: of many groups the first must not hide the others.
MOST, MOST_OF_MANY, MANY = 8, 4, 3
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
    """The groups of results for a query, empty ones left out, some hits of each and a way to the rest.

    The group with the best hit comes first. Whoever sees their own keys only finds those, and what else they
    may open. A person comes before the keys that are found only because they own them.
    """
    asked = Asked.of(query, most_words=MOST_WORDS)
    if not asked.words:
        return [("Pages", [hit for _, hit in _pages(request, asked)])]
    objects = _objects(request, asked)
    further = ("Pages", _pages(request, asked)[:MOST])
    ranked = [*objects[:1], further, *objects[1:], ("Organizations", _organizations(request, asked))]
    best = sorted(
        (group for group in ranked if group[1]), key=lambda group: min(rank for rank, _ in group[1])
    )
    return [(heading, [hit for _, hit in hits]) for heading, hits in best]


Ranked = tuple[int, Hit]


def _objects(request: OrgRequest, asked: Asked) -> list[tuple[str, list[Ranked]]]:
    """A group for each noun that this person may search, in the order of their declarations."""
    nouns = [noun for noun in NOUNS if any(need in request.may for need in noun.needs)]
    by_noun: Mapping[Noun, list[Found]] = {noun: [] for noun in nouns}
    for one in find(request, nouns, asked, most=MOST + 1):
        by_noun[one.noun].append(one)
    most = MOST if sum(map(bool, by_noun.values())) < MANY else MOST_OF_MANY
    return [(noun.heading, _hits(request, noun, some, asked, most)) for noun, some in by_noun.items()]


def _hits(request: OrgRequest, noun: Noun, found: Sequence[Found], asked: Asked, most: int) -> list[Ranked]:
    slug = request.organization.slug
    hits = [
        (one.rank, Hit(one.label, " · ".join(one.details), noun.url(slug, one.identity)))
        for one in found[:most]
    ]
    if len(found) > most and noun.listing:
        query = " ".join(asked.words).casefold()
        address = f"{reverse(noun.listing, kwargs={'organization': slug})}?{urlencode({'q': query})}"
        hits.append((BESIDE, Hit(f"All {noun.heading.lower()} with “{query[:40]}”", "", address)))
    return hits


def _pages(request: OrgRequest, asked: Asked) -> list[Ranked]:
    slug = request.organization.slug
    named = pages(may=request.may, words=_folded(asked))
    ranked = [(asked.rank(page.label), Hit(page.label, page.detail, page.url(slug))) for page in named]
    return sorted(ranked, key=lambda one: one[0]) if asked.words else ranked


def _organizations(request: OrgRequest, asked: Asked) -> list[Ranked]:
    """The others that the person belongs to: known already, so this asks nothing."""
    others = (entry.organization for entry in request.memberships if entry != request.membership)
    ranked = [
        (
            asked.rank(row.name),
            Hit(row.name, "Organization", reverse("keys:list", kwargs={"organization": row.slug})),
        )
        for row in others
        if all(word in f"{row.name} {row.slug}".casefold() for word in _folded(asked))
    ]
    return sorted(ranked, key=lambda one: one[0])[:MOST]


def _folded(asked: Asked) -> list[str]:
    return [word.casefold() for word in asked.words]
