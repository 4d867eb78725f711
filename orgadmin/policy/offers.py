"""From the catalog to what rules are held against: the models that are sold, and who serves each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel
from orgadmin.catalog.prices import VARIES
from orgadmin.policy.verdicts import Endpoint, Offered


@dataclass(frozen=True)
class Known:
    """A model by the name that requests use, and as rules see it. ``is_sold``: the catalog has it today, as
    itself and not as another name of a model."""

    name: str
    offered: Offered
    permaslug: str
    is_sold: bool = True


def offers(organization: Organization) -> list[Known]:
    """Every model that the catalog ever had, by name, in two queries. One that is gone has no endpoint; an
    alias is what it stands for; whom a router asks is not known."""
    endpoints = endpoints_of(organization)
    rows = CatalogModel.objects.filter(organization=organization).order_by("slug")
    columns = (
        "pk",
        "slug",
        "listed_as",
        "permaslug",
        "alias_of",
        "gone_at",
        "endpoints_at",
        "prices__prompt",
    )
    found: dict[str, Known] = {}
    aliases = {}
    for pk, slug, listed_as, permaslug, alias_of, gone_at, told_at, price in rows.values_list(*columns):
        served: tuple[Endpoint, ...] | None = endpoints.get(pk, ())
        if gone_at is not None:
            served = ()
        elif told_at is None or (not served and price == VARIES):
            served = None
        found[slug] = Known(slug, Offered(listed_as, served), permaslug, gone_at is None and not alias_of)
        if alias_of:
            aliases[slug] = alias_of
    for slug, target in aliases.items():
        if target in found:
            meant = found[target]
            found[slug] = Known(slug, meant.offered, meant.permaslug, is_sold=False)
    return list(found.values())


def endpoints_of(organization: Organization) -> Mapping[int, tuple[Endpoint, ...]]:
    """Who serves each model, by the primary key of the model's row."""
    rows = CatalogEndpoint.objects.filter(organization=organization, gone_at=None).order_by("place", "pk")
    found: defaultdict[int, list[Endpoint]] = defaultdict(list)
    for model, provider, is_zdr in rows.values_list("model_id", "provider", "is_zdr"):
        found[model].append(Endpoint(provider, is_zdr))
    return {model: tuple(served) for model, served in found.items()}
