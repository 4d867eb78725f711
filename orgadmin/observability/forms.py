"""Forms of destinations: strings to settings, and every message about input."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin import fields
from orgadmin.access import TYPED_AGAIN
from orgadmin.audit.text import writable
from orgadmin.fields import SeenField, with_new_token
from orgadmin.inventory.destination_types import TYPES
from orgadmin.inventory.models import Destination
from orgadmin.observability.config_fields import JSON_FIELD, add_fields, config_of, json_config, json_field
from orgadmin.observability.drafts import DestinationEdit
from orgadmin.observability.rules_field import PRESS, Editor, RulesField
from orgadmin.observability.words import PRIVACY, REGIONS, SWITCHES, percent

LONGEST_NAME = 200
LEAST_PERCENT, MOST_PERCENT = Decimal("0.01"), Decimal(100)
MOST_KEYS = 1000
LOST = "Secrets that you typed are not sent back to a page: type them again."

# The keys of a workspace that a text names, by hash: one that fits exactly, or several to choose from.
Find = Callable[[str], Sequence[tuple[str, str]]]


class KeysField(forms.Field):
    """Hashes of keys, ticked as chips; what was typed beside them is looked up by the form."""

    widget = forms.SelectMultiple

    def clean(self, value: Any) -> list[str]:
        found = dict.fromkeys(writable(str(one)).strip() for one in value or ())
        if len(found) > MOST_KEYS:
            raise ValidationError(f"At most {MOST_KEYS:,} keys.")
        return [one for one in found if one]


def seen_text(values: Mapping[str, Any]) -> str:
    return fields.seen_text("destination", dict(values))


class DestinationForm(forms.Form):
    """All that can be said of a destination of a type. ``values`` is what there is (or the defaults),
    ``shown`` what the fields begin with, ``lacks`` what the server does not have, ``find`` looks keys up by
    what was typed and ``names`` maps hashes to names. Without ``is_new`` it is one that exists."""

    name = forms.CharField(
        max_length=LONGEST_NAME, error_messages={"required": "Give it a name, such as what it is for."}
    )
    enabled = forms.BooleanField(required=False, label="Enabled")
    scope = forms.ChoiceField(
        label="Traffic of",
        choices=[("all", "All keys of the workspace"), ("some", "Only these keys")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whose traffic is sent."},
    )
    api_key_hashes = KeysField(required=False, label="Only these keys")
    sampling = forms.DecimalField(
        min_value=LEAST_PERCENT,
        max_value=MOST_PERCENT,
        decimal_places=4,
        max_digits=8,
        label="Sampling rate",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="From 0.01 to 100. Requests of one session are sent all or none.",
        error_messages={
            "required": "Write how many of the traces are sent, such as 100.",
            "invalid": "Write a number, such as 25 or 0.5.",
            "min_value": "At least 0.01 %%. To send nothing, disable it.",
            "max_value": "At most 100 %%.",
        },
    )
    privacy_mode = forms.BooleanField(required=False, label="Privacy mode", help_text=PRIVACY)
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeenField("destination")

    def __init__(
        self,
        data: Any = None,
        *,
        kind: str,
        values: Mapping[str, Any],
        lacks: Sequence[str],
        is_new: bool,
        find: Find,
        names: Mapping[str, str],
        shown: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind, self.values, self.is_new, self.find = kind, values, is_new, find
        self.known_names = dict(names)
        self.shown = values if shown is None else shown
        self.candidates: list[tuple[str, str]] = []
        self.config: dict[str, Any] = {}
        self.pressed: Editor | None = None
        self.lacks = lacks
        super().__init__(data, initial=self._initial())
        self._add_fields()

    def _initial(self) -> dict[str, Any]:
        shown = self.shown
        return {
            "name": shown.get("name") or "",
            "enabled": shown.get("enabled", True),
            "scope": "some" if shown.get("api_key_hashes") else "all",
            "api_key_hashes": shown.get("api_key_hashes") or [],
            "sampling": drawn_rate(shown.get("sampling_rate", 1)),
            "privacy_mode": shown.get("privacy_mode", False),
            "filter_rules": Editor.of(shown.get("filter_rules")),
            "seen": "" if self.is_new else seen_text(self.values),
            "form_token": uuid.uuid4(),
            **{name: bool(shown.get(name)) for name in SWITCHES},
            "regions": ["global"],
        }

    def _add_fields(self) -> None:
        config = self.values.get("config") or {}
        if self.kind in TYPES:
            shown = self.shown.get("config") or config
            add_fields(self, TYPES[self.kind], config, is_new=self.is_new, shown=shown)
        else:
            self.fields[JSON_FIELD] = json_field(config)
        for name, (label, meaning) in SWITCHES.items():
            if name not in self.lacks:
                self.fields[name] = forms.BooleanField(required=False, label=label, help_text=meaning)
        if "filter_rules" not in self.lacks or self.is_new:
            self.fields["filter_rules"] = RulesField(seen=self.values.get("filter_rules"))
        if self.is_new and "regions" not in self.lacks:
            self.fields["regions"] = forms.MultipleChoiceField(
                label="Regions",
                choices=list(REGIONS.items()),
                widget=forms.CheckboxSelectMultiple,
                help_text="Which traffic it serves. This is said once and cannot be changed.",
                error_messages={"required": "Choose at least one region."},
            )
        del self.fields["seen" if self.is_new else "form_token"]

    @property
    def is_only_edited(self) -> bool:
        """Whether a button of the rules' editor was pressed: nothing is to be saved yet."""
        return self.is_bound and bool(self.data.get(PRESS))

    def press(self) -> None:
        """Do what the button says; the form is drawn again as it is, without what must be typed again."""
        editor = Editor.posted(self.data)
        editor.pressed(str(self.data.get(PRESS)))
        self.pressed = editor

    @property
    def editor(self) -> Editor:
        """The rules as they are drawn."""
        if self.pressed is not None:
            return self.pressed
        return Editor.posted(self.data) if self.is_bound else self.initial["filter_rules"]

    @property
    def chips(self) -> list[tuple[str, str]]:
        """The keys that are ticked, with their names."""
        ticked: Any = self["api_key_hashes"].value() or []
        return [(one, self.known_names.get(one, one)) for one in dict.fromkeys(map(str, ticked))]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        self._clean_keys(cleaned)
        if any(name.startswith(TYPED_AGAIN) and name not in self.data for name in self.fields):
            # The proof of identity came between, and carries no secrets along: an empty field would keep what
            # is there although somebody typed another.
            self.add_error(None, f"{LOST} Leave them empty to keep what is there.")
        config = self.values.get("config") or {}
        if self.kind in TYPES:
            self.config = config_of(self, TYPES[self.kind], config)
        elif JSON_FIELD in cleaned:
            try:
                self.config = json_config(cleaned[JSON_FIELD], config)
            except ValidationError as problem:
                self.add_error(JSON_FIELD, problem)
        return cleaned

    def _clean_keys(self, cleaned: dict[str, Any]) -> None:
        typed = writable(str(self.data.get("add-api_key_hashes", ""))).strip()[:LONGEST_NAME]
        chosen = cleaned.get("api_key_hashes") or []
        if typed:
            found = self.find(typed)
            exact = [one for one in found if typed in one] or (found if len(found) == 1 else [])
            if len(exact) != 1:
                self.candidates = list(found)
                words = (
                    "could be several keys: tick which, then save again"
                    if found
                    else "is no key of this workspace"
                )
                self.add_error("api_key_hashes", f"“{typed}” {words}.")
            else:
                self.known_names |= dict(exact)
                chosen = list(dict.fromkeys([*chosen, exact[0][0]]))
        strangers = [one for one in chosen if one not in self.known_names and one not in self._was_named()]
        if strangers:
            self.add_error("api_key_hashes", f"{len(strangers)} of these are no keys of this workspace.")
        if cleaned.get("scope") == "all":
            if set(chosen) - self._was_named():
                self.add_error("scope", "You picked keys, and chose the traffic of all keys. Which is meant?")
            chosen = []
        elif cleaned.get("scope") == "some" and not chosen and not self.candidates:
            self.add_error(
                "api_key_hashes",
                "Choose at least one key. Without any, OpenRouter would send the traffic of all of them.",
            )
        cleaned["api_key_hashes"] = chosen or None

    def _was_named(self) -> set[str]:
        """Keys that the list names already, gone ones included: they may stay."""
        return set(self.values.get("api_key_hashes") or ())

    def wanted(self) -> dict[str, Any]:
        """The settings that the form describes besides the config; only after ``is_valid()``."""
        cleaned = self.cleaned_data
        found = {
            "name": cleaned["name"],
            "enabled": cleaned["enabled"],
            "api_key_hashes": sorted(cleaned["api_key_hashes"]) if cleaned["api_key_hashes"] else None,
            "privacy_mode": cleaned["privacy_mode"],
            "sampling_rate": self._sampling(),
        }
        named = (*SWITCHES, "filter_rules", "regions")
        return {**found, **{name: cleaned[name] for name in named if name in self.fields}}

    def _sampling(self) -> float:
        """As a share of 1. One of more digits than the field shows stays as it was unless it was touched."""
        now = self.values.get("sampling_rate")
        typed: Decimal = self.cleaned_data["sampling"]
        is_as_shown = now is not None and typed == Decimal(drawn_rate(now))
        return float(now) if now is not None and is_as_shown else float(typed / 100)

    def draft(self) -> dict[str, Any]:
        """Of a new one: what is not OpenRouter's default."""
        defaults = {
            "enabled": True, "api_key_hashes": None, "privacy_mode": False, "sampling_rate": 1.0,
            "filter_rules": None, "regions": ["global"], **dict.fromkeys(SWITCHES, False),
        }  # fmt: skip
        return {name: value for name, value in self.wanted().items() if defaults.get(name, ...) != value}

    def edit(self) -> DestinationEdit:
        return DestinationEdit(seen=self.values, wanted=self.wanted(), config=self.config)

    def renew_token(self) -> None:
        """A refused create may be sent again."""
        self.data = with_new_token(self.data)


def drawn_rate(rate: float) -> str:
    """A share of 1 as the field takes it: per cent, of four decimals at most."""
    return percent(round(Decimal(str(rate)), 6))


def lacking(known: Destination | None) -> list[str]:
    """What the server does not have, judged by a destination that it sent. Where there is none everything is
    offered: regions cannot be said later, and what is left at its default is not sent."""
    return [] if known is None else list(known.lacks)


def confirmation_word(destination: Destination) -> str:
    """What to type before it is deleted: its name where that can be typed, else its id."""
    name = " ".join(str(destination).split())
    return name if name.isprintable() and name else destination.uid
