"""What the forms of workspaces post when all is well."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orgadmin.inventory.models import Workspace
from orgadmin.workspaces.budget_forms import seen_text as seen_budgets
from orgadmin.workspaces.drafts import settings_of
from orgadmin.workspaces.forms import seen_text
from orgadmin.workspaces.selectors import limits_of


def token() -> str:
    return str(uuid.uuid4())


def _of(stage: Any) -> Workspace:
    return Workspace.objects.get(organization=stage.organization, uid=stage.key.workspace_uid)


def _settings(stage: Any) -> dict[str, Any]:
    return {
        "name": _of(stage).name,
        "description": "fuzzed",
        "default_text_model": "a/b",
        "default_provider_sort": "price",
        "disabled_server_tools": "openrouter:bash",
        "is_observability_io_logging_enabled": "on",
        "io_logging_sampling_rate": "0.5",
        "io_logging_api_key_ids": "1, 2",
        "confirms_privacy": "on",
    }


def new_workspace(stage: Any) -> dict[str, Any]:
    # No two have one slug, which is made from the name where it is left out.
    slug = f"fuzzed-{token()[:8]}"
    return {**_settings(stage), "name": slug, "slug": slug, "form_token": token()}


def edited_workspace(stage: Any) -> dict[str, Any]:
    workspace = _of(stage)
    return {**_settings(stage), "slug": workspace.slug, "seen": seen_text(settings_of(workspace))}


def budgets(stage: Any) -> dict[str, Any]:
    seen = limits_of(_of(stage))
    return {
        "daily": "1",
        "monthly": "400",
        "counts_byok": "on",
        "seen": seen_budgets(seen),
        "form_token": token(),
    }


def people(stage: Any) -> dict[str, Any]:
    return {"selected": stage.key.creator_user_id, "q": "a", "form_token": token()}


# By what they are called: the address below the organization's, and what makes the form.
FORMS: Mapping[str, tuple[str, Any]] = {
    "new workspace": ("workspaces/create/", new_workspace),
    "edit workspace": ("workspaces/{workspace}/edit/", edited_workspace),
    "delete workspace": (
        "workspaces/{workspace}/delete/",
        lambda stage: {"confirmation": "not its name", "form_token": token()},
    ),
    "budgets": ("workspaces/{workspace}/budgets/", budgets),
    "raise budget": (
        "workspaces/{workspace}/budgets/monthly/raise/",
        lambda stage: {"amount": "50", "form_token": token()},
    ),
    "add members": ("workspaces/{workspace}/members/add/", people),
    "remove members": ("workspaces/{workspace}/members/remove/", people),
}
