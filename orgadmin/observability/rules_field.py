"""The editor of filter rules: rows as they are posted, and the rules they stand for.

Each row posts four values under one name each; which group it is in is one of them. Buttons that add and take
out rows are submits, so that the editor works without JavaScript: ``pressed`` does what they say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin.audit.text import writable
from orgadmin.inventory.destination_nouns import plain_rules
from orgadmin.observability.words import (
    FIELDS,
    NUMBER_FIELDS,
    NUMBER_OPERATORS,
    OPERATORS,
    TEXT_OPERATORS,
    WITHOUT_VALUE,
)

PRESS = "rules-do"
MOST_GROUPS, MOST_RULES, LONGEST_VALUE = 20, 100, 1000
MOST_DIGITS = 30
_PRESSED = re.compile(r"(add-rule|remove-rule|add-group|remove-group):(\d{1,3})")

# A row of the form: all of it text.
Row = dict[str, str]


class Editor:
    """The rules as rows of a form: ``groups`` are pairs of logic and rows, ``enabled`` whether they count."""

    def __init__(self, groups: Sequence[tuple[str, list[Row]]], *, enabled: bool) -> None:
        self.groups = list(groups)
        self.enabled = enabled

    @classmethod
    def of(cls, rules: Mapping[str, Any] | None) -> Editor:
        """What there is, ready to be edited; one empty group where there is nothing."""
        groups = [
            (str(group.get("logic", "and")), [_row(rule) for rule in group.get("rules", ())])
            for group in (rules or {}).get("groups", ())
        ]
        return cls(groups or [("and", [])], enabled=bool((rules or {}).get("enabled", True)))

    @classmethod
    def posted(cls, data: Any) -> Editor:
        """What a form says, whatever is missing in it."""

        def all_of(name: str) -> list[str]:
            found = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
            return [writable(str(one))[: LONGEST_VALUE + 1] for one in found][: MOST_RULES + 1]

        logics = all_of("rule-logic")[: MOST_GROUPS + 1] or ["and"]
        groups: list[tuple[str, list[Row]]] = [(logic, []) for logic in logics]
        columns = (all_of(f"rule-{part}") for part in ("group", "field", "operator", "value"))
        for group, field, operator, value in zip(*columns, strict=False):
            at = int(group) if group.isascii() and group.isdigit() and len(group) < 4 else 0
            row = {"field": field, "operator": operator, "value": value}
            groups[min(at, len(groups) - 1)][1].append(row)
        return cls(groups, enabled=bool(data.get("rules-enabled")))

    def pressed(self, what: str) -> None:
        """Do what a button of the editor says; nonsense does nothing."""
        found = _PRESSED.fullmatch(what)
        if not found:
            return
        verb, at = found[1], int(found[2])
        if verb == "add-group" and len(self.groups) < MOST_GROUPS:
            self.groups.append(("and", []))
        elif verb == "add-rule" and at < len(self.groups):
            self.groups[at][1].append({"field": "", "operator": "equals", "value": ""})
        elif verb == "remove-group" and at < len(self.groups):
            del self.groups[at]
        elif verb == "remove-rule":
            self._remove(at)

    def _remove(self, at: int) -> None:
        """The rule of this number, counted through all groups."""
        for _, rows in self.groups:
            if at < len(rows):
                del rows[at]
                return
            at -= len(rows)

    def rules(self, seen: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What it stands for, empty rows left out; None for no rules. What was ``seen`` and not touched stays
        as it was, with what nobody here knows of it. Raises ValidationError."""
        known = [rule for group in (seen or {}).get("groups", ()) for rule in group.get("rules", ())]
        rows = [row for _, rows in self.groups for row in rows if row["field"]]
        if len(rows) > MOST_RULES or len(self.groups) > MOST_GROUPS:
            raise ValidationError(f"At most {MOST_GROUPS} groups and {MOST_RULES} rules.")
        problems, groups, number = [], [], 0
        for at, (logic, rows) in enumerate(self.groups):
            made = []
            for row in rows:
                number += 1
                try:
                    if row["value"] and not row["field"]:
                        raise ValidationError("Choose the field that it looks at, or remove it.")
                    made += [_rule(row, known)] if row["field"] else []
                except ValidationError as problem:
                    problems.append(f"Rule {number}: {' '.join(problem.messages)}")
            if made:
                groups.append({**_others(seen, at), "logic": _logic(logic, seen), "rules": made})
        if problems:
            raise ValidationError(problems)
        if known and not groups and any(rows for _, rows in self.groups):
            # A field that was set back to nothing by mistake would let every trace through.
            raise ValidationError(
                "Without a rule every trace passes. Remove the empty ones if that is meant."
            )
        more = {name: value for name, value in (seen or {}).items() if name not in {"enabled", "groups"}}
        return plain_rules({**more, "enabled": self.enabled, "groups": groups}) if groups else None

    def readable(self) -> dict[str, Any]:
        """The rules as far as they can be read out while somebody still types."""
        groups = [
            {"logic": logic, "rules": [_spoken(row) for row in rows if row["field"]]}
            for logic, rows in self.groups
        ]
        return {"enabled": self.enabled, "groups": groups}


