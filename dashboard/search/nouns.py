"""What is searched: a declaration a noun, in the order in which groups of equal worth are shown."""

from __future__ import annotations

from django.db.models import Value
from django.db.models.functions import Coalesce, Concat, Left, NullIf, Trim

from dashboard.search.finding import Keys, Noun
from dashboard.search.pages import OWN, READ
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import Guardrail, Key, Member, Workspace

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
        # As ``member_name`` calls a person.
        label=Coalesce(
            NullIf(Trim(Concat("first_name", Value(" "), "last_name")), Value("")),
            NullIf("email", Value("")),
            "uid",
        ),
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
        also=("description",),
        details=(Left("description", 80),),
        listing="guardrails:list",
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
