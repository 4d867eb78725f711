"""Forms of budgets: amounts in, a plan out, and every message about input."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError

from orgadmin.fields import DollarsField, with_new_token
from orgadmin.inventory.workspace_models import INTERVALS
from orgadmin.workspaces.budgeting import BudgetPlan, misordered

_SALT = "workspaces.budgets"


class SeenBudgetsField(forms.CharField):
    """The budgets as they were when the form was opened, signed so that they come back as they went."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> tuple[dict[str, Decimal], bool]:
        """The limits, and whether BYOK counted."""
        try:
            limits, counts_byok = signing.loads(str(value or ""), salt=_SALT)
        except signing.BadSignature:
            raise ValidationError(
                "Open the form again: it has lost track of what the budgets were."
            ) from None
        return {interval: Decimal(limit) for interval, limit in limits.items()}, bool(counts_byok)


def seen_text(limits: Mapping[str, Decimal], counts_byok: bool = False) -> str:
    spelled = {interval: str(limit) for interval, limit in limits.items()}
    return signing.dumps([spelled, counts_byok], salt=_SALT)


def _amount(interval: str) -> DollarsField:
    return DollarsField(
        required=False,
        min_value=Decimal("0.000001"),
        label=interval.capitalize(),
        error_messages={
            "min_value": "A budget is an amount above zero. Leave it empty for none.",
            "max_value": "That is more than a billion dollars. Leave it empty for no budget.",
        },
    )


class BudgetsForm(forms.Form):
    """All budgets of a workspace. ``counts_byok`` is what its switch is now, None where nobody tells."""

    daily = _amount("daily")
    weekly = _amount("weekly")
    monthly = _amount("monthly")
    lifetime = _amount("lifetime")
    counts_byok = forms.BooleanField(
        required=False,
        label="Count BYOK spend against these budgets",
        help_text="One switch for all of them. Without it, what is paid to a provider with your own "
        "credentials is not limited.",
    )
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeenBudgetsField()

    def __init__(
        self,
        data: Any = None,
        *,
        limits: Mapping[str, Decimal],
        counts_byok: bool | None,
        shown: BudgetPlan | None = None,
    ) -> None:
        wanted = limits if shown is None else shown.wanted
        flag = bool(counts_byok) if shown is None or shown.counts_byok is None else shown.counts_byok
        typed = {name: f"{limit.normalize():f}" for name, limit in wanted.items()}
        super().__init__(
            data,
            initial={
                **typed,
                "counts_byok": flag,
                "form_token": uuid.uuid4(),
                "seen": seen_text(limits, bool(counts_byok)),
            },
        )
        self.was_counting = bool(counts_byok)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        disorder = misordered(self.limits())
        if disorder:
            narrow, wide = disorder
            limit = self.limits()[wide]
            self.add_error(narrow, f"This must be less than the {wide} budget, which is ${limit:,.2f}.")
        if self._flag() is not None and not self.limits():
            self.add_error("counts_byok", "OpenRouter keeps this switch with a budget: set one to change it.")
        return cleaned

    def limits(self) -> dict[str, Decimal]:
        found = ((interval, self.cleaned_data.get(interval)) for interval in INTERVALS)
        return {interval: limit for interval, limit in found if limit is not None}

    def _flag(self) -> bool | None:
        """What the switch should become; None where it stays."""
        wanted: bool = self.cleaned_data.get("counts_byok", False)
        return wanted if wanted is not self.was_counting else None

    def plan(self) -> BudgetPlan:
        """Only after ``is_valid()``."""
        return BudgetPlan(self.cleaned_data["seen"][0], self.limits(), self._flag())

    def renew_token(self) -> None:
        """A refused change may be sent again."""
        self.data = with_new_token(self.data)
