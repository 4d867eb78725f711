"""What dies with a workspace: counted for the person who deletes it, kept in full by the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from orgadmin.inventory import byok_nouns, destination_nouns
from orgadmin.inventory.guardrail_nouns import RULES
from orgadmin.inventory.models import (
    Credential,
    Destination,
    Guardrail,
    Key,
    KeyAssignment,
    MemberAssignment,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
)
from orgadmin.workspaces.drafts import settings_of

KEY_SETTINGS = (
    *("name", "label", "hash", "disabled", "expires_at"),
    *("limit", "limit_reset", "include_byok_in_limit", "creator_user_id"),
)


@dataclass(frozen=True)
class Contents:
    """What is in a workspace. While a key is active, OpenRouter refuses to delete it (FACTS 3.9)."""

    active: QuerySet[Key]
    others: QuerySet[Key]
    guardrails: QuerySet[Guardrail]
    budgets: WorkspaceBudgets | None
    destinations: QuerySet[Destination]
    credentials: QuerySet[Credential]
    members: QuerySet[WorkspaceMember]


def contents_of(workspace: Workspace) -> Contents:
    inside = {"organization": workspace.organization_id, "workspace_uid": workspace.uid, "gone_at": None}
    keys = Key.objects.filter(**inside).order_by("sort_name", "pk")
    is_active = Q(disabled=False) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
    return Contents(
        active=keys.filter(is_active),
        others=keys.exclude(is_active),
        guardrails=Guardrail.objects.filter(**inside).order_by("name", "pk"),
        destinations=Destination.objects.filter(**inside).order_by("name", "pk"),
        credentials=Credential.objects.filter(**inside).order_by("provider", "pk"),
        budgets=WorkspaceBudgets.objects.filter(**inside).first(),
        members=WorkspaceMember.objects.filter(**inside).order_by("pk"),
    )


def snapshot_of(workspace: Workspace) -> dict[str, Any]:
    """Everything that dies with it, as plain values: nothing of it can be brought back from OpenRouter."""
    contents = contents_of(workspace)
    limits = contents.budgets.limits if contents.budgets else {}
    mine = {"organization": workspace.organization_id, "gone_at": None}
    uids = list(contents.guardrails.values_list("uid", flat=True))
    of_keys = KeyAssignment.objects.filter(guardrail_uid__in=uids, **mine).order_by("pk")
    of_members = MemberAssignment.objects.filter(guardrail_uid__in=uids, **mine).order_by("pk")
    return {
        **settings_of(workspace),
        "default_guardrail_id": workspace.default_guardrail_id,
        "include_byok_in_budgets": workspace.include_byok_in_budgets,
        **limits,
        "guardrails": [{"id": row["uid"], **row} for row in contents.guardrails.values("uid", *RULES)],
        "held_by_keys": list(of_keys.values("key_hash", "guardrail_uid")),
        "held_by_members": list(of_members.values("user_id", "guardrail_uid")),
        "destinations": list(contents.destinations.values("uid", "type", *destination_nouns.SETTINGS)),
        "credentials": list(contents.credentials.values("uid", "provider", "label", *byok_nouns.SETTINGS)),
        "members": list(contents.members.values("user_id", "role")),
        "keys": list(contents.others.values(*KEY_SETTINGS)),
    }
