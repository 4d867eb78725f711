"""What a destination says, in human words: its filter rules as sentences, its state, what it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from orgadmin.inventory.destination_models import SWITCHES as SWITCH_FIELDS

TEXT_FIELDS: Mapping[str, str] = {
    "model": "model",
    "provider": "provider",
    "session_id": "session id",
    "user_id": "user id",
    "api_key_name": "name of the key",
    "finish_reason": "finish reason",
    "input": "input",
    "output": "output",
}
NUMBER_FIELDS: Mapping[str, str] = {
    "total_cost": "total cost",
    "total_tokens": "total tokens",
    "prompt_tokens": "prompt tokens",
    "completion_tokens": "completion tokens",
}
FIELDS: Mapping[str, str] = {**TEXT_FIELDS, **NUMBER_FIELDS}
# What both kinds of fields take, what texts take, what numbers take, and what takes no value.
COMMON: Mapping[str, str] = {"equals": "is", "not_equals": "is not"}
TEXT_OPERATORS: Mapping[str, str] = {
    "contains": "contains",
    "not_contains": "does not contain",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "regex": "matches the pattern",
}
NUMBER_OPERATORS: Mapping[str, str] = {
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
}
WITHOUT_VALUE: Mapping[str, str] = {"exists": "is there", "not_exists": "is not there"}
OPERATORS: Mapping[str, str] = {**COMMON, **TEXT_OPERATORS, **NUMBER_OPERATORS, **WITHOUT_VALUE}
LOGIC: Mapping[str, str] = {"and": "all", "or": "any"}
SEVERAL_GROUPS = "OpenRouter does not document how several groups combine: one group is the safe choice."
EVERYTHING = "No filter: every trace is sent."

SWITCHES: Mapping[str, tuple[str, str]] = dict(
    zip(
        SWITCH_FIELDS,
        (
            ("Send cost", "What each generation cost, and how it was billed."),
            ("Send cost by kind of token", "Beta: a split of the cost, where it adds up to what was billed."),
            ("Send identity", "Who made the request, as far as OpenRouter knows."),
            ("Send request context", "What else came with the request."),
        ),
        strict=True,
    )
)
REGIONS: Mapping[str, str] = {"global": "Global", "europe": "Europe", "us": "United States"}
PRIVACY = (
    "Prompts and completions are stripped before anything is sent; model, tokens, cost and the other "
    "metadata still are."
)


@dataclass(frozen=True)
class RuleWords:
    """The rules as they are read out: what holds first, then each group with its conditions. ``note`` warns
    of what nobody can know; ``short`` is all of it on a line, "" where nothing is filtered."""

    lead: str
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""

    short: str = ""


def rule_words(rules: Mapping[str, Any] | None) -> RuleWords:
    """Filter rules, in the shape that a row holds, as sentences."""
    groups = [group for group in (rules or {}).get("groups", ()) if group.get("rules")]
    if rules is None or not groups:
        return RuleWords(EVERYTHING)
    is_on = rules.get("enabled", True)
    off = "" if is_on else "Switched off, so every trace is sent. "
    said = [(_group_lead(group), tuple(one_rule(rule) for rule in group["rules"])) for group in groups]
    short = " — ".join(
        f" {_joint(group)} ".join(words) for group, (_, words) in zip(groups, said, strict=True)
    )
    short = short if is_on else f"(off) {short}"
    if len(said) == 1:
        ((lead, words),) = said
        return RuleWords(f"{off}A trace passes only if {lead}", (("", words),), short=short)
    numbered = tuple((f"Group {number}: {lead}", rules) for number, (lead, rules) in enumerate(said, 1))
    return RuleWords(f"{off}A trace passes by these groups:", numbered, SEVERAL_GROUPS, short)


def _joint(group: Mapping[str, Any]) -> str:
    return str(group.get("logic", "and"))


def _group_lead(group: Mapping[str, Any]) -> str:
    if len(group["rules"]) == 1:
        return "this holds:"
    logic = str(group.get("logic", "and"))
    return f"{LOGIC[logic]} of these hold:" if logic in LOGIC else f"“{logic}” of these hold:"


def one_rule(rule: Mapping[str, Any]) -> str:
    """ "model starts with “anthropic/”", "total cost is more than $0.05"."""
    field, operator = str(rule.get("field", "")), str(rule.get("operator", ""))
    said = f"{FIELDS.get(field, field)} {OPERATORS.get(operator, operator)}"
    if operator in WITHOUT_VALUE or "value" not in rule:
        return said
    return f"{said} {_value(field, rule['value'])}"


def _value(field: str, value: Any) -> str:
    if field in NUMBER_FIELDS:
        try:
            number = Decimal(str(value))
            plain = f"{number:,f}" if number.is_finite() and abs(number.adjusted()) < 40 else str(value)
        except InvalidOperation:
            return f"“{value}”"
        return f"${plain}" if field == "total_cost" else plain
    return f"“{value}”"


def percent(rate: float | Decimal) -> str:
    """A share of 1 as per cent without zeros at its end: "0.01", "25", "100"."""
    number = (Decimal(str(rate)) * 100).normalize()
    return f"{number:f}"


def counted(number: int, noun: str) -> str:
    """ "1 key", "3 keys"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
