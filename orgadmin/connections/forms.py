"""Forms of organizations and people: strings in, one frozen draft out, and every message about input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from orgadmin.accounts.models import Role, User
from orgadmin.connections.drafts import InvitationDraft, KeyAt, LentKey, OrganizationDraft
from orgadmin.connections.mail import sends_mail
from orgadmin.connections.refusals import Refused
from orgadmin.connections.slugs import LONGEST, PATTERN, RESERVED
from orgadmin.openrouter.secret import Secret

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# OpenRouter states no length; its keys have 73 characters.
LONGEST_KEY = 300

ROLES = [
    (Role.OWNER, "Owner: everything, the connection and the people included"),
    (Role.ADMIN, "Admin: every change at OpenRouter"),
    (Role.VIEWER, "Viewer: reads everything, changes nothing"),
    (Role.MEMBER, "Member: only the keys that are theirs at OpenRouter"),
]

MEMBER_WITHOUT_MAIL = (
    "A member sees keys by their verified e-mail address. No mail is sent here to verify one, so once they "
    "joined, have whoever runs this dashboard run: manage.py verify_email ADDRESS."
)


class _LineField(forms.CharField):
    """One line without characters that cannot be seen."""

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if _UNPRINTABLE.search(text):
            raise ValidationError("This holds characters that cannot be seen, such as a line break.")
        return text


class _NameField(_LineField):
    def __init__(self) -> None:
        super().__init__(
            max_length=100,
            error_messages={"required": "Give the organization a name."},
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )


class _PersonField(_LineField):
    """How somebody is called, in one field: not every name has two parts."""

    def __init__(self) -> None:
        super().__init__(
            max_length=150,
            required=False,
            label="Your name",
            help_text="How others here and the audit log name you. Empty: by your e-mail address.",
            widget=forms.TextInput(attrs={"autocomplete": "name"}),
        )


class SlugField(_LineField):
    """Empty, or lower-case words joined by hyphens, none of them reserved."""

    def clean(self, value: Any) -> str:
        slug = super().clean(value)
        if slug and not PATTERN.fullmatch(slug):
            raise ValidationError("Use lower-case letters a to z, digits, and single hyphens between them.")
        if slug in RESERVED:
            raise ValidationError(f"“{slug}” is a word of the dashboard’s own. Choose another.")
        return slug


class BaseUrlField(_LineField):
    """Where the API is; whether that is a place keys may be sent to is the service's question."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            parts = urlsplit(text)
            _ = parts.port
            host = parts.hostname
        except ValueError:
            raise ValidationError(
                "This is not an address. It looks like https://openrouter.ai/api/v1."
            ) from None
        schemes = {"https", "http"} if settings.ALLOW_PRIVATE_BASE_URL else {"https"}
        if parts.scheme not in schemes or not host or re.search(r"[\s\\]", text):
            raise ValidationError("Write the whole address, starting with https://.")
        if parts.username is not None or parts.password is not None:
            raise ValidationError("Leave user name and password out of the address.")
        if "?" in text or "#" in text:
            raise ValidationError("Leave out everything from the ? or # on.")
        return text.rstrip("/")


class KeyField(forms.CharField):
    """A key, never shown again: the input is empty whenever the form is."""

    widget = forms.PasswordInput

    def __init__(self, label: str, *, made: str) -> None:
        super().__init__(
            max_length=LONGEST_KEY,
            label=label,
            help_text=f"{made} Kept encrypted; only its masked label is ever shown.",
            # "off" is ignored for passwords; this keeps browsers from offering to fill in or store one.
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
            error_messages={
                "required": f"Paste the {label.lower()}. It is never kept between tries.",
                "max_length": "This is longer than any OpenRouter key.",
            },
        )

    def clean(self, value: Any) -> Secret:
        text: str = super().clean(value)
        if not all("!" <= character <= "~" for character in text):
            raise ValidationError("This is not a key: it holds spaces or characters no key has.")
        return Secret(text)


class ServiceForm(forms.Form):
    """A form whose service may still refuse: the message goes to the field it belongs to."""

    def refuse(self, refused: Refused) -> None:
        self.add_error(refused.field if refused.field in self.fields else None, refused.message)


class RekeyForm(ServiceForm):
    """Another key, and perhaps another address: a stored key is never sent to an address entered later."""

    base_url = BaseUrlField(
        max_length=300, label="Base URL", widget=forms.TextInput(attrs={"inputmode": "url"})
    )
    management_key = KeyField(
        "Management key", made="Made on openrouter.ai under Settings → Management Keys."
    )

    def connection(self) -> KeyAt:
        """Only after ``is_valid()``."""
        return KeyAt(
            base_url=self.cleaned_data["base_url"], management_key=self.cleaned_data["management_key"]
        )


