"""The fields of a destination's config, made from the table of types, and what they say to send.

A secret is typed and never comes back: its field is empty whenever a page is drawn, with the mask as its
placeholder, and is left out of what is sent while it stays empty (FACTS 3.11, trap 34). Headers are replaced
whole or not at all (trap 35).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin.audit.text import in_every_text, writable
from orgadmin.inventory.destination_config import is_mask
from orgadmin.inventory.destination_types import HEADERS, DestinationType, Setting
from orgadmin.openrouter.secret import Secret

HEADERS_FIELD, NO_HEADERS, JSON_FIELD = "secret-headers", "removes-headers", "secret-config"
MOST_HEADERS, LONGEST_TEXT, LONGEST_JSON = 50, 20_000, 50_000
A_MASK = "This is (or holds) a mask, not the secret itself. Type the whole secret, or leave it empty."
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")


class SecretInput(forms.PasswordInput):
    """A field of a secret: what was typed is never drawn again."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        still = {"autocomplete": "new-password", "spellcheck": "false"}
        super().__init__(attrs={**still, **(attrs or {})}, render_value=False)


class SecretTextarea(forms.Textarea):
    """The same for several lines."""

    shown = ""

    def format_value(self, value: Any) -> str:
        return self.shown


def field_of(setting: Setting, now: Any, *, is_new: bool) -> forms.Field:
    """The field of one setting; ``now`` is what there is, a mask for a secret."""
    needs_it = setting.required and is_new
    words: dict[str, Any] = {"label": setting.label, "required": needs_it}
    errors = {"required": f"{setting.label} is needed."}
    if setting.choices:
        pairs = [(one, one) for one in setting.choices]
        if now and now not in setting.choices:
            pairs.append((str(now), str(now)))
        return forms.ChoiceField(
            **{**words, "required": True},
            choices=pairs,
            initial=now or setting.default,
            help_text=setting.help,
        )
    attrs = {"placeholder": str(now) if setting.is_write_only and now else setting.example}
    widget: forms.Widget = SecretInput(attrs) if setting.is_write_only else forms.TextInput(attrs)
    return forms.CharField(
        **words,
        max_length=setting.longest,
        widget=widget,
        help_text=_help(setting, now, is_new=is_new),
        error_messages=errors,
        initial="" if setting.is_write_only else (setting.default if now is None else now),
    )


def _help(setting: Setting, now: Any, *, is_new: bool) -> str:
    words = setting.help
    if setting.is_write_only and not is_new:
        words = f"{words} {'Leave it empty to keep what is there.' if now else 'None is set.'}"
    if setting.default:
        words = f"{words} OpenRouter's default: {setting.default}"
    return words.strip()


def name_of(setting: Setting) -> str:
    return f"secret-{setting.name}" if setting.is_write_only else f"setting-{setting.name}"


def add_fields(
    form: forms.Form,
    kind: DestinationType,
    config: Mapping[str, Any],
    *,
    is_new: bool,
    shown: Mapping[str, Any],
) -> None:
    """A field for each setting of the type, then those of the headers. What is no secret is drawn as it is
    ``shown``."""
    for setting in kind.settings:
        form.fields[name_of(setting)] = field_of(setting, config.get(setting.name), is_new=is_new)
        if not setting.is_write_only and shown.get(setting.name) is not None:
            form.fields[name_of(setting)].initial = shown[setting.name]
    now = config.get(HEADERS) or {}
    form.fields[HEADERS_FIELD] = forms.CharField(
        required=False,
        label="Headers" if not now else "Headers in place of those",
        max_length=LONGEST_TEXT,
        widget=SecretTextarea({"rows": 3, "spellcheck": "false", "autocomplete": "off",
                               "placeholder": "Authorization: Bearer …"}),
        help_text=_headers_help(now),
    )  # fmt: skip
    if now:
        form.fields[NO_HEADERS] = forms.BooleanField(required=False, label="Send no headers any more")


def _headers_help(now: Any) -> str:
    if not now:
        return "One a line, sent with every trace. They count as secrets: only masks are shown afterwards."
    said = (
        ", ".join(f"{name}: {mask}" for name, mask in now.items()) if isinstance(now, Mapping) else str(now)
    )
    return (
        f"Set now: {said}. Leave it empty to keep them. What you write takes the place of all of them, so "
        "write every header whole, one a line."
    )


