"""What is searched: a declaration a noun, in the order in which groups of equal worth are shown."""

from __future__ import annotations

from dashboard.search.finding import Keys, Noun
from dashboard.search.pages import OWN, READ
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import (
    Credential,
    Destination,
    Guardrail,
    Key,
    Member,
    Preset,
    Workspace,
    member_name,
)

# What a guardrail that a workspace made for itself is called on every page, after the workspace.
_DEFAULT_OF = (
    "(SELECT 'Default of ' || w.name FROM inventory_workspace w WHERE w.organization_id = o.organization_id "
    "AND w.uid = o.workspace_uid AND w.default_guardrail_id = o.uid AND w.gone_at IS NULL)"
)

NOUNS: tuple[Noun, ...] = (
    Keys(
        "Keys",
        Key,
        target="keys:detail",
        argument="key_hash",
        identities=("hash",),
        details=("label", "workspace__name"),
        needs=(READ, OWN),
        listing="keys:list",
    ),
    Noun(
        "Members",
        Member,
        target="members:detail",
        argument="member_uid",
        names=("first_name", "last_name"),
        identities=("uid", "email"),
        also=("email",),
        label=lambda one: member_name(one["uid"], one["email"], one["first_name"], one["last_name"]),
        details=("email",),
        listing="members:list",
    ),
    Noun(
        "Workspaces",
        Workspace,
        target="workspaces:detail",
        argument="workspace_uid",
        names=("name", "slug"),
        details=("slug",),
        listing="workspaces:list",
    ),
    Noun(
        "Guardrails",
        Guardrail,
        target="guardrails:detail",
        argument="guardrail_uid",
        names=("name", _DEFAULT_OF),
        also=("description",),
        details=("(substr(o.description, 1, 80))",),
        label=lambda one: one[_DEFAULT_OF],
        listing="guardrails:list",
    ),
    Noun(
        "BYOK credentials",
        Credential,
        target="byok:detail",
        argument="credential_uid",
        names=("name", "label"),
        also=("provider",),
        details=("provider", "label"),
        label=lambda one: one["name"] or one["label"],
        listing="byok:list",
    ),
    Noun(
        "Destinations",
        Destination,
        target="observability:detail",
        argument="destination_uid",
        names=("name", "type"),
        details=("type",),
        label=lambda one: one["name"] or one["type"],
        listing="observability:list",
    ),
    Noun(
        "Presets",
        Preset,
        target="presets:detail",
        argument="preset_uid",
        names=("name", "slug"),
        also=("description",),
        details=("slug",),
        listing="presets:list",
    ),
    Noun(
        "Models",
        CatalogModel,
        target="catalog:detail",
        argument="model_slug",
        names=("name", "slug"),
        identities=("slug", "permaslug", "listed_as"),
        also=("permaslug",),
        details=("slug",),
        needs=(READ, OWN),
        listing="catalog:list",
    ),
)