class RulesWidget(forms.Widget):
    def value_from_datadict(self, data: Any, files: Any, name: str) -> Editor:
        return Editor.posted(data)


class RulesField(forms.Field):
    """``seen``: the rules when the form was opened."""

    widget = RulesWidget

    def __init__(self, *, seen: Mapping[str, Any] | None, **kwargs: Any) -> None:
        super().__init__(required=False, label="Filter rules", **kwargs)
        self.seen = seen

    def clean(self, value: Any) -> dict[str, Any] | None:
        return value.rules(self.seen) if isinstance(value, Editor) else None


def _row(rule: Mapping[str, Any]) -> Row:
    value = rule.get("value", "")
    return {
        "field": str(rule.get("field", "")),
        "operator": str(rule.get("operator", "")),
        "value": "" if value is None else str(value),
    }


def _spoken(row: Row) -> dict[str, Any]:
    return dict(row) if row["value"] else {name: row[name] for name in ("field", "operator")}


def _others(seen: Mapping[str, Any] | None, at: int) -> dict[str, Any]:
    groups = (seen or {}).get("groups", ())
    group = groups[at] if at < len(groups) else {}
    return {name: value for name, value in group.items() if name not in {"logic", "rules"}}


def _logic(logic: str, seen: Mapping[str, Any] | None) -> str:
    known = {str(group.get("logic")) for group in (seen or {}).get("groups", ())}
    if logic not in {"and", "or"} | known:
        raise ValidationError("Choose whether all or any of the rules must hold.")
    return logic


def _rule(row: Row, known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One rule, checked; one that was there stays as it is. Raises ValidationError."""
    for rule in known:
        if _row(rule) == row:
            return dict(rule)
    field, operator, value = row["field"], row["operator"], row["value"]
    if field not in FIELDS or operator not in OPERATORS:
        raise ValidationError("Choose a field and an operator of the lists.")
    found = {"field": field, "operator": operator}
    if operator in WITHOUT_VALUE:
        return found
    is_number = field in NUMBER_FIELDS
    if operator in NUMBER_OPERATORS and not is_number:
        raise ValidationError(f"“{OPERATORS[operator]}” compares numbers, and {FIELDS[field]} is text.")
    if operator in TEXT_OPERATORS and is_number:
        raise ValidationError(f"“{OPERATORS[operator]}” looks at text, and {FIELDS[field]} is a number.")
    read: Callable[[str], Any] = _number if is_number else _text
    return {**found, "value": read(value)}


def _text(value: str) -> str:
    if not value:
        raise ValidationError("Write what to compare with.")
    if len(value) > LONGEST_VALUE:
        raise ValidationError(f"At most {LONGEST_VALUE:,} characters.")
    return value


def _number(value: str) -> Decimal:
    try:
        number = Decimal(value.strip().removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise ValidationError("Write a number, such as 0.05 or 1000.") from None
    if not number.is_finite() or len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > 15:
        raise ValidationError("Write a number, such as 0.05 or 1000.")
    return number
