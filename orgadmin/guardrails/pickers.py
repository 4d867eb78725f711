"""What the pickers of models and providers offer. ``choices`` is the only place that knows where from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogModel
from orgadmin.catalog.naming import listed_as
from orgadmin.catalog.selectors import models_by_name, names_in_guardrails, providers_by_slug
from orgadmin.inventory.models import Guardrail
from orgadmin.usage.models import UsageModel, UsageProvider

MODELS, PROVIDERS = "models", "providers"
MOST = 30
MOST_EXPANDED = 500
LISTS = {
    MODELS: ("allowed_models", "ignored_models"),
    PROVIDERS: ("allowed_providers", "ignored_providers"),
}


def known(organization: Organization, noun: str) -> list[str]:
    """What can be named: every model by the name that guardrails use, or every provider by its slug; in
    order."""
    return sorted(named(organization, noun))


def named(organization: Organization, noun: str) -> dict[str, str]:
    """What can be named, with what people call it: all that the catalog has, and what a guardrail of the
    organization names or was used and the catalog never had."""
    found = models_by_name(organization) if noun == MODELS else providers_by_slug(organization)
    names = _named_by_guardrails(organization, noun)
    if noun == MODELS:
        listed = CatalogModel.objects.filter(organization=organization).order_by()
        names |= set(UsageModel.objects.values_list("permaslug", flat=True)) - set(
            listed.values_list("permaslug", flat=True)
        )
    elif not found:
        # Before the catalog was pulled: activity spells providers for people, "Google Vertex" is
        # google-vertex.
        used = UsageProvider.objects.values_list("name", flat=True)
        names |= {name.casefold().replace(" ", "-") for name in used}
    return {name: name for name in names if name} | found


def _named_by_guardrails(organization: Organization, noun: str) -> set[str]:
    rows = Guardrail.objects.filter(organization=organization, gone_at=None)
    lists = rows.order_by().values_list(*LISTS[noun])
    return {one for row in lists for values in row for one in values or ()}


def choices(organization: Organization, noun: str, text: str) -> list[str]:
    """What is known whose slug and name hold every word of ``text``, those whose slug does first; a wildcard
    such as ``anthropic/*`` gives all it stands for."""
    found = named(organization, noun)
    if "*" in text:
        return expand(text.strip(), sorted(found))
    words = text.casefold().split()[:8]
    by_slug = [one for one in found if _holds(one, words)]
    by_name = [one for one, name in found.items() if _holds(f"{one} {name}", words)]
    return list(dict.fromkeys([*sorted(by_slug), *sorted(by_name)]))[:MOST]


def _holds(text: str, words: Iterable[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in words)


def expand(wildcard: str, names: Iterable[str]) -> list[str]:
    """The names that the wildcard stands for; each star is any text, or none."""
    return [one for one in names if _fits(one.casefold(), wildcard.casefold().split("*"))][:MOST_EXPANDED]


def _fits(name: str, pieces: list[str]) -> bool:
    """Whether the name is the pieces in their order, with any text between two of them."""
    first, *between = pieces
    if not name.startswith(first):
        return False
    at = len(first)
    for piece in between[:-1]:
        found = name.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    last = between[-1] if between else ""
    return len(name) - len(last) >= at and name.endswith(last) if between else len(name) == at


def canonical_models(names: Iterable[str]) -> list[str]:
    """Models by the names that guardrails use, where we know them: OpenRouter answers with these."""
    wanted = list(names)
    permanent = {
        slug: listed_as(slug, permaslug)
        for slug, permaslug in UsageModel.objects.filter(slug__in=wanted)
        .exclude(slug="")
        .values_list("slug", "permaslug")
    }
    permanent |= names_in_guardrails(wanted)
    return [permanent.get(name, name) for name in wanted]


def with_permanent_models(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules with their lists of models by permanent slugs."""
    listed = {name: canonical_models(rules[name]) for name in LISTS[MODELS] if rules.get(name)}
    return {**rules, **listed}
