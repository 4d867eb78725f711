"""What the forms of guardrails post when all is well."""

from __future__ import annotations

import uuid
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.guardrails.drafts import rules_as_values
from orgadmin.guardrails.forms import seen_text
from orgadmin.inventory.models import Guardrail

# Without the lists of slugs: which there are, only OpenRouter knows, and says so.
RULES = {
    "name": "fuzzed",
    "description": "",
    "limit_usd": "5",
    "reset_interval": "daily",
    "enforce_zdr_openai": "on",
    "builtin-email": "block",
    "content_filters-pattern": "x+",
    "content_filters-action": "block",
    "content_filters-label": "X",
}


def guardrail(organization: Organization) -> Guardrail:
    """One that is filed in a workspace, no default, and has a budget."""
    rows = Guardrail.objects.filter(organization=organization, workspace_uid__isnull=False)
    rows = rows.exclude(limit_usd=None)
    return rows.exclude(name__endswith=" Default").order_by("pk")[0]


def new_guardrail(stage: Any) -> dict[str, Any]:
    return {**RULES, "workspace": stage.key.workspace_uid, "form_token": str(uuid.uuid4())}


def edited_guardrail(stage: Any) -> dict[str, Any]:
    return {**RULES, "seen": seen_text(rules_as_values(guardrail(stage.organization)))}
