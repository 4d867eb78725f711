"""The form of somebody who leaves: what is to be taken from them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin.members.leaving import Leaving

DISABLE, DELETE = "disable", "delete"


@dataclass(frozen=True)
class OffboardDraft:
    """What is taken: ``keys`` is DISABLE or DELETE, "" where they have none."""

    keys: str
    takes_guardrail: bool
    leaves_workspaces: bool
    form_token: uuid.UUID


class OffboardForm(forms.Form):
    """Of what they hold now: a choice about nothing is not asked for."""

    form_token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    keys = forms.ChoiceField(
        choices=[(DISABLE, "Disable their keys"), (DELETE, "Delete their keys")],
        initial=DISABLE,
        error_messages={"required": "Choose what becomes of their keys."},
    )
    confirmation = forms.CharField(required=False, max_length=100)
    guardrail = forms.BooleanField(required=False)
    workspaces = forms.BooleanField(required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, leaving: Leaving) -> None:
        super().__init__(data, initial={"seen": leaving.seen})
        self.word = f"delete {leaving.keys.number}"
        self.fields["confirmation"].label = f"Type “{self.word}” to delete them"
        self.fields["confirmation"].widget.attrs["autocomplete"] = "off"
        if not leaving.keys.number:
            self.fields.pop("keys")
        if leaving.guardrail is None:
            self.fields.pop("guardrail")
        if not leaving.places:
            self.fields.pop("workspaces")

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if self.cleaned_data.get("keys") == DELETE and " ".join(typed.split()) != self.word:
            raise ValidationError(f"This is not “{self.word}”.")
        return typed

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(given.get(name) for name in ("keys", "guardrail", "workspaces")):
            raise ValidationError("Choose what is to be taken from them.")
        return given

    def draft(self) -> OffboardDraft:
        given = self.cleaned_data
        return OffboardDraft(
            keys=given.get("keys", ""),
            takes_guardrail=given.get("guardrail", False),
            leaves_workspaces=given.get("workspaces", False),
            form_token=given["form_token"],
        )
