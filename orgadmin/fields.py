"""Fields that forms of several slices have."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from orgadmin.audit.text import writable

# Far above any real cap, far below what a column of nano-dollars holds.
HIGHEST = Decimal(1_000_000_000)
LONGEST_WORD = 250
LONGEST_PICK, MOST_LISTED = 200, 2000
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")


class DollarsField(forms.DecimalField):
    """US dollars as people write them: "25", "12.50", "$1,000"."""

    default_error_messages = {"invalid": "Write an amount in US dollars, such as 25 or 12.50."}

    def __init__(self, **kwargs: Any) -> None:
        limits = {"max_value": HIGHEST, "decimal_places": 6, "max_digits": 16}
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(**{"widget": widget, **limits, **kwargs})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip().removeprefix("$")
            # Only where they group thousands: "12,50" is twelve and a half to half the world, not 1250.
            if len(value) > 40 or ("," in value and not _THOUSANDS.fullmatch(value)):
                raise ValidationError(self.error_messages["invalid"], code="invalid")
            value = value.replace(",", "")
        return super().to_python(value)


class Picks(forms.SelectMultiple):
    """Ticked chips named ``name``, and what was typed beside them in ``add-name``: words, or names parted by
    commas where names may have spaces."""

    def __init__(self, *, has_spaces: bool = False) -> None:
        super().__init__()
        self.has_spaces = has_spaces

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        ticked = data.getlist(name) if hasattr(data, "getlist") else data.get(name, [])
        typed = str(data.get(f"add-{name}", ""))
        parts = typed.split(",") if self.has_spaces else typed.replace(",", " ").split()
        found = [writable(str(one)).strip().replace("\x00", "") for one in (*ticked, *parts)]
        return list(dict.fromkeys(one for one in found if one))


class PicksField(forms.Field):
    """A list of names; empty is None, no restriction."""

    widget = Picks

    def __init__(self, *, most: int = MOST_LISTED, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def clean(self, value: Any) -> list[str] | None:
        if len(value) > self.most:
            raise ValidationError(f"At most {self.most:,} can be listed.")
        for one in value:
            if len(one) > LONGEST_PICK:
                raise ValidationError(f"“{one[:40]}…” is too long to be a slug.")
        return value or None


class SeenField(forms.CharField):
    """What an object of a noun ("guardrail") was when the form was opened, signed so that it comes back as it
    went."""

    widget = forms.HiddenInput

    def __init__(self, noun: str) -> None:
        super().__init__()
        self.noun = noun

    def clean(self, value: Any) -> dict[str, Any]:
        try:
            seen = signing.loads(str(value or ""), salt=_salt(self.noun))
        except signing.BadSignature:
            problem = f"Open the form again: it has lost track of what the {self.noun} was."
            raise ValidationError(problem) from None
        return dict(seen) if isinstance(seen, dict) else {}


def seen_text(noun: str, values: Mapping[str, Any]) -> str:
    """What SeenField reads; the values are such as JSON has."""
    return signing.dumps(dict(values), salt=_salt(noun), compress=True)


def _salt(noun: str) -> str:
    return f"seen.{noun}"


class ConfirmForm(forms.Form):
    """A word to be typed before what cannot be undone."""

    confirmation = forms.CharField(required=False, max_length=LONGEST_WORD)

    def __init__(self, data: Any = None, *, word: str, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.word = word
        self.fields["confirmation"].label = f"Type “{word}” to confirm"
        self.fields["confirmation"].widget.attrs["autocomplete"] = "off"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if " ".join(typed.split()) != " ".join(self.word.split()):
            raise ValidationError(f"This is not “{self.word}”.")
        return typed


def with_new_token(data: Any) -> QueryDict:
    """What was posted, to be sent again: a refused form's token is spent, so it gets another."""
    again = QueryDict(mutable=True)
    again.update(data)
    again["form_token"] = str(uuid.uuid4())
    return again


class RaiseForm(forms.Form):
    """So much more for one limit."""

    amount = DollarsField(
        min_value=Decimal("0.000001"),
        error_messages={
            "required": "Write by how much to raise it.",
            "min_value": "Write an amount above zero.",
            "max_value": "That is more than a billion dollars.",
        },
    )
    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"amount": "50", "form_token": uuid.uuid4()})

    @classmethod
    def again(cls, amount: Any, problem: str) -> RaiseForm:
        """After a refusal: with what was typed, and another token, since a refused one is spent."""
        form = cls({"amount": amount, "form_token": uuid.uuid4()})
        form.add_error(None, problem)
        return form
