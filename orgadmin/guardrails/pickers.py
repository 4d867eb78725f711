"""What the pickers of models and providers offer. ``choices`` is the only place that knows where from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orgadmin.accounts.models import Organization
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
    """Every model by its permanent slug, or every provider by its slug, that was used or that a guardrail of
    the organization names; in order."""
    found: set[str] = set()
    rows = Guardrail.objects.filter(organization=organization, gone_at=None)
    for lists in rows.order_by().values_list(*LISTS[noun]):
        found.update(one for values in lists for one in values or ())
    if noun == MODELS:
        found.update(UsageModel.objects.values_list("permaslug", flat=True))
    else:
        # Activity spells providers for people; "Google Vertex" is google-vertex.
        names = UsageProvider.objects.values_list("name", flat=True)
        found.update(name.casefold().replace(" ", "-") for name in names)
    return sorted(found - {""})


def choices(organization: Organization, noun: str, text: str) -> list[str]:
    """What is known that holds every word of ``text``; a wildcard such as ``anthropic/*`` gives all it
    stands for."""
    if text.strip().endswith("*"):
        return expand(text.strip(), known(organization, noun))
    words = text.casefold().split()[:8]
    return [one for one in known(organization, noun) if all(word in one.casefold() for word in words)][:MOST]


def expand(wildcard: str, names: Iterable[str]) -> list[str]:
    """The names that begin as the wildcard does."""
    start = wildcard.rstrip("*").casefold()
    return [one for one in names if one.casefold().startswith(start)][:MOST_EXPANDED]


def canonical_models(names: Iterable[str]) -> list[str]:
    """Models by their permanent slugs where we know them: OpenRouter answers with these."""
    wanted = list(names)
    permanent = dict(
        UsageModel.objects.filter(slug__in=wanted).exclude(slug="").values_list("slug", "permaslug")
    )
    return [permanent.get(name, name) for name in wanted]


def with_permanent_models(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules with their lists of models by permanent slugs."""
    listed = {name: canonical_models(rules[name]) for name in LISTS[MODELS] if rules.get(name)}
    return {**rules, **listed}
