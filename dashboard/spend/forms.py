"""The one form of these pages: why a day differs from OpenRouter's total."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin.usage.reconciliation import LONGEST

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class _DayField(forms.CharField):
    """A day as addresses spell it: 2026-03-31."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        text = str(super().to_python(value))
        try:
            return date.fromisoformat(text) if _DAY.fullmatch(text) else self._refuse()
        except ValueError:
            self._refuse()

    def _refuse(self) -> None:
        raise ValidationError("There is no such day here. Choose one in the list.")


class ExplanationForm(forms.Form):
    day = _DayField(error_messages={"required": "There is no such day here. Choose one in the list."})
    explanation = forms.CharField(
        required=False,
        max_length=LONGEST,
        label="Explanation",
        help_text="Everybody who reads these pages sees it. Empty takes it back.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
