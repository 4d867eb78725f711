"""Filter rules read out, and what the editor makes of rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from orgadmin.observability.rules_field import MOST_RULES, Editor
from orgadmin.observability.words import EVERYTHING, SEVERAL_GROUPS, one_rule, percent, rule_words


def group(*rules: tuple[Any, ...], logic: str = "and") -> dict[str, Any]:
    names = ("field", "operator", "value")
    return {"logic": logic, "rules": [dict(zip(names, rule, strict=False)) for rule in rules]}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (("model", "starts_with", "anthropic/"), "model starts with “anthropic/”"),
        (("total_cost", "gt", 0.05), "total cost is more than $0.05"),
        (("total_tokens", "lte", 100000), "total tokens is at most 100,000"),
        (("total_tokens", "lte", "many"), "total tokens is at most “many”"),
        (("total_cost", "gt", "1e999999999"), "total cost is more than $1e999999999"),
        (("user_id", "not_exists"), "user id is not there"),
        (("user_id", "exists", "x"), "user id is there"),
        (("planet", "orbits", 5), "planet orbits “5”"),
    ],
)
def test_a_rule_is_a_clause(rule: tuple[Any, ...], words: str) -> None:
    assert one_rule(group(rule)["rules"][0]) == words


def test_rules_are_sentences() -> None:
    assert rule_words(None).lead == rule_words({"groups": []}).lead == EVERYTHING
    assert rule_words({"groups": [group()]}).short == ""
    two = group(("model", "equals", "a"), ("user_id", "exists"))
    one = rule_words({"groups": [two]})
    assert one.lead == "A trace passes only if all of these hold:"
    assert one.short == "model is “a” and user id is there"
    assert one.note == ""
    several = rule_words({"groups": [two, group(("input", "regex", "x"), logic="most")]})
    assert several.note == SEVERAL_GROUPS
    assert [lead for lead, _ in several.groups] == [
        "Group 1: all of these hold:",
        "Group 2: this holds:",
    ]
    off = rule_words({"enabled": False, "groups": [two]})
    assert off.lead.startswith("Switched off")
    assert off.short.startswith("(off)")


@pytest.mark.parametrize(("rate", "shown"), [(1, "100"), (0.25, "25"), (0.0001, "0.01"), (0.3, "30")])
def test_a_share_is_per_cent(rate: float, shown: str) -> None:
    assert percent(rate) == shown


def test_too_many_rules_are_refused() -> None:
    rows = [{"field": "model", "operator": "exists", "value": ""}] * (MOST_RULES + 1)
    with pytest.raises(ValidationError, match="At most"):
        Editor([("and", rows)], enabled=True).rules(None)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "rule-group=9&rule-field=model&rule-operator=exists&rule-value=",
        "rule-group=x&rule-field=model",
        "rule-group=-1&rule-field=model&rule-operator=exists&rule-value=",
        "rule-logic=and&rule-logic=or",
    ],
)
@pytest.mark.parametrize(
    "pressed",
    ["", "add-rule:99", "remove-rule:99", "remove-group:0", "remove-group:7", "explode:0", "add-rule:x"],
)
def test_nonsense_makes_no_noise(query: str, pressed: str) -> None:
    editor = Editor.posted(QueryDict(query))
    editor.pressed(pressed)
    assert rule_words(editor.readable()).lead
