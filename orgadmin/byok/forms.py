"""Forms of credentials: strings to settings, and every message about input. A provider's key is read once and
never put into a page again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orgadmin import fields
from orgadmin.audit.text import writable
from orgadmin.byok.drafts import OPTIONAL, CredentialDraft, CredentialEdit
from orgadmin.byok.words import LISTS, REGIONS
from orgadmin.fields import Picks, PicksField, SeenField, with_new_token
from orgadmin.inventory.byok_nouns import SETTINGS
from orgadmin.inventory.models import Credential
from orgadmin.openrouter.secret import Secret

LONGEST_NAME, LONGEST_PROVIDER, LONGEST_KEY = 255, 100, 20_000
MOST_LISTED = 100
_ZDR = {"": None, "yes": True, "no": False}

# A list's name and what was picked for it: the values as OpenRouter takes them, and what nobody knows.
Resolve = Callable[[str, Sequence[str]], tuple[list[str], list[str]]]


class ProviderKeyField(forms.CharField):
    """A provider's key as one line of text, or as the JSON that some providers want."""

    def __init__(self) -> None:
        super().__init__(
            label="Provider key",
            max_length=LONGEST_KEY,
            # Never rendered again, whatever else was wrong with the form.
            widget=forms.PasswordInput(
                render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}
            ),
            help_text="It goes to OpenRouter and is kept nowhere here. Azure takes a JSON list, Vertex the "
            "JSON of a service account, Bedrock an API key, or JSON: accessKeyId, secretAccessKey, region.",
            error_messages={
                "required": "Paste the provider's key.",
                "max_length": f"That is too long for a key: at most {LONGEST_KEY:,} characters.",
            },
        )

    def clean(self, value: Any) -> Secret:
        return Secret(super().clean(value))


def misshapen(provider: str, raw: str) -> str:
    """What is wrong with the shape of a provider's key (FACTS 3.10), without a word of the key itself; ""
    when nothing is."""
    is_json = raw.startswith(("{", "["))
    try:
        value = json.loads(raw) if is_json else raw
    except (ValueError, RecursionError):
        return "This begins like JSON and is none. Copy the whole of it."
    if provider == "azure":
        return _misshapen_azure(value)
    if provider == "google-vertex":
        has_all = isinstance(value, dict) and all(value.get(name) for name in ("client_email", "private_key"))
        return (
            ""
            if has_all
            else "Vertex takes the whole JSON of a service account: client_email, private_key and all."
        )
    if provider == "amazon-bedrock" and is_json:
        needed = ("accessKeyId", "secretAccessKey", "region")
        has_all = isinstance(value, dict) and all(value.get(name) for name in needed)
        return "" if has_all else "As JSON, Bedrock takes accessKeyId, secretAccessKey and region."
    return ""


def _misshapen_azure(value: Any) -> str:
    wanted = "Azure takes a JSON list of objects, each with api_key and resource_name or endpoint_url."
    if not isinstance(value, list) or not value:
        return wanted
    for one in value:
        has_place = isinstance(one, dict) and (one.get("resource_name") or one.get("endpoint_url"))
        if not has_place or not one.get("api_key"):
            return wanted
    return ""


def seen_text(values: Mapping[str, Any]) -> str:
    return fields.seen_text("credential", dict(values))


