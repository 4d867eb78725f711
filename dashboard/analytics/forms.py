"""The one form of this slice: a name for a question."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        help_text="How everybody of the organization finds it.",
        error_messages={"required": "Give the query a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        name: str = " ".join(self.cleaned_data["name"].split(" "))
        if _UNPRINTABLE.search(name):
            raise ValidationError("The name holds characters that cannot be seen, such as a line break.")
        return name

    def refuse(self, message: Any) -> None:
        self.add_error("name", str(message))
