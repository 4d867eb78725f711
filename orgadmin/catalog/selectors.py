"""What the rest of the house asks of the catalog: names, slugs, and who keeps no data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogProvider


def provider_slugs(organization: Organization) -> dict[str, str]:
    """The slugs of providers, by slug and by case folded name."""
    rows = list(CatalogProvider.objects.filter(organization=organization).values_list("slug", "name"))
    return {name.casefold(): slug for slug, name in rows} | {slug: slug for slug, _ in rows}


@dataclass(frozen=True)
class Served:
    """Who serves some models: the slugs of providers by the names that endpoints and activity give them, and
    whether a provider keeps no data of a model (permaslug and slug); a pair is missing where nobody knows."""

    slugs: Mapping[str, str]
    zdr: Mapping[tuple[str, str], bool]

    def provider(self, name: str) -> str:
        """The slug of a provider that activity names; "" where it is not known."""
        return self.slugs.get(name.casefold(), "")

    def is_zdr(self, permaslug: str, provider: str) -> bool | None:
        return self.zdr.get((permaslug, provider))


def served(organization: Organization, permaslugs: Iterable[str]) -> Served | None:
    """In two queries; None before the catalog was pulled. Of a provider with several endpoints of a model,
    one that keeps data beside one that keeps none, nobody knows which was used."""
    slugs = provider_slugs(organization)
    if not slugs:
        return None
    rows = CatalogEndpoint.objects.filter(organization=organization, permaslug__in=set(permaslugs))
    said: defaultdict[tuple[str, str], set[bool | None]] = defaultdict(set)
    columns = ("permaslug", "provider_name", "provider", "is_zdr", "model__slug", "gone_at")
    for permaslug, name, provider, is_zdr, slug, gone_at in rows.order_by().values_list(*columns):
        if provider:
            slugs.setdefault(name.casefold(), provider)
        # Nothing is known of variants, and `:free` costs nothing.
        if ":" not in slug and gone_at is None:
            said[permaslug, provider].add(is_zdr)
    one_word = {pair: next(iter(words)) for pair, words in said.items() if len(words) == 1}
    return Served(slugs, {pair: word for pair, word in one_word.items() if word is not None})


def models_by_name(organization: Organization) -> dict[str, str]:
    """What guardrails call each model that is sold, with what people call it; no aliases."""
    rows = CatalogModel.objects.filter(organization=organization, gone_at=None, alias_of="")
    return dict(rows.order_by().values_list("listed_as", "name"))


def providers_by_slug(organization: Organization) -> dict[str, str]:
    """The slugs of providers with what people call them."""
    rows = CatalogProvider.objects.filter(organization=organization, gone_at=None)
    return dict(rows.order_by().values_list("slug", "name"))


def names_in_guardrails(slugs: Iterable[str]) -> dict[str, str]:
    """What guardrails call the models that requests name by these. Of every organization: the catalog is
    public, and what a slug means is the same for all."""
    rows = CatalogModel.objects.filter(slug__in=set(slugs)).order_by(F("gone_at").asc(nulls_last=True), "pk")
    return dict(rows.values_list("slug", "listed_as"))
