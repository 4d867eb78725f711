"""The rules of a guardrail in human words: one short line for a list, and each with what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orgadmin.inventory.guardrail_models import ZDR_FIELDS
from orgadmin.inventory.models import Guardrail
from orgadmin.inventory.windows import RESETS

# Whose models each switch for zero data retention covers.
ZDR_NAMES: Mapping[str, str] = dict(
    zip(ZDR_FIELDS, ("Anthropic", "OpenAI", "Google", "xAI", "other models"), strict=True)
)
LISTS: Mapping[str, tuple[str, str]] = {
    "allowed_models": ("Allowed models", "Only these are routed to; every other model is refused."),
    "ignored_models": ("Ignored models", "Never routed to, even where a list allows them."),
    "allowed_providers": ("Allowed providers", "Only these serve requests."),
    "ignored_providers": ("Ignored providers", "Never routed to, even where a list allows them."),
    "allowed_data_regions": ("Data regions", "Only endpoints that keep data in these regions."),
}
SWITCHES: Mapping[str, tuple[str, str]] = {
    **{
        name: (f"ZDR for {whose}", "On: only endpoints that retain nothing serve these models.")
        for name, whose in ZDR_NAMES.items()
    },
    "enable_paid_model_training": ("Training on paid use", "Off: no paid endpoint that trains on prompts."),
    "enable_free_model_training": ("Training on free use", "Off: no free endpoint that trains on prompts."),
    "enable_free_model_publication": ("Publication", "Off: no free endpoint that publishes prompts."),
    "allow_safety_retention_google": (
        "Safety retention, Google",
        "Whether ZDR requests may reach Google endpoints that keep prompts for safety monitoring.",
    ),
    "allow_safety_retention_other": (
        "Safety retention, others",
        "Whether ZDR requests may reach other endpoints that keep prompts for safety monitoring.",
    ),
}
BUILTINS: Mapping[str, tuple[str, str]] = {
    "email": ("E-mail addresses", "Found by pattern, fast."),
    "phone": ("Phone numbers", "Found by pattern, fast."),
    "ssn": ("Social security numbers", "US numbers, found by pattern, fast."),
    "credit-card": ("Card numbers", "Found by pattern, fast."),
    "ip-address": ("IP addresses", "Found by pattern, fast."),
    "person-name": ("Names of people", "Language analysis, beta: adds latency; lets through on a timeout."),
    "address": ("Postal addresses", "Language analysis, beta: adds latency; lets through on a timeout."),
    "regex-prompt-injection": (
        "Prompt injection",
        "Patterns and detectors of evasion. Begin with “flag”, which records and stops nothing.",
    ),
}
ACTIONS: Mapping[str, str] = {"redact": "redacts", "block": "blocks", "flag": "flags"}


@dataclass(frozen=True)
class Rule:
    """One rule of a guardrail: what it is called, what it says, what that means."""

    label: str
    value: str
    meaning: str
    items: tuple[str, ...] = ()


def in_short(row: Guardrail) -> list[str]:
    """The rules as a list shows them: "3 models allowed", "ZDR for Anthropic", "$50.00 a month each"."""
    words = [
        f"{len(found)} {noun[:-1] if len(found) == 1 else noun} {verb}"
        for verb, noun, found in (
            ("allowed", "models", row.allowed_models),
            ("ignored", "models", row.ignored_models),
            ("allowed", "providers", row.allowed_providers),
            ("ignored", "providers", row.ignored_providers),
            ("allowed", "regions", row.allowed_data_regions),
        )
        if found
    ]
    asked = [whose for name, whose in ZDR_NAMES.items() if getattr(row, name)]
    if asked:
        words.append(f"ZDR for {', '.join(asked)}")
    if row.enable_paid_model_training is False or row.enable_free_model_training is False:
        words.append("no training")
    words += _filters_in_short(row)
    if row.limit is not None:
        words.append(budget_words(row))
    return words


def _filters_in_short(row: Guardrail) -> list[str]:
    by_action: dict[str, list[str]] = {}
    for one in row.content_filter_builtins or ():
        by_action.setdefault(str(one.get("action")), []).append(builtin_name(one).lower())
    words = [f"{ACTIONS.get(action, action)} {', '.join(found)}" for action, found in by_action.items()]
    custom = len(row.content_filters or ())
    return [*words, f"{custom} custom {'filter' if custom == 1 else 'filters'}"] if custom else words


def builtin_name(one: Mapping[str, Any]) -> str:
    """What a builtin filter looks for; its slug where we do not know it."""
    slug = str(one.get("slug"))
    return BUILTINS.get(slug, (slug, ""))[0]


def budget_words(row: Guardrail) -> str:
    """ "$50.00 a month each"."""
    unit = RESETS.get(row.reset_interval or "", row.reset_interval or "")
    return f"{dollars(row.limit or Decimal(0))} a {unit} each"


def dollars(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount == round(amount, 2) else f"${amount.normalize():,f}"


def rules_of(row: Guardrail) -> list[Rule]:
    """Every rule that the guardrail sets, with its meaning; empty when it restricts nothing."""
    return [*_budget(row), *_lists(row), *_switches(row), *_filters(row)]


def _budget(row: Guardrail) -> list[Rule]:
    if row.limit is None:
        return []
    counted = "BYOK spend counts too." if row.include_byok_in_budgets else "BYOK spend does not count."
    meaning = f"An allowance of each key and each member, never a pool. {counted}"
    return [Rule("Budget", budget_words(row), meaning)]


def _lists(row: Guardrail) -> list[Rule]:
    return [
        Rule(label, str(len(found)), meaning, tuple(str(one) for one in found))
        for name, (label, meaning) in LISTS.items()
        if (found := getattr(row, name)) is not None
    ]


def _switches(row: Guardrail) -> list[Rule]:
    return [
        Rule(label, "on" if value else "off", meaning)
        for name, (label, meaning) in SWITCHES.items()
        if (value := getattr(row, name)) is not None
    ]


def _filters(row: Guardrail) -> list[Rule]:
    rules = []
    for one in row.content_filter_builtins or ():
        meaning = BUILTINS.get(str(one.get("slug")), ("", "A filter of OpenRouter's own."))[1]
        scope = " It reads the user's messages only." if one.get("scan_scope") == "user_only" else ""
        rules.append(Rule(builtin_name(one), _acts(one), meaning + scope))
    for one in row.content_filters or ():
        said = f"Named “{one['label']}”." if one.get("label") else "Without a name of its own."
        rules.append(Rule("Custom filter", _acts(one), said, (str(one.get("pattern")),)))
    return rules


def _acts(one: Mapping[str, Any]) -> str:
    action = str(one.get("action"))
    return ACTIONS.get(action, action)


def counted(number: int, noun: str) -> str:
    """ "1 key", "3 keys"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
