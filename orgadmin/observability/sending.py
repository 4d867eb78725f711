"""Settings as the client takes them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.destinations import DestinationChanges, FilterRule, FilterRules, RuleGroup
from orgadmin.openrouter.unset import UNSET


def changes_of(settings: Mapping[str, Any]) -> DestinationChanges:
    """Values as a row holds them, as changes; a list that is empty is None, no restriction."""
    values = dict(settings)
    for name in ("api_key_hashes", "regions"):
        if name in values:
            values[name] = tuple(values[name]) if values[name] else None
    if values.get("filter_rules") is not None:
        values["filter_rules"] = _rules(values["filter_rules"])
    if "sampling_rate" in values:
        values["sampling_rate"] = Decimal(str(values["sampling_rate"]))
    return DestinationChanges(**values)


def _rules(rules: Mapping[str, Any]) -> FilterRules:
    return FilterRules(
        groups=tuple(_group(group) for group in rules["groups"]),
        enabled=rules.get("enabled", True),
        extra=_others(rules, "groups", "enabled"),
    )


def _group(group: Mapping[str, Any]) -> RuleGroup:
    return RuleGroup(
        rules=tuple(_rule(rule) for rule in group["rules"]),
        logic=group.get("logic", "and"),
        extra=_others(group, "rules", "logic"),
    )


def _rule(rule: Mapping[str, Any]) -> FilterRule:
    return FilterRule(
        field=rule["field"],
        operator=rule["operator"],
        value=rule.get("value", UNSET),
        extra=_others(rule, "field", "operator", "value"),
    )


def _others(found: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in known}
