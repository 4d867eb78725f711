"""What the forms of destinations post when all is well."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Destination
from orgadmin.observability.drafts import settings_of
from orgadmin.observability.forms import seen_text

RULES = {
    "rules-enabled": "on",
    "rule-logic": "or",
    "rule-group": "0",
    "rule-field": "total_cost",
    "rule-operator": "gt",
    "rule-value": "0.05",
}
COMMON = {
    "name": "fuzzed",
    "enabled": "on",
    "scope": "all",
    "api_key_hashes": "",
    "add-api_key_hashes": "",
    "sampling": "12.5",
    **RULES,
}
NEW = {
    "secret-apiKey": "phc_0123456789abcdef",
    "setting-endpoint": "https://eu.i.posthog.com",
    "secret-headers": "",
}


def destination(organization: Organization, kind: str = "langfuse") -> Destination:
    rows = Destination.objects.filter(organization=organization, gone_at=None, type=kind)
    return rows.order_by("pk")[0]


def stranger(organization: Organization) -> Destination:
    """One of a type that nobody here has heard of, known to us alone."""
    found, _ = Destination.objects.get_or_create(
        organization=organization,
        uid="22222222-2222-4222-8222-222222222222",
        defaults={
            "type": "raindrop",
            "name": "Raindrop",
            "workspace_uid": destination(organization).workspace_uid,
            "enabled": True,
            "privacy_mode": False,
            "config": {"write_key": "sk-l...AbCd", "lanes": 2},
        },
    )
    return found


def new_destination(stage: Any) -> dict[str, Any]:
    place = {"workspace": destination(stage.organization).workspace_uid, "type": "posthog"}
    return {**place, **COMMON, **NEW, "regions": "global", "form_token": str(uuid.uuid4())}


def edited_destination(stage: Any) -> dict[str, Any]:
    seen = seen_text(settings_of(destination(stage.organization)))
    secrets = {"secret-secretKey": "", "secret-publicKey": "", "secret-headers": "", "setting-baseUrl": ""}
    return {**COMMON, **secrets, "seen": seen}


def edited_stranger(stage: Any) -> dict[str, Any]:
    row = stranger(stage.organization)
    return {
        "name": "R",
        "scope": "all",
        "sampling": "1",
        "secret-config": "{}",
        "seen": seen_text(settings_of(row)),
    }


def _at(what: str, kind: str = "langfuse") -> Any:
    def address(stage: Any) -> str:
        uid = stranger(stage.organization).uid if kind == "raindrop" else destination(stage.organization).uid
        return f"/o/acme/observability/{uid}/{what}/"

    return address


def _new_address(stage: Any) -> str:
    return "/o/acme/observability/create/"


FORMS: Mapping[str, tuple[Any, Any]] = {
    "new destination": (_new_address, new_destination),
    "edit destination": (_at("edit"), edited_destination),
    "edit destination as JSON": (_at("edit", "raindrop"), edited_stranger),
    "delete destination": (_at("delete"), lambda stage: {"confirmation": "not its name"}),
    "filter rules": (
        lambda stage: "/o/acme/observability/rules/",
        lambda stage: {**RULES, "rules-do": "add-rule:0"},
    ),
}
