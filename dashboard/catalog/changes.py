"""What changed in the catalog lately: prices, ends, what came and what went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.catalog.selectors import used_permaslugs
from dashboard.catalog.words import Happening, happening
from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogChange, CatalogModel
from orgadmin.pages import Page, page_of

KINDS: Mapping[str, str] = {
    CatalogChange.What.PRICE: "Prices",
    CatalogChange.What.EXPIRY: "Ends",
    CatalogChange.What.APPEARED: "Offered",
    CatalogChange.What.VANISHED: "No longer offered",
}
ABOUT: Mapping[str, str] = {"models": "Models alone", "providers": "Their providers"}
USED: Mapping[str, str] = {"yes": "Used here in 30 days"}
FIELDS = ("q", "what", "about", "used")
_CHOICES = {"what": KINDS, "about": ABOUT, "used": USED}


@dataclass(frozen=True)
class ChangeFilters:
    """Empty means not filtered. What makes no sense is dropped: an old link still opens a list."""

    q: str = ""
    what: str = ""
    about: str = ""
    used: str = ""

    @classmethod
    def of(cls, query: QueryDict, *, reads_all: bool) -> ChangeFilters:
        """Read a query string. Who does not read everything learns nothing of use."""
        text = {name: query.get(name, "").strip()[:200].replace("\x00", "") for name in FIELDS}
        known = {name: text[name] if text[name] in choices else "" for name, choices in _CHOICES.items()}
        found = cls(q=text["q"], **known)
        return found if reads_all else replace(found, used="")

    @property
    def is_empty(self) -> bool:
        return self == ChangeFilters()

    def query(self) -> str:
        """The query string of these filters."""
        values = {name: getattr(self, name) for name in FIELDS}
        return urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True)
class Line:
    """One change, of the model that requests call ``slug``; ``name`` is for people."""

    slug: str
    name: str
    happening: Happening


def changes_page(organization: Organization, filters: ChangeFilters, number: str | None) -> Page[Line]:
    """Newest first, in three queries; five where only what is used here is wanted."""
    rows = _filtered(organization, filters)
    return page_of(rows.count(), number, lambda start, size: _lines(organization, rows[start : start + size]))


def _filtered(organization: Organization, filters: ChangeFilters) -> QuerySet[CatalogChange]:
    rows = CatalogChange.objects.filter(organization=organization)
    for word in filters.q.split()[:8]:
        rows = rows.filter(slug__icontains=word)
    if filters.what:
        rows = rows.filter(what=filters.what)
    if filters.about:
        rows = rows.filter(tag="") if filters.about == "models" else rows.exclude(tag="")
    if filters.used:
        models = CatalogModel.objects.filter(
            organization=organization, permaslug__in=used_permaslugs(organization)
        )
        rows = rows.filter(slug__in=models.order_by().values("slug"))
    return rows


def _lines(organization: Organization, rows: Iterable[CatalogChange]) -> list[Line]:
    found = list(rows)
    models = CatalogModel.objects.filter(organization=organization, slug__in={row.slug for row in found})
    names = dict(models.order_by().values_list("slug", "name"))
    return [Line(row.slug, names.get(row.slug, row.slug), happening(row)) for row in found]
