"""The models as the list shows them, and one of them whole. A catalog has less than a thousand models: what
is filtered by is put together here, in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from dashboard.catalog.filters import ModelFilters
from dashboard.catalog.rules import rules_of
from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogModel
from orgadmin.catalog.prices import VARIES
from orgadmin.catalog.selectors import providers_by_slug
from orgadmin.policy.layers import Layer
from orgadmin.policy.offers import endpoints_of
from orgadmin.policy.verdicts import Endpoint, Offered, Outcome, verdict
from orgadmin.usage.clock import today
from orgadmin.usage.models import Dimension, UsageModel
from orgadmin.usage.reading import Question, groups
from orgadmin.usage.spans import Span

DAYS = 30
NEW = timedelta(days=30)
COLUMNS = (
    "pk", "slug", "permaslug", "listed_as", "name", "created_at", "expires_on", "context_length",
    "input_modalities", "output_modalities", "prompt", "completion", "prices__prompt", "alias_of",
    "endpoints_at", "gone_at",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One model of the list. ``ruled_as`` is what guardrails call it, or what it stands for. Prices are US
    dollars a token, None where they vary. ``places`` are its endpoints, None where they were not asked for
    yet; ``spend`` is US dollars of the last 30 days, BYOK included, None where nothing was used."""

    slug: str
    permaslug: str
    ruled_as: str
    name: str
    created_at: Any
    expires_on: date | None
    context: int | None
    takes: Sequence[str]
    gives: Sequence[str]
    prompt: Decimal | None
    completion: Decimal | None
    alias_of: str
    is_gone: bool
    places: tuple[Endpoint, ...] | None
    is_router: bool
    spend: Decimal | None

    @property
    def is_free(self) -> bool:
        return self.prompt == 0 and self.completion == 0

    @property
    def providers(self) -> list[str]:
        return sorted({place.provider for place in self.places or () if place.provider})

    @property
    def zdr(self) -> str:
        """all, some, none, or unknown: which of its endpoints keep no data."""
        said = {place.is_zdr for place in self.places or ()}
        if True in said:
            return "all" if said == {True} else "some"
        return "none" if said == {False} else "unknown"

    @property
    def kept_by_nobody(self) -> int:
        return sum(place.is_zdr is True for place in self.places or ())

    @property
    def offered(self) -> Offered:
        # Whom a router asks is not known.
        return Offered(self.ruled_as, None if self.is_router and not self.places else self.places)


@dataclass(frozen=True)
class Choices:
    """What can be filtered by: value and words."""

    providers: list[tuple[str, str]]
    takes: list[tuple[str, str]]
    gives: list[tuple[str, str]]
    guardrails: list[tuple[str, str]]


@dataclass(frozen=True)
class Models:
    """``rows`` as filtered and sorted; ``known`` how many are offered at all; ``names`` of providers by
    slug; ``is_partial``: the endpoints of some were not asked for yet."""

    rows: list[Row]
    known: int
    choices: Choices
    names: Mapping[str, str]
    is_partial: bool


def models_of(organization: Organization, filters: ModelFilters, *, reads_all: bool) -> Models:
    """Seven queries; three for who does not read everything."""
    rows = _rows(organization, _spend(organization) if reads_all else {})
    names = providers_by_slug(organization)
    rules = rules_of(organization) if reads_all else []
    alive = [row for row in rows if not row.is_gone]
    layer = next((rule.layer for rule in rules if rule.uid == filters.guardrail), None)
    choices = Choices(
        providers=sorted(((slug, names.get(slug, slug)) for slug in _all(alive, "providers")), key=_words),
        takes=[(one, one) for one in sorted(_all(alive, "takes"))],
        gives=[(one, one) for one in sorted(_all(alive, "gives"))],
        guardrails=[(rule.uid, rule.name) for rule in rules],
    )
    shown = [row for row in rows if _fits(row, filters, layer)]
    is_partial = any(row.places is None for row in alive)
    return Models(_sorted(shown, filters.sort), len(alive), choices, names, is_partial)


