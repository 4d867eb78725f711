"""Forms of workspaces: strings to settings, and every message about input."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from orgadmin import fields
from orgadmin.audit.text import writable
from orgadmin.fields import ConfirmForm, SeenField, with_new_token
from orgadmin.inventory.models import Workspace
from orgadmin.workspaces.drafts import PRIVACY, SETTINGS, WorkspaceEdit, differing

# FACTS 2.3.
LONGEST_NAME, LONGEST_SLUG, LONGEST_DESCRIPTION = 100, 50, 500
LEAST_SAMPLING_RATE = Decimal("0.0001")
LONGEST_MODEL = 200
MOST_KEY_IDS = 1000
_SORTS = {
    "": "OpenRouter's own order",
    "price": "Price: the cheapest first",
    "throughput": "Throughput: the fastest output first",
    "latency": "Latency: the quickest first answer first",
    "exacto": "Exacto: the most reliable tool calls first",
}
# FACTS 2.3: what `disabled_server_tools` may name.
_TOOLS = {
    "openrouter:advisor": "Advisor",
    "openrouter:apply_patch": "Apply patch",
    "openrouter:bash": "Bash",
    "openrouter:datetime": "Date and time",
    "openrouter:fusion": "Fusion",
    "openrouter:image_generation": "Image generation",
    "openrouter:experimental__search_models": "Search models (experimental)",
    "openrouter:shell": "Shell",
    "openrouter:subagent": "Subagent",
    "openrouter:tool_search": "Tool search",
    "openrouter:web_fetch": "Web fetch",
    "openrouter:web_search": "Web search",
}


def seen_text(values: Mapping[str, Any]) -> str:
    return fields.seen_text("workspace", {name: values[name] for name in SETTINGS})


class KeyIdsField(forms.CharField):
    """Upstream's numbers of keys, apart by commas or blanks; None: all keys."""

    def clean(self, value: Any) -> list[int] | None:
        words = str(value or "").replace(",", " ").split()
        if len(words) > MOST_KEY_IDS:
            raise ValidationError(f"At most {MOST_KEY_IDS:,} keys can be named.")
        if any(not word.isascii() or not word.isdigit() or len(word) > 15 for word in words):
            raise ValidationError("Write OpenRouter's numbers of the keys, such as 1043, 1077.")
        return [int(word) for word in words] or None


