"""What belongs to a workspace: its budgets and who is in it. Rows point at workspaces and members by the ids
that OpenRouter gives them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import models

from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.money import MoneyField

INTERVALS = ("daily", "weekly", "monthly", "lifetime")
"""The narrowest first; each limit is strictly less than those of wider intervals (FACTS 3.6)."""


class WorkspaceBudgets(Mirror):
    """GET /workspaces/{id}/budgets: all budgets of one workspace in US dollars, pooled over everything in it.

    A row exists once the workspace has a budget; without any it is gone. ``since`` tells by interval when the
    budget was made (ISO 8601). Whether use of keys of one's own counts is the workspace's
    ``include_byok_in_budgets``; ``include_byok`` is what came with the budgets.
    """

    workspace_uid = models.CharField(max_length=64)
    daily = MoneyField(null=True)
    weekly = MoneyField(null=True)
    monthly = MoneyField(null=True)
    lifetime = MoneyField(null=True)
    include_byok = models.BooleanField(null=True)
    since = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "workspace_uid"], name="one_row_of_budgets"),
        )

    def __str__(self) -> str:
        return f"Budgets of {self.workspace_uid}"

    @property
    def limits(self) -> Mapping[str, Decimal]:
        """The limits there are, by interval, the narrowest first."""
        found = ((interval, getattr(self, interval)) for interval in INTERVALS)
        return {interval: limit for interval, limit in found if limit is not None}


class WorkspaceMember(Mirror):
    """GET /workspaces/{id}/members: one person in one workspace; ``place`` names the two together. Of the
    default workspace there are no rows: everybody of the organization is in it."""

    place = models.CharField(max_length=100)
    uid = models.CharField(max_length=64)
    workspace_uid = models.CharField(max_length=64)
    user_id = models.CharField(max_length=100)
    role = models.CharField(max_length=50, default="")
    created_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "place"], name="one_place_a_person"),)
        indexes = (
            models.Index(fields=["organization", "workspace_uid"], name="members_by_workspace"),
            models.Index(fields=["organization", "user_id"], name="workspaces_by_member"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} in {self.workspace_uid}"


def place_of(workspace_uid: str, user_id: str) -> str:
    """What names a person's place in a workspace, here and in the audit log."""
    return f"{workspace_uid}/{user_id}"
