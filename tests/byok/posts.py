"""What the forms of credentials post when all is well."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.byok.drafts import settings_of
from orgadmin.byok.forms import seen_text
from orgadmin.inventory.models import Credential

SECRET = "sk-of-a-provider-0123456789abcdWxYz"
SETTINGS = {
    "name": "fuzzed",
    "is_fallback": "on",
    "allowed_models": "openai/gpt-5",
    "declared_region": "us",
    "declared_zdr": "no",
}


def credential(organization: Organization) -> Credential:
    """The first of OpenAI's in the default workspace: enabled, and everybody may use it."""
    rows = Credential.objects.filter(organization=organization, gone_at=None, provider="openai")
    return rows.filter(is_fallback=False).order_by("sort_order", "pk")[0]


def added(stage: Any) -> dict[str, Any]:
    place = {"provider": "openai", "workspace": stage.key.workspace_uid, "provider_key": SECRET}
    return {
        **SETTINGS,
        **place,
        "allowed_api_key_hashes": stage.key.hash,
        "form_token": str(uuid.uuid4()),
    }


def edited(stage: Any) -> dict[str, Any]:
    return {
        **SETTINGS,
        "allowed_api_key_hashes": stage.key.hash,
        "allowed_user_ids": stage.key.creator_user_id,
        "seen": seen_text(settings_of(credential(stage.organization))),
    }


FORMS: Mapping[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "add credential": ("byok/add/", added),
    "edit credential": ("byok/{credential}/edit/", edited),
    "rotate provider key": ("byok/{credential}/rotate/", lambda stage: {"provider_key": SECRET}),
    "delete credential": ("byok/{credential}/delete/", lambda stage: {"confirmation": "not its name"}),
}