class WorkspaceForm(forms.Form):
    """All settings of a workspace; of a new one when there are no ``values``."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        error_messages={"required": "Give the workspace a name, such as the team or product it is for."},
    )
    slug = forms.CharField(
        max_length=LONGEST_SLUG,
        required=False,
        help_text="What OpenRouter's web addresses and your configuration call it: a-z, 0-9, single hyphens.",
    )
    description = forms.CharField(max_length=LONGEST_DESCRIPTION, required=False)
    default_text_model = forms.CharField(
        max_length=LONGEST_MODEL,
        required=False,
        help_text="For requests that name none, such as anthropic/claude-sonnet-4.5. Empty: none.",
    )
    default_image_model = forms.CharField(max_length=LONGEST_MODEL, required=False, help_text="Empty: none.")
    default_provider_sort = forms.ChoiceField(
        required=False, label="Providers sorted by", choices=list(_SORTS.items())
    )
    disabled_server_tools = forms.MultipleChoiceField(
        required=False,
        label="Server tools switched off",
        choices=list(_TOOLS.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="OpenRouter refuses requests of this workspace that use one of these.",
    )
    is_observability_broadcast_enabled = forms.BooleanField(
        required=False,
        label="Send traces to observability destinations",
        help_text="The master switch: without it nothing is sent, whatever the destinations say.",
    )
    is_observability_io_logging_enabled = forms.BooleanField(
        required=False,
        label="Log prompts and answers",
        help_text="OpenRouter keeps them for three months or more; admins of the account can read them.",
    )
    io_logging_sampling_rate = forms.DecimalField(
        required=False,
        label="Share of requests that is logged",
        min_value=LEAST_SAMPLING_RATE,
        max_value=Decimal(1),
        decimal_places=4,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="From 0.0001 to 1, which is all of them.",
        error_messages={
            "invalid": "Write a share such as 0.25.",
            "min_value": "The smallest share is 0.0001. To log nothing, switch the logging off.",
            "max_value": "The largest share is 1, which is all requests.",
        },
    )
    io_logging_api_key_ids = KeyIdsField(
        required=False,
        label="Log only the keys",
        help_text="OpenRouter's own numbers of keys, which it tells nowhere: copy them from its web page. "
        "Empty: all keys of the workspace.",
    )
    is_data_discount_logging_enabled = forms.BooleanField(
        required=False,
        label="Let OpenRouter use prompts and answers for a 1% discount",
        help_text="What people write in this workspace is then OpenRouter's to use.",
    )
    confirms_privacy = forms.BooleanField(required=False, label="Yes, switch it on")
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeenField("workspace")

    def __init__(
        self,
        data: Any = None,
        *,
        values: Mapping[str, Any] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> None:
        initial = {**_typed(shown if shown is not None else values or {}), "form_token": uuid.uuid4()}
        super().__init__(data, initial=initial)
        self.values = values
        self._offer_what_is_set(values or {})
        if values is None:
            self.initial["io_logging_sampling_rate"] = "1"
            del self.fields["seen"]
            self.fields["slug"].help_text += " Empty: made from the name."
        else:
            del self.fields["form_token"]
            self.initial["seen"] = seen_text(values)
            self.fields["slug"].help_text += " A new one breaks addresses that hold the old one."

    def _offer_what_is_set(self, values: Mapping[str, Any]) -> None:
        """Let a word that OpenRouter has and we do not know stay as it is."""
        sort, tools = values.get("default_provider_sort"), values.get("disabled_server_tools") or ()
        if sort and sort not in _SORTS:
            self.fields["default_provider_sort"].choices = [*_SORTS.items(), (sort, sort)]  # type: ignore[attr-defined]
        strangers = [(tool, tool) for tool in tools if tool not in _TOOLS]
        self.fields["disabled_server_tools"].choices = [*_TOOLS.items(), *strangers]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = writable(self.cleaned_data["name"]).strip()
        if not name.isprintable() or not name:
            raise ValidationError("The name holds characters that cannot be seen, such as a line break.")
        return name

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"].strip()
        if not slug and self.values is None:
            slug = slugify(self.cleaned_data.get("name", ""))[:LONGEST_SLUG].strip("-")
            if not slug:
                raise ValidationError("Write a slug: none can be made from this name.")
        if not slug or slug != slugify(slug) or "_" in slug or "--" in slug:
            raise ValidationError("A slug has a-z and 0-9, with single hyphens between them.")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        for name in ("default_text_model", "default_image_model"):
            model = (cleaned.get(name) or "").strip()
            if model and ("/" not in model.strip("/") or len(model.split()) > 1):
                self.add_error(name, "Write the model's slug, author and name, such as openai/gpt-5.")
        if self.is_opening_up() and not cleaned.get("confirms_privacy"):
            self.add_error(
                "confirms_privacy", "This lets others keep or use what people write. Tick it to go on."
            )
        return cleaned

    def is_opening_up(self) -> bool:
        """Whether it switches on what lets OpenRouter keep or use prompts."""
        before = self.values or {}
        return any(self.cleaned_data.get(name) and not before.get(name) for name in PRIVACY)

    def wanted(self) -> dict[str, Any]:
        """The settings that the form describes; only after ``is_valid()``."""
        values = {name: self.cleaned_data[name] for name in SETTINGS}
        for name in ("description", "default_text_model", "default_image_model", "default_provider_sort"):
            values[name] = writable(values[name]).strip() or None
        values["disabled_server_tools"] = values["disabled_server_tools"] or None
        rate = values["io_logging_sampling_rate"]
        kept = (self.values or {}).get("io_logging_sampling_rate", 1.0)
        values["io_logging_sampling_rate"] = kept if rate is None else float(rate)
        return values

    def draft(self) -> dict[str, Any]:
        """Of a new workspace: name, slug, and what is not as OpenRouter would have it."""
        blank = {**dict.fromkeys(SETTINGS), "io_logging_sampling_rate": 1.0}
        switches = {name: False for name in SETTINGS if name.startswith("is_")}
        wanted = self.wanted()
        said = differing({**blank, **switches}, wanted)
        return {name: value for name, value in wanted.items() if name in said or name in ("name", "slug")}

    def edit(self) -> WorkspaceEdit:
        assert self.values is not None
        return WorkspaceEdit(seen=self.values, wanted=self.wanted())

    def renew_token(self) -> None:
        """A refused create may be sent again."""
        self.data = with_new_token(self.data)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a person would type them."""
    shown = dict(values)
    ids, rate = shown.get("io_logging_api_key_ids"), shown.get("io_logging_sampling_rate")
    shown["io_logging_api_key_ids"] = "" if ids is None else ", ".join(map(str, ids))
    if rate is not None:
        shown["io_logging_sampling_rate"] = f"{Decimal(str(rate)).normalize():f}"
    return shown


def confirmation_word(workspace: Workspace) -> str:
    """What to type before it is deleted: its name where that can be typed, else its slug."""
    name = " ".join(workspace.name.split())
    return name if name.isprintable() and name else workspace.slug


class DeleteForm(ConfirmForm):
    """Sent once."""

    form_token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, word: str) -> None:
        super().__init__(data, word=word, initial={"form_token": uuid.uuid4()})
