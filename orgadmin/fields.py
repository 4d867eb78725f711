"""Fields that forms of several slices have."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

# Far above any real cap, far below what a column of nano-dollars holds.
HIGHEST = Decimal(1_000_000_000)
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
