"""The rules of a guardrail as values: comparable, and as what they should become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from orgadmin.inventory.guardrail_nouns import RULES

LISTS = ("allowed_models", "ignored_models", "allowed_providers", "ignored_providers", "allowed_data_regions")
BUDGET = ("limit_usd", "reset_interval")
# A server that does not send these does not have them.
OPTIONAL = (
    "include_byok_in_budgets",
    "enforce_zdr_xai",
    "enable_paid_model_training",
    "enable_free_model_training",
    "enable_free_model_publication",
    "allow_safety_retention_google",
    "allow_safety_retention_other",
    "allowed_data_regions",
)


def rules_as_values(item: Any) -> dict[str, Any]:
    """All rules of a row of ours, or of an upstream guardrail in the shape of one."""
    return {name: getattr(item, name) for name in RULES}


def canonical(name: str, value: Any) -> Any:
    """A rule as it counts: order and duplicates of lists do not, empty is no restriction."""
    if value in (None, "", [], ()):
        return None
    if name in LISTS:
        return tuple(sorted(set(value)))
    if name == "content_filter_builtins":
        return tuple(sorted((one["slug"], one["action"], one.get("scan_scope") or "") for one in value))
    if name == "content_filters":
        return tuple(sorted({(one["pattern"], one["action"], one.get("label") or "") for one in value}))
    return Decimal(str(value)) if name == "limit_usd" else value


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The rules in which two guardrails differ."""
    return [
        name
        for name in RULES
        if name in one and name in other and canonical(name, one[name]) != canonical(name, other[name])
    ]


@dataclass(frozen=True)
class GuardrailEdit:
    """What the editor saw when the form was opened, and what they want."""

    seen: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """Only what the editor touched; a limit and its interval go together."""
        names = differing(self.seen, self.wanted)
        if set(BUDGET) & set(names):
            names += [name for name in BUDGET if name not in names]
        return {name: self.wanted[name] for name in names}
