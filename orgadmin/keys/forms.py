"""Forms of keys: strings in, one frozen draft out, and every message about input."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from orgadmin.audit.text import writable
from orgadmin.fields import DollarsField
from orgadmin.inventory.models import Key
from orgadmin.inventory.windows import RESETS
from orgadmin.keys.drafts import EDITABLE, KeyDraft, KeyEdit

# OpenRouter states no longest name; this is what a list can still show.
LONGEST_NAME = 200
RESET_CHOICES = [
    ("", "Never: a cap for the key's lifetime"),
    *((key, f"Every {unit}") for key, unit in RESETS.items()),
]
# In the form of many keys: each keeps its window, or its limit is for its lifetime.
OWN_WINDOW, LIFETIME = "own", "lifetime"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class NameField(forms.CharField):
    """A key's name: one printable line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=LONGEST_NAME,
            error_messages={"required": "Give the key a name, such as the service that will use it."},
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        name: str = super().clean(value)
        if _UNPRINTABLE.search(name):
            raise ValidationError("The name holds characters that cannot be seen, such as a line break.")
        return name


class LimitField(DollarsField):
    """US dollars, zero or more; empty = unlimited."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            min_value=Decimal(0),
            error_messages={
                "min_value": "A limit cannot be negative. Leave it empty for no limit.",
                "max_value": "That is more than a billion dollars. Leave it empty for no limit.",
            },
            **kwargs,
        )


class ExpiryField(forms.CharField):
    """A moment in UTC, minutes or seconds precise, in the future; empty = never."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}), **kwargs
        )

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text.replace(" ", "T").removesuffix("Z"))
        except ValueError:
            raise ValidationError("Write a date and time, such as 2027-03-31 18:00.") from None
        if moment.tzinfo is not None:
            raise ValidationError("Write the time in UTC, without another zone.")
        moment = moment.replace(tzinfo=UTC, microsecond=0)
        if moment <= timezone.now():
            raise ValidationError("This moment is already past. OpenRouter would make a dead key.")
        return moment

    def prepare_value(self, value: Any) -> Any:
        return value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value


class _LimitRules(forms.Form):
    """The two fields that belong together, in every form that sets a limit."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        resets = cleaned.get("limit_reset") not in {None, "", OWN_WINDOW, LIFETIME}
        if resets and "limit" in cleaned and cleaned["limit"] is None:
            self.add_error("limit_reset", "Only a limit can reset: set a limit too, or choose “Never”.")
        return cleaned


class KeyForm(_LimitRules):
    """A new key, or the successor of one."""

    name = NameField()
    workspace = forms.ChoiceField(
        error_messages={"invalid_choice": "Choose one of the workspaces in the list."},
        help_text="A key spends in one workspace, whose guardrails and budgets apply to it.",
    )
    creator = forms.ChoiceField(
        required=False,
        label="Owner",
        error_messages={"invalid_choice": "Choose one of the members in the list."},
        help_text="Usage is attributed to the owner, whose guardrail applies too. A workspace key has none.",
    )
    limit = LimitField(help_text="Empty: the key can spend all the credits there are.")
    limit_reset = forms.ChoiceField(
        choices=RESET_CHOICES,
        required=False,
        label="Limit resets",
        error_messages={"invalid_choice": "Choose one of the windows in the list."},
        help_text="At 00:00 UTC; weeks begin on Monday, months on the 1st.",
    )
    include_byok_in_limit = forms.BooleanField(
        required=False,
        label="Count BYOK spend against the limit",
        help_text="Without this, what is paid to a provider with your own credentials is not limited.",
    )
    expires_at = ExpiryField(
        label="Expires", help_text="Empty: never. OpenRouter cannot change this later; a rotation can."
    )
    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        workspaces: Sequence[tuple[str, str]],
        owners: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self.fields["workspace"].choices = workspaces  # type: ignore[attr-defined]
        self.fields["creator"].choices = owners  # type: ignore[attr-defined]
        # Where "no owner" is not on offer, leaving it out is no way around it.
        self.fields["creator"].required = all(uid for uid, _ in owners)

    def draft(self) -> KeyDraft:
        """The key that the form describes; only after ``is_valid()``."""
        values = self.cleaned_data
        return KeyDraft(
            name=values["name"],
            workspace_uid=values["workspace"],
            limit=values["limit"],
            limit_reset=values["limit_reset"] or None,
            include_byok_in_limit=values["include_byok_in_limit"],
            expires_at=values["expires_at"],
            creator_user_id=values["creator"] or None,
        )


class SeenField(forms.CharField):
    """The editable settings as JSON, and back in the types of the fields."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            seen = json.loads(super().clean(value))
            limit = None if seen["limit"] is None else Decimal(str(seen["limit"]))
            if set(seen) != set(EDITABLE) or not _are_settings(seen):
                raise ValueError("These are not the settings of a key.")
            if limit is not None and not limit.is_finite():
                raise ValueError("This is not an amount of money.")
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError):
            raise ValidationError("Open the form again: it has lost track of what the key was.") from None
        return {**seen, "limit": limit}

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value


def _are_settings(seen: Mapping[str, Any]) -> bool:
    """Whether text is text, as our own rows can hold it, and a switch is a switch."""
    texts = [seen["name"], seen["limit_reset"] or ""]
    return isinstance(seen["include_byok_in_limit"], bool) and all(
        isinstance(text, str) and text == writable(text) for text in texts
    )