def _words(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


def _all(rows: Sequence[Row], what: str) -> set[str]:
    return {one for row in rows for one in getattr(row, what)}


def _rows(organization: Organization, spend: Mapping[str, tuple[str, Decimal]]) -> list[Row]:
    found = CatalogModel.objects.filter(organization=organization).order_by("slug").values_list(*COLUMNS)
    values = [dict(zip(COLUMNS, row, strict=True)) for row in found]
    places = endpoints_of(organization)
    owners = _owners(values, spend)
    names = {one["slug"]: one["listed_as"] for one in values}
    return [
        Row(
            slug=one["slug"],
            permaslug=one["permaslug"],
            ruled_as=names.get(one["alias_of"], one["listed_as"]),
            name=one["name"],
            created_at=one["created_at"],
            expires_on=one["expires_on"],
            context=one["context_length"],
            takes=one["input_modalities"],
            gives=one["output_modalities"],
            prompt=one["prompt"],
            completion=one["completion"],
            alias_of=one["alias_of"],
            is_gone=one["gone_at"] is not None,
            places=places.get(one["pk"], ()) if one["endpoints_at"] or one["gone_at"] else None,
            is_router=one["prices__prompt"] == VARIES,
            spend=owners.get(one["slug"]),
        )
        for one in values
    ]


def _spend(organization: Organization) -> dict[str, tuple[str, Decimal]]:
    """What each model cost in the last 30 days: slug last used and US dollars, by permaslug."""
    until = today()
    found = groups(Question(organization.pk, Span(until - timedelta(days=DAYS - 1), until)), Dimension.MODEL)
    names = UsageModel.objects.filter(pk__in=found).values_list("pk", "permaslug", "slug")
    return {permaslug: (slug, found[pk].usage + found[pk].byok_usage) for pk, permaslug, slug in names}


def used_permaslugs(organization: Organization) -> list[str]:
    """The models that were used in the last 30 days."""
    return list(_spend(organization))


def _owners(
    values: Sequence[Mapping[str, Any]], spend: Mapping[str, tuple[str, Decimal]]
) -> dict[str, Decimal]:
    """Which row of a model its spend stands in, once: activity does not tell variants apart. The one whose
    slug was used last, else the plain one, else any."""
    by_permaslug: defaultdict[str, list[str]] = defaultdict(list)
    for one in values:
        if one["permaslug"] in spend and not one["alias_of"]:
            by_permaslug[one["permaslug"]].append(one["slug"])
    found = {}
    for permaslug, slugs in by_permaslug.items():
        used, dollars = spend[permaslug]
        plain = next((slug for slug in slugs if ":" not in slug), slugs[0])
        found[used if used in slugs else plain] = dollars
    return found


def _fits(row: Row, filters: ModelFilters, layer: Layer | None) -> bool:
    if row.is_gone != (filters.state == "gone"):
        return False
    text = f"{row.slug} {row.name} {row.permaslug}".casefold()
    return (
        all(word in text for word in filters.q.casefold().split()[:8])
        and (not filters.provider or filters.provider in row.providers)
        and (not filters.takes or filters.takes in row.takes)
        and (not filters.gives or filters.gives in row.gives)
        and (not filters.zdr or _fits_zdr(row, filters.zdr))
        and (not filters.price or filters.price == _price(row))
        and (not filters.used or (row.spend is not None) == (filters.used == "yes"))
        and _fits_state(row, filters.state)
        and (layer is None or verdict(row.offered, [layer]).outcome is not Outcome.REFUSED)
        # A guardrail that is not there allows nothing that could be listed.
        and (not filters.guardrail or layer is not None)
    )


def _fits_zdr(row: Row, wanted: str) -> bool:
    return row.zdr == wanted or (wanted == "some" and row.zdr == "all")


def _price(row: Row) -> str:
    if row.is_free:
        return "free"
    return "varies" if row.prompt is None or row.completion is None else "paid"


def _fits_state(row: Row, state: str) -> bool:
    if state == "expiring":
        return row.expires_on is not None
    if state == "new":
        return row.created_at is not None and row.created_at > timezone.now() - NEW
    return True


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """In the order asked for; ties by name, and what is not known last, whichever the direction."""
    by_name = sorted(rows, key=lambda row: (row.name.casefold(), row.slug))
    column = sort.removeprefix("-")
    if column == "name":
        return by_name[::-1] if sort.startswith("-") else by_name
    value = _VALUES[column]
    known = [row for row in by_name if value(row) is not None]
    unknown = [row for row in by_name if value(row) is None]
    return [*sorted(known, key=value, reverse=sort.startswith("-")), *unknown]


_VALUES: Mapping[str, Callable[[Row], Any]] = {
    "context": lambda row: row.context,
    "prompt": lambda row: row.prompt,
    "completion": lambda row: row.completion,
    "providers": lambda row: None if row.places is None else len(row.providers),
    "created": lambda row: row.created_at,
    "spend": lambda row: row.spend,
    "ends": lambda row: row.expires_on,
}