def config_of(form: Any, kind: DestinationType, config: Mapping[str, Any]) -> dict[str, Any]:
    """What to send: settings that differ from ``config`` and secrets that were typed. Adds errors to the form
    for what cannot be sent."""
    found: dict[str, Any] = {}
    for setting in kind.settings:
        name = name_of(setting)
        if name not in form.cleaned_data:
            continue
        typed = writable(form.cleaned_data[name]).strip()
        try:
            found |= _said(setting, typed, config.get(setting.name))
        except ValidationError as problem:
            form.add_error(name, problem)
    try:
        found |= _headers(form.cleaned_data, config)
    except ValidationError as problem:
        form.add_error(HEADERS_FIELD, problem)
    return found


def _said(setting: Setting, typed: str, now: Any) -> dict[str, Any]:
    """The one setting, or nothing where it stays as it is. Raises ValidationError."""
    if setting.is_write_only:
        if not typed:
            return {}
        if is_mask(typed):
            raise ValidationError(A_MASK)
        _check(setting, typed)
        return {setting.name: Secret(typed)}
    wanted = typed or setting.default
    if wanted == (now if now is not None else setting.default):
        return {}
    if setting.required and not wanted:
        raise ValidationError(f"{setting.label} is needed.")
    if is_mask(wanted):
        raise ValidationError(
            "A part of this address is masked. Write the whole address, or leave it as it is."
        )
    if wanted:
        _check(setting, wanted)
    return {setting.name: wanted}


def _check(setting: Setting, text: str) -> None:
    if setting.pattern and not re.fullmatch(setting.pattern, text):
        like = f", such as {setting.example}" if setting.example else ""
        raise ValidationError(f"This does not look right: {setting.label} is written{like or ' otherwise'}.")


def _headers(cleaned: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    lines = [line.strip() for line in writable(cleaned.get(HEADERS_FIELD, "")).splitlines() if line.strip()]
    if cleaned.get(NO_HEADERS):
        if lines:
            raise ValidationError("Either write headers or send none any more.")
        return {HEADERS: {}} if config.get(HEADERS) else {}
    if not lines:
        return {}
    found: dict[str, Secret] = {}
    for number, line in enumerate(lines[: MOST_HEADERS + 1], 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not _HEADER_NAME.fullmatch(name) or not value:
            raise ValidationError(f"Line {number} is no header: write a name, a colon and its value.")
        if is_mask(value):
            raise ValidationError(f"Line {number}: {A_MASK}")
        found[name] = Secret(value)
    if len(found) > MOST_HEADERS:
        raise ValidationError(f"At most {MOST_HEADERS} headers.")
    return {HEADERS: found}


# --- a type that nobody here knows ---


def json_field(config: Mapping[str, Any]) -> forms.Field:
    widget = SecretTextarea({"rows": 12, "spellcheck": "false", "autocomplete": "off", "class": "mono"})
    widget.shown = json.dumps(config, indent=2, ensure_ascii=False)
    return forms.CharField(
        required=False,
        label="Settings",
        max_length=LONGEST_JSON,
        widget=widget,
        help_text=(
            "JSON. Only keys that you change are sent, each whole; a mask is never sent back. A key that you "
            "take out stays as it is at OpenRouter."
        ),
    )


def json_config(text: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys whose value is not what it was, every text in them as a secret. Raises ValidationError."""
    try:
        found = json.loads(text or "{}", parse_constant=_refuse, parse_float=_fraction)
    except (ValueError, RecursionError):
        raise ValidationError(
            "This is not JSON. What you typed is not shown again, because it may hold secrets."
        ) from None
    if not isinstance(found, dict):
        raise ValidationError("Write an object: {…}.")
    found = in_every_text(found, writable)
    changed = {name: value for name, value in found.items() if name not in config or config[name] != value}
    for name, value in changed.items():
        if _holds_mask(value):
            raise ValidationError(f"“{name[:80]}” holds a mask: write its whole value, or leave it as it is.")
    return {name: _as_secrets(value) for name, value in changed.items()}


def _fraction(text: str) -> float:
    """Raises ValueError for one that is too large for any number of JSON's."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _holds_mask(value: Any) -> bool:
    if isinstance(value, str):
        return is_mask(value)
    if isinstance(value, Mapping):
        return any(_holds_mask(one) for one in value.values())
    return isinstance(value, list) and any(_holds_mask(one) for one in value)


def _as_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, Mapping):
        return {name: _as_secrets(one) for name, one in value.items()}
    return [_as_secrets(one) for one in value] if isinstance(value, list) else value
