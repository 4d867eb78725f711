"""The guardrails of an organization, as the pages of models name them."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Guardrail, Workspace
from orgadmin.policy.layers import Layer
from orgadmin.policy.subjects import KEY, layer_of


@dataclass(frozen=True)
class Rule:
    """One guardrail. ``place`` is the workspace it is filed in, "" where that is not known; the default of a
    workspace, whose name at OpenRouter is an id, is named by it."""

    uid: str
    name: str
    place: str
    layer: Layer


def rules_of(organization: Organization) -> list[Rule]:
    """All of them by name, in two queries."""
    rows = Guardrail.objects.filter(organization=organization, gone_at=None)
    workspaces = Workspace.objects.filter(organization=organization, gone_at=None)
    columns = ("uid", "name", "default_guardrail_id")
    places: dict[str | None, str] = {}
    defaults: dict[str, str] = {}
    for uid, name, default in workspaces.values_list(*columns):
        places[uid] = name
        defaults[default] = f"Default of {name}"
    found = [
        Rule(
            row.uid,
            defaults.get(row.uid, row.name or row.uid),
            places.get(row.workspace_uid, ""),
            layer_of(row, KEY),
        )
        for row in rows
    ]
    return sorted(found, key=lambda rule: (rule.name.casefold(), rule.uid))
