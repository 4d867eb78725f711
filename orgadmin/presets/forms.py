"""Forms of presets: strings in, one frozen draft out, and every message about input."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin.fields import with_new_token
from orgadmin.inventory.preset_secrets import has_marks
from orgadmin.openrouter.secret import HIDDEN
from orgadmin.presets.bodies import CHAT, KINDS, parsed, problems
from orgadmin.presets.drafts import PresetDraft

LONGEST_BODY = 200_000
LONGEST_SLUG = 100
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
# So many of a body's problems are told at once.
TOLD = 8
EXAMPLE = """{
  "model": "",
  "temperature": 0.7,
  "messages": [
    {"role": "system", "content": ""}
  ]
}"""


class BodyField(forms.CharField):
    """A JSON text; its value is what the text says, fractions as Decimal."""

    def __init__(self) -> None:
        super().__init__(
            max_length=LONGEST_BODY,
            strip=False,
            label="Request body",
            help_text="JSON, as an application would send it. No model is called with it.",
            widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "mono"}),
            error_messages={
                "required": "Paste the body of a request.",
                "max_length": "A body has at most 200,000 characters here.",
            },
        )

    def clean(self, value: Any) -> Any:
        text: str = super().clean(value)
        try:
            return parsed(text)
        except ValueError as problem:
            raise ValidationError(_not_json(problem)) from None


def _not_json(problem: ValueError) -> str:
    line, column = getattr(problem, "lineno", None), getattr(problem, "colno", None)
    where = f" Line {line}, column {column}: {getattr(problem, 'msg', '')}." if line else ""
    return f"This is not JSON.{where}"


class PresetForm(forms.Form):
    """A request that a preset is made of. ``places`` are the workspaces that can be written, as uid and name;
    ``fixed`` is the workspace and slug of a preset that gets a new version.

    ``checked`` names the draft that was looked at, ``seen`` the version that was live then.
    """

    workspace = forms.ChoiceField(
        label="Workspace",
        error_messages={
            "required": "Choose the workspace that the preset is for.",
            "invalid_choice": "Choose one of the workspaces in the list.",
        },
    )
    slug = forms.CharField(
        max_length=LONGEST_SLUG,
        label="Slug",
        help_text="Applications call it as @preset/slug. One that exists gets a new version.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Give the preset a slug."},
    )
    kind = forms.ChoiceField(
        choices=list(KINDS.items()),
        label="Kind of request",
        error_messages={
            "required": "Choose a kind.",
            "invalid_choice": "Choose one of the kinds in the list.",
        },
    )
    body = BodyField()
    checked = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    seen = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False)
    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        places: Sequence[tuple[str, str]] = (),
        fixed: tuple[str, str] | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        start = {"kind": CHAT, "body": EXAMPLE, "form_token": uuid.uuid4(), **(initial or {})}
        super().__init__(data, initial=start)
        self._fixed = fixed
        if fixed is not None:
            del self.fields["workspace"], self.fields["slug"]
        else:
            choices = list(places) if len(places) == 1 else [("", "Choose…"), *places]
            self.fields["workspace"].choices = choices  # type: ignore[attr-defined]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if not _SLUG.fullmatch(slug):
            raise ValidationError(
                "Use letters, digits, hyphens, dots and underscores; start with a letter or digit."
            )
        return slug

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if "kind" in values and "body" in values:
            found = problems(values["kind"], values["body"])[:TOLD]
            if has_marks(values["body"]):
                found.append(f"{HIDDEN} stands for a secret that is not kept here: write it again.")
            for problem in found:
                self.add_error("body", problem)
        return values

    def draft(self) -> PresetDraft:
        """Only after ``is_valid()``."""
        values = self.cleaned_data
        workspace_uid, slug = self._fixed or (values["workspace"], values["slug"])
        return PresetDraft(workspace_uid=workspace_uid, slug=slug, kind=values["kind"], body=values["body"])

    @property
    def is_checked(self) -> bool:
        """Whether exactly this was looked at."""
        return bool(self.cleaned_data["checked"] == self.draft().digest)

    def renew_token(self) -> None:
        """What was refused may be sent again."""
        if self.is_bound:
            self.data = with_new_token(self.data)


class RestoreForm(forms.Form):
    """Making an old version again; ``seen`` is the version that was live when it was decided, 0 for none."""

    seen = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, seen: int = 0) -> None:
        super().__init__(data, initial={"seen": seen, "form_token": uuid.uuid4()})
