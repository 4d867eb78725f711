"""One model whole: its endpoints, its history, and what guardrails make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.catalog.rules import Rule, rules_of
from dashboard.catalog.words import Happening, happening
from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogChange, CatalogEndpoint, CatalogModel, CatalogProvider
from orgadmin.catalog.prices import VARIES
from orgadmin.policy.verdicts import Endpoint, Offered, Outcome, Verdict, verdict
from orgadmin.usage.models import UsageModel

# So many lines of the history, and so many guardrails, stand on the page.
CHANGES, GUARDRAILS = 60, 100


@dataclass(frozen=True)
class Ruling:
    """What one guardrail by itself makes of the model."""

    rule: Rule
    verdict: Verdict


@dataclass(frozen=True)
class Rulings:
    """What refuses comes first; ``counts`` are by the name of the outcome, of all."""

    shown: list[Ruling]
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class One:
    """``providers`` are by slug; ``is_used``: somebody ever used it, here or elsewhere."""

    model: CatalogModel
    endpoints: list[CatalogEndpoint]
    providers: Mapping[str, CatalogProvider]
    history: list[Happening]
    has_more: bool
    is_used: bool


def model_of(organization: Organization, slug: str) -> CatalogModel | None:
    """A model by the name of requests or, where none has it, by the one that never changes."""
    rows = CatalogModel.objects.filter(organization=organization)
    return rows.filter(slug=slug).first() or rows.filter(permaslug=slug).order_by("slug").first()


def one(model: CatalogModel) -> One:
    organization = model.organization
    changes = CatalogChange.objects.filter(organization=organization, slug=model.slug)
    found = [happening(change) for change in changes[: CHANGES + 1]]
    return One(
        model=model,
        endpoints=list(CatalogEndpoint.objects.filter(model=model, gone_at=None)),
        providers={row.slug: row for row in CatalogProvider.objects.filter(organization=organization)},
        history=found[:CHANGES],
        has_more=len(found) > CHANGES,
        is_used=UsageModel.objects.filter(permaslug=model.permaslug).exists(),
    )


def offered(found: One) -> Offered:
    """The model as rules see it: an alias is what it stands for, nobody offers what is gone, and whom a
    router asks is not known."""
    model = found.model
    name = model.listed_as
    if model.alias_of:
        target = model_of(model.organization, model.alias_of)
        name = target.listed_as if target else name
    places = tuple(Endpoint(row.provider, row.is_zdr) for row in found.endpoints)
    if model.gone_at is not None:
        return Offered(name, ())
    is_unknown = model.endpoints_at is None or (not places and model.prices.get("prompt") == VARIES)
    return Offered(name, None if is_unknown else places)


def rulings(organization: Organization, model: Offered) -> Rulings:
    """What each guardrail of the organization makes of the model, in two queries."""
    found = [Ruling(rule, verdict(model, [rule.layer])) for rule in rules_of(organization)]
    counts = {name.name: sum(one.verdict.outcome is name for one in found) for name in Outcome}
    return Rulings(sorted(found, key=lambda one: one.verdict.outcome)[:GUARDRAILS], counts)