class CredentialForm(forms.Form):
    """The settings of a credential. With ``workspaces`` it is a new one, which has a provider, a workspace
    and a key beside them; ``lacks`` are the settings that the server does not have."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        required=False,
        help_text="What you call it here and at OpenRouter, such as whose account it is.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    is_fallback = forms.ChoiceField(
        required=False,
        label="When it is used",
        choices=[
            ("", "First: before OpenRouter's own capacity"),
            ("on", "As a fallback: after OpenRouter's own capacity, paid from credits, has failed"),
        ],
        help_text="Several of a provider are tried in an order that only OpenRouter's own page can change.",
    )
    is_required = forms.BooleanField(
        required=False,
        label="Always use it for its models",
        help_text="OpenRouter's own capacity at this provider is not used for the models below, or for any "
        "when none is listed.",
    )
    is_byok_only = forms.BooleanField(
        required=False,
        label="Never use credits for this provider",
        help_text="Requests skip the provider when no credential works. Not together with a fallback.",
    )
    declared_region = forms.ChoiceField(
        required=False,
        label="Region of the provider's account",
        choices=[("", "Not declared"), *REGIONS.items()],
        help_text="Your own declaration; OpenRouter does not check it.",
    )
    declared_zdr = forms.ChoiceField(
        required=False,
        label="Zero data retention of the provider's account",
        choices=[
            ("", "Not declared: as OpenRouter knows the provider"),
            ("yes", "It keeps nothing"),
            ("no", "It keeps data"),
        ],
        help_text="Your own declaration; requests that want zero retention go by it.",
    )
    form_token = forms.UUIDField(widget=forms.HiddenInput)
    seen = SeenField("credential")

    def __init__(
        self,
        data: Any = None,
        *,
        values: Mapping[str, Any],
        lacks: Sequence[str],
        resolve: Resolve,
        workspaces: Sequence[tuple[str, str]] | None = None,
        shown: Mapping[str, Any] | None = None,
    ) -> None:
        self.shown = values if shown is None else shown
        initial = {**self.shown, "seen": seen_text(values), "form_token": uuid.uuid4()}
        initial["is_fallback"] = "on" if self.shown.get("is_fallback") else ""
        initial["declared_zdr"] = {True: "yes", False: "no"}.get(self.shown.get("declared_zdr"), "")  # type: ignore[arg-type]
        super().__init__(data, initial=initial)
        self.values, self.resolve = values, resolve
        for name, (noun, label, all_of_them) in LISTS.items():
            self.fields[name] = PicksField(
                required=False,
                most=MOST_LISTED,
                label=f"Only these {label.lower()}",
                help_text=f"Empty: {all_of_them}. At most {MOST_LISTED}. Taking out the last {noun} removes "
                "the restriction.",
                widget=Picks(has_spaces=name != "allowed_models"),
            )
        region = self.shown.get("declared_region")
        if region and region not in REGIONS:
            self.fields["declared_region"].choices = [  # type: ignore[attr-defined]
                ("", "Not declared"), *REGIONS.items(), (region, region)
            ]  # fmt: skip
        if workspaces is None:
            del self.fields["form_token"]
        else:
            del self.fields["seen"]
            self._add_place(workspaces)
        for name in lacks:
            self.fields.pop(name, None)

    def _add_place(self, workspaces: Sequence[tuple[str, str]]) -> None:
        self.fields["provider"] = forms.CharField(
            max_length=LONGEST_PROVIDER,
            help_text="The provider's slug. One that is not offered is taken too: OpenRouter decides.",
            widget=forms.TextInput(attrs={"list": "providers", "autocomplete": "off", "spellcheck": "false"}),
            error_messages={"required": "Choose the provider whose key this is."},
        )
        self.fields["workspace"] = forms.ChoiceField(
            choices=workspaces,
            help_text="Where it is used. One for all workspaces can only be added on OpenRouter's own page.",
            error_messages={"invalid_choice": "Choose one of the workspaces in the list."},
        )
        self.fields["provider_key"] = ProviderKeyField()

    def clean_name(self) -> str | None:
        return writable(self.cleaned_data["name"]).strip() or None

    def clean_provider(self) -> str:
        return str(writable(self.cleaned_data["provider"]).strip().casefold())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        for name in LISTS:
            if cleaned.get(name):
                # What was there stays, known here or not; what is new has to be known.
                kept = [one for one in cleaned[name] if one in (self.values.get(name) or ())]
                good, odd = self.resolve(name, [one for one in cleaned[name] if one not in kept])
                cleaned[name] = [*kept, *good] or None
                if odd:
                    words = ", ".join(f"“{one[:60]}”" for one in odd[:5])
                    problem = f"{words}: nothing is called that, or several are. Pick it from the list."
                    self.add_error(name, problem)
        if cleaned.get("is_byok_only") and cleaned.get("is_fallback"):
            problem = "A fallback comes after credits: it cannot keep them from being used."
            self.add_error("is_byok_only", problem)
        secret = cleaned.get("provider_key")
        if secret and (problem := misshapen(cleaned.get("provider", ""), secret.reveal().strip())):
            self.add_error("provider_key", problem)
        return cleaned

    def wanted(self) -> dict[str, Any]:
        """The settings that the form describes, those it does not show as they are; only after
        ``is_valid()``."""
        cleaned = self.cleaned_data
        found = {name: cleaned[name] for name in SETTINGS if name in self.fields}
        found["is_fallback"] = bool(found["is_fallback"])
        if "declared_zdr" in found:
            found["declared_zdr"] = _ZDR[found["declared_zdr"]]
        if "declared_region" in found:
            found["declared_region"] = found["declared_region"] or None
        return {**self.values, **found}

    def renew_token(self) -> None:
        """A refused create may be sent again."""
        self.data = with_new_token(self.data)

    def draft(self) -> CredentialDraft:
        """Of a new credential: only what says something."""
        said = {name: value for name, value in self.wanted().items() if value not in (None, False)}
        return CredentialDraft(
            provider=self.cleaned_data["provider"],
            workspace_uid=self.cleaned_data["workspace"],
            secret=Secret(self.cleaned_data["provider_key"].reveal().strip()),
            settings=said,
        )

    def edit(self) -> CredentialEdit:
        return CredentialEdit(seen=self.values, wanted=self.wanted())


class RekeyForm(forms.Form):
    """Another key of the same provider."""

    def __init__(self, data: Any = None, *, provider: str) -> None:
        super().__init__(data)
        self.provider = provider
        self.fields["provider_key"] = ProviderKeyField()
        self.fields["provider_key"].label = "New provider key"

    def clean_provider_key(self) -> Secret:
        secret = Secret(self.cleaned_data["provider_key"].reveal().strip())
        if problem := misshapen(self.provider, secret.reveal()):
            raise ValidationError(problem)
        return secret


def lacking(known: Credential | None) -> list[str]:
    """What the server does not have, judged by a credential that it sent."""
    return [] if known is None else [name for name in known.lacks if name in OPTIONAL]


def confirmation_word(credential: Credential) -> str:
    """What to type before it is deleted: its name where that can be typed, else its provider."""
    name = " ".join((credential.name or "").split())
    return name if name and name.isprintable() else credential.provider