class _KeptField(forms.Field):
    """A field that the editor did not touch: it looks as before and gives back what the key has, even where
    we would not take that from a person. OpenRouter knows longer names and finer limits than we offer."""

    def __init__(self, field: forms.Field, value: Any) -> None:
        super().__init__(
            required=field.required, label=field.label, help_text=field.help_text, widget=field.widget
        )
        self.value = value

    def clean(self, value: Any) -> Any:
        return self.value


class KeyEditForm(_LimitRules):
    """What OpenRouter lets one change of a key. ``seen`` carries what the editor saw when it was opened; a
    field that comes back as it was shown then is left alone, and not judged."""

    name = NameField()
    limit = KeyForm.base_fields["limit"]
    limit_reset = KeyForm.base_fields["limit_reset"]
    include_byok_in_limit = KeyForm.base_fields["include_byok_in_limit"]
    # Shown only when the limit would stop the key.
    blocks_anyway = forms.BooleanField(required=False, label="Stop the key and save")
    seen = SeenField()

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._untouched: frozenset[str] = frozenset()
        if data is None:
            self._offer(self.initial.get("limit_reset"))
            return
        try:
            seen = self.fields["seen"].clean(data.get("seen", ""))
        except ValidationError:
            return
        self._offer(seen["limit_reset"])
        self._untouched = frozenset(
            name for name in EDITABLE if posted(seen[name]) == _in_one_line(data.get(name, ""))
        )
        for name in self._untouched:
            self.fields[name] = _KeptField(self.fields[name], seen[name])

    def _offer(self, reset: str | None) -> None:
        """Let a window that OpenRouter has and we do not know stay as it is."""
        if reset and reset not in RESETS:
            self.fields["limit_reset"].choices = [*RESET_CHOICES, (reset, reset)]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, key: Key) -> KeyEditForm:
        """The form as it opens on a key."""
        return cls(initial={**_values_of(key), "seen": seen_values(_values_of(key))})

    def clean(self) -> dict[str, Any]:
        if {"limit", "limit_reset"} <= self._untouched:
            return self.cleaned_data
        return super().clean()

    def edit(self) -> KeyEdit:
        """What was seen and what is wanted; only after ``is_valid()``."""
        values = self.cleaned_data
        wanted = {name: values[name] for name in EDITABLE} | {"limit_reset": values["limit_reset"] or None}
        return KeyEdit(seen=values["seen"], wanted=wanted)

    def refuse_to_block(self) -> None:
        """Ask for the tick: the key has spent this much already."""
        self.add_error("blocks_anyway", "The key has spent this much already and would stop working at once.")


def posted(value: Any) -> str:
    """What a browser sends back of an editable value that nobody touched."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else _in_one_line(str(value))


def _in_one_line(text: str) -> str:
    """The text as an input of one line holds it."""
    return text.replace("\r", "").replace("\n", "")


def _values_of(key: Key) -> dict[str, Any]:
    return {name: getattr(key, name) for name in EDITABLE}


def seen_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Editable values as JSON can carry them exactly: money as text."""
    limit = values["limit"]
    return {**{name: values[name] for name in EDITABLE}, "limit": None if limit is None else str(limit)}


def seen_text(values: Mapping[str, Any]) -> str:
    return json.dumps(seen_values(values))


class LimitForm(_LimitRules):
    """A limit for many keys. ``blocks_anyway`` is shown only when the limit would stop some of them."""

    limit = LimitField(help_text="The same for each of them.")
    limit_reset = forms.ChoiceField(
        # Left out or empty, it is what changes least.
        choices=[("", "Keep each key's own"), (LIFETIME, RESET_CHOICES[0][1]), *RESET_CHOICES[1:]],
        required=False,
        label="Limit resets",
        error_messages={"invalid_choice": "Choose one of the windows in the list."},
        help_text="A key without a limit has no window of its own: there it is a cap for the lifetime.",
    )
    remove = forms.BooleanField(
        required=False,
        label="Remove the limit instead",
        help_text="Each of these keys could then spend all the credits there are.",
    )
    blocks_anyway = forms.BooleanField(required=False, label="Stop them and set it")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "limit" in cleaned and cleaned["limit"] is None and not cleaned["remove"]:
            self.add_error("limit", "Write an amount, or choose to remove the limit.")
        if cleaned.get("limit") is not None and cleaned["remove"]:
            self.add_error("remove", "Either an amount or no limit: clear one of the two.")
        return cleaned

    def wanted(self) -> tuple[Decimal | None, str | None]:
        """The limit, and its window: None for the lifetime's, OWN_WINDOW; only after ``is_valid()``."""
        limit, window = self.cleaned_data["limit"], self.cleaned_data["limit_reset"]
        if limit is None or window == LIFETIME:
            return limit, None
        return limit, window or OWN_WINDOW

    def refuse_to_block(self, number: int) -> None:
        """Ask for the tick: ``number`` of the keys have spent this much already."""
        self.add_error(
            "blocks_anyway",
            f"{number:,} of these keys have spent this much already and would stop working at once.",
        )


def confirmation_word(key: Key) -> str:
    """What to type before the key is deleted: its name, or its label where nobody could type the name."""
    name = " ".join(key.name.split())
    return name if name and len(name) <= LONGEST_NAME and not _UNPRINTABLE.search(name) else key.label
