"""Forms of guardrails: strings to rules, and every message about input."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from orgadmin import fields
from orgadmin.audit.text import writable
from orgadmin.fields import Picks, PicksField, SeenField, with_new_token
from orgadmin.guardrails import patterns, pickers
from orgadmin.guardrails.drafts import OPTIONAL, GuardrailEdit, canonical
from orgadmin.guardrails.words import ACTIONS, BUILTINS, LISTS, SWITCHES
from orgadmin.inventory.guardrail_nouns import RULES
from orgadmin.inventory.models import Guardrail
from orgadmin.inventory.windows import RESETS

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_LABEL = 200, 1000, 100
MOST_FILTERS = 200
HIGHEST_LIMIT = Decimal(1_000_000_000)
REGIONS = (("global", "Global"), ("europe", "Europe"), ("us", "United States"))
INJECTION = "regex-prompt-injection"
_THREE_WAYS = {"": None, "on": True, "off": False}


class CustomFilters(forms.Widget):
    """Rows of pattern, action and label, each posted under one name; a row without a pattern is none."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        columns = [
            data.getlist(f"{name}-{part}") if hasattr(data, "getlist") else []
            for part in ("pattern", "action", "label")
        ]
        rows = [
            dict(zip(("pattern", "action", "label"), (*row, "", "", ""), strict=False))
            for row in zip(*columns, strict=False)
        ]
        return [row for row in rows if row["pattern"]]


class CustomFiltersField(forms.Field):
    widget = CustomFilters

    def clean(self, value: Any) -> list[dict[str, Any]] | None:
        if len(value) > MOST_FILTERS:
            raise ValidationError(f"At most {MOST_FILTERS} filters.")
        return [self._one(number, row) for number, row in enumerate(value, 1)] or None

    def _one(self, number: int, row: Mapping[str, str]) -> dict[str, Any]:
        pattern, label = writable(row["pattern"]), writable(row["label"]).strip()
        if row["action"] not in ACTIONS:
            raise ValidationError(f"Filter {number}: choose what happens to what it finds.")
        if len(label) > LONGEST_LABEL:
            raise ValidationError(f"Filter {number}: a label has at most {LONGEST_LABEL} characters.")
        return {"pattern": pattern, "action": row["action"], "label": label or None}


def actions_for(slug: str, now: str = "") -> list[tuple[str, str]]:
    """The actions on offer for a builtin filter, and the one it has."""
    offered = ["redact", "block", "flag"] if slug == INJECTION else ["redact", "block"]
    if now and now not in offered:
        offered.append(now)
    return [("", "Off"), *((action, action.capitalize()) for action in offered)]


def seen_text(values: Mapping[str, Any]) -> str:
    limit = values.get("limit_usd")
    return fields.seen_text("guardrail", {**values, "limit_usd": None if limit is None else str(limit)})