class ConnectForm(RekeyForm):
    """An organization to be connected."""

    name = _NameField()
    slug = SlugField(
        max_length=LONGEST,
        required=False,
        label="Short name",
        help_text="Part of every page’s address, /o/short-name/. Stays as it is. Empty: made from the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "slug", "base_url", "management_key")

    def draft(self) -> OrganizationDraft:
        """Only after ``is_valid()``."""
        values = self.cleaned_data
        return OrganizationDraft(name=values["name"], slug=values["slug"], connection=self.connection())


class LendForm(ServiceForm):
    """An inference key of one workspace. ``workspaces`` are asked about where the key is not for a certain
    one already."""

    inference_key = KeyField("Inference key", made="An API key of the workspace, made here under Keys.")
    workspace = forms.ChoiceField(
        required=False,
        label="Workspace",
        help_text="Needed only where OpenRouter does not say to which workspace the key belongs.",
        error_messages={"invalid_choice": "Choose one of the workspaces in the list."},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        workspaces: Sequence[tuple[str, str]] = (),
        workspace_uid: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        self._uid = workspace_uid
        if workspaces:
            self.fields["workspace"].choices = [("", "As OpenRouter says"), *workspaces]  # type: ignore[attr-defined]
        else:
            del self.fields["workspace"]

    def lent(self) -> LentKey:
        """Only after ``is_valid()``."""
        place = self._uid or self.cleaned_data.get("workspace", "")
        return LentKey(key=self.cleaned_data["inference_key"], workspace_uid=place)


class RenameForm(ServiceForm):
    name = _NameField()


class PersonNameForm(ServiceForm):
    name = _PersonField()


class SignUpForm(forms.Form):
    """What signing up asks beside address and password; the package keeps a field of this name."""

    first_name = _PersonField()

    def signup(self, request: HttpRequest, user: User) -> None:
        """The package insists on it. There is nothing left to do."""


class DefaultWorkspaceForm(ServiceForm):
    workspace = forms.ChoiceField(
        label="Default workspace",
        help_text="The one OpenRouter uses where no workspace is named. Its Settings say which it is.",
        error_messages={
            "required": "Choose one of the workspaces in the list.",
            "invalid_choice": "Choose one of the workspaces in the list.",
        },
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, workspaces: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(data, **kwargs)
        self.fields["workspace"].choices = [("", "Not known"), *workspaces]  # type: ignore[attr-defined]


class TypedForm(ServiceForm):
    """A word to be typed before what is hard to undo."""

    confirmation = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, word: str, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.word = word
        self.fields["confirmation"].label = f"Type “{word}” to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if " ".join(typed.split()) != " ".join(self.word.split()):
            raise ValidationError(f"This is not “{self.word}”. Nothing was changed.")
        return typed


class RoleForm(ServiceForm):
    role = forms.ChoiceField(
        choices=ROLES,
        error_messages={
            "required": "Choose one of the roles in the list.",
            "invalid_choice": "Choose one of the roles in the list.",
        },
    )


class InviteForm(RoleForm):
    """Somebody to be invited, by e-mail or by a link that the owner hands over."""

    BY_MAIL, BY_LINK = "mail", "link"

    by = forms.ChoiceField(
        choices=[
            (BY_MAIL, "Send an e-mail with a link for that address only"),
            (BY_LINK, "Show a link once, for whoever I give it to"),
        ],
        initial=BY_MAIL,
        label="How",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose e-mail or link.", "invalid_choice": "Choose e-mail or link."},
    )
    email = forms.EmailField(
        required=False, label="E-mail address", help_text="Not needed for a link.", max_length=254
    )
    role = forms.ChoiceField(
        choices=ROLES,
        initial=Role.VIEWER,
        widget=forms.RadioSelect,
        error_messages=RoleForm.base_fields["role"].error_messages,
    )
    field_order = ("by", "email", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sends_mail = sends_mail()
        if not self.sends_mail:
            self._offer_only_a_link()

    def _offer_only_a_link(self) -> None:
        by, role = self.fields["by"], self.fields["role"]
        by.choices = [choice for choice in by.choices if choice[0] == self.BY_LINK]  # type: ignore[attr-defined]
        by.initial, by.widget = self.BY_LINK, forms.HiddenInput()
        del self.fields["email"]
        role.help_text = MEMBER_WITHOUT_MAIL

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("by") == self.BY_MAIL and "email" in cleaned and not cleaned["email"]:
            self.add_error("email", "Enter the address the invitation goes to.")
        return cleaned

    def draft(self) -> InvitationDraft:
        """Only after ``is_valid()``."""
        values = self.cleaned_data
        email = values["email"].lower() if values["by"] == self.BY_MAIL else ""
        return InvitationDraft(email=email, role=values["role"])