class GuardrailForm(forms.Form):
    """All rules of a guardrail. ``lacks`` are the rules that the server does not have; with ``workspaces`` it
    is a new one; the name of a default guardrail is fixed."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        error_messages={"required": "Give the guardrail a name, such as whom it is for."},
    )
    description = forms.CharField(max_length=LONGEST_DESCRIPTION, required=False)
    limit_usd = forms.DecimalField(
        required=False,
        label="Budget",
        max_value=HIGHEST_LIMIT,
        decimal_places=6,
        max_digits=16,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="Of each key and each member that holds it, never shared. Empty: no budget.",
        error_messages={"invalid": "Write an amount in US dollars, such as 25 or 12.50."},
    )
    reset_interval = forms.ChoiceField(
        required=False,
        label="Budget resets",
        choices=[("", "No budget"), *((key, f"Every {unit}") for key, unit in RESETS.items())],
        help_text="At 00:00 UTC; weeks begin on Monday, months on the 1st.",
    )
    include_byok_in_budgets = forms.BooleanField(required=False, label="Count BYOK spend against the budget")
    content_filters = CustomFiltersField(required=False, label="Custom filters")
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeenField("guardrail")

    def __init__(
        self,
        data: Any = None,
        *,
        values: Mapping[str, Any],
        lacks: Sequence[str],
        workspaces: Sequence[tuple[str, str]] | None = None,
        shown: Mapping[str, Any] | None = None,
        is_default: bool = False,
        known: Callable[[str], Sequence[str]] = lambda noun: (),
    ) -> None:
        self.shown = values if shown is None else shown
        initial = {**self.shown, "seen": seen_text(values), "form_token": uuid.uuid4()}
        super().__init__(data, initial=initial)
        self.values, self.known = values, known
        self.builtins: dict[str, Mapping[str, Any]] = {
            one["slug"]: one for one in self.shown.get("content_filter_builtins") or ()
        }
        self._add_fields()
        if workspaces is not None:
            self.fields["workspace"] = forms.ChoiceField(
                choices=workspaces,
                help_text="Where it is filed. Filing does not apply it: keys and members hold it.",
                error_messages={"invalid_choice": "Choose one of the workspaces in the list."},
            )
            del self.fields["seen"]
        else:
            del self.fields["form_token"]
        for name in (*lacks, *(("name",) if is_default else ())):
            self.fields.pop(name, None)

    def _add_fields(self) -> None:
        for name, (label, meaning) in LISTS.items():
            is_region = name == "allowed_data_regions"
            self.fields[name] = PicksField(
                required=False,
                label=label,
                help_text=f"{meaning} Empty: no restriction; taking out the last one removes the rule.",
                widget=forms.CheckboxSelectMultiple(choices=REGIONS) if is_region else Picks(),
            )
        for name, (label, meaning) in SWITCHES.items():
            self.fields[name] = forms.ChoiceField(
                required=False,
                label=label,
                help_text=meaning,
                choices=[("", "Inherit"), ("on", "On"), ("off", "Off")],
            )
            self.initial[name] = {True: "on", False: "off"}.get(self.shown.get(name), "")  # type: ignore[arg-type]
        for slug in [*BUILTINS, *(slug for slug in self.builtins if slug not in BUILTINS)]:
            now = self.builtins.get(slug, {}).get("action", "")
            label, meaning = BUILTINS.get(slug, (slug, "A filter of OpenRouter's own."))
            self.fields[f"builtin-{slug}"] = forms.ChoiceField(
                required=False, label=label, help_text=meaning, choices=actions_for(slug, now), initial=now
            )
        scope = self.builtins.get(INJECTION, {}).get("scan_scope") or ""
        self.fields["scan_scope"] = forms.ChoiceField(
            required=False,
            label="Prompt injection looks at",
            initial=scope,
            choices=[
                ("", "All messages (OpenRouter's default)"),
                ("all_messages", "All messages"),
                ("user_only", "The user's messages"),
            ],
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        limit = cleaned.get("limit_usd")
        if limit is not None and limit <= 0:
            self.add_error("limit_usd", "A budget is an amount above zero. Leave it empty for none.")
        if "limit_usd" in cleaned and (limit is None) != (not cleaned.get("reset_interval")):
            self.add_error(
                "reset_interval", "An amount and how often it resets belong together: set both or neither."
            )
        self._expand_wildcards(cleaned)
        known = {one["pattern"] for one in self.values.get("content_filters") or ()}
        for number, one in enumerate(cleaned.get("content_filters") or (), 1):
            problem = "" if one["pattern"] in known else patterns.problem(one["pattern"])
            if problem:
                self.add_error("content_filters", f"Filter {number}: {problem}")
        return cleaned

    def _expand_wildcards(self, cleaned: Mapping[str, Any]) -> None:
        """Show what a wildcard stands for before it is sent: OpenRouter knows none."""
        for noun, names in pickers.LISTS.items():
            for name in names:
                listed = cleaned.get(name) or []
                if wildcards := [one for one in listed if "*" in one]:
                    self._expand(name, listed, wildcards, self.known(noun))

    def _expand(
        self, name: str, listed: Sequence[str], wildcards: Sequence[str], known: Sequence[str]
    ) -> None:
        found = [one for wildcard in wildcards for one in pickers.expand(wildcard, known)]
        plain = [one for one in listed if one not in wildcards]
        data = QueryDict(mutable=True)
        data.update(self.data)
        data.setlist(name, list(dict.fromkeys([*plain, *found])))
        data[f"add-{name}"] = ""
        self.data = data
        words = ", ".join(f"“{one[:60]}”" for one in wildcards)
        what = (
            f"stands for {len(found)} that we know, now listed" if found else "stands for none that we know"
        )
        self.add_error(name, f"{words} {what}. Look at the list and save again.")

    def wanted(self) -> dict[str, Any]:
        """The rules that the form describes, those it does not show left out; only after ``is_valid()``."""
        cleaned = self.cleaned_data
        found = {name: cleaned[name] for name in RULES if name in self.fields}
        for name in SWITCHES.keys() & found.keys():
            found[name] = _THREE_WAYS[found[name]]
        found["description"] = found["description"] or None
        found["reset_interval"] = found["reset_interval"] or None
        found["content_filter_builtins"] = self._builtins() or None
        olds = {one["pattern"]: one for one in self.values.get("content_filters") or ()}
        if found["content_filters"]:
            found["content_filters"] = [
                {**olds.get(one["pattern"], {}), **one} for one in found["content_filters"]
            ]
        return found

    def _builtins(self) -> list[dict[str, Any]]:
        found = []
        for name, action in self.cleaned_data.items():
            if name.startswith("builtin-") and action:
                slug = name.removeprefix("builtin-")
                old = {key: value for key, value in self.builtins.get(slug, {}).items() if key != "label"}
                scope = self.cleaned_data["scan_scope"] if slug == INJECTION else ""
                found.append(
                    {**old, "slug": slug, "action": action, **({"scan_scope": scope} if scope else {})}
                )
        return found

    def renew_token(self) -> None:
        """A refused create may be sent again."""
        self.data = with_new_token(self.data)

    def draft(self) -> dict[str, Any]:
        """Of a new guardrail: only what says something."""
        return {
            name: value
            for name, value in self.wanted().items()
            if canonical(name, value) not in (None, False) or (name in SWITCHES and value is False)
        }

    def edit(self) -> GuardrailEdit:
        return GuardrailEdit(seen=self.values, wanted=self.wanted())


def lacking(known: Guardrail | None) -> list[str]:
    """What the server does not have, judged by a guardrail that it sent."""
    return list(OPTIONAL) if known is None else list(known.lacks)


def confirmation_word(guardrail: Guardrail) -> str:
    """What to type before it is deleted: its name where that can be typed, else its id."""
    name = " ".join(guardrail.name.split())
    return name if name.isprintable() and name else guardrail.uid
