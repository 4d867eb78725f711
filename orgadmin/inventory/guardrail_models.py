"""Guardrails and who holds them, as OpenRouter last told. Rows point at keys, members and workspaces by the
ids that OpenRouter gives them."""

from __future__ import annotations

from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from orgadmin.inventory.mirror import Mirror
from orgadmin.inventory.money import MoneyField

# The switches for zero data retention, by the models they cover.
ZDR_FIELDS = (
    "enforce_zdr_anthropic",
    "enforce_zdr_openai",
    "enforce_zdr_google",
    "enforce_zdr_xai",
    "enforce_zdr_other",
)


class Guardrail(Mirror):
    """GET /guardrails. A list that is null restricts nothing, a switch that is null says nothing.

    ``limit_usd`` is an allowance of each key and each member that holds it, never a pool. ``lacks`` names the
    fields that the server did not send at all: it does not know them, and they cannot be set.
    """

    uid = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    description = models.TextField(null=True)  # noqa: DJ001 (null is upstream's "unset")
    # Where it is filed; null is a guardrail from before there were workspaces.
    workspace_uid = models.CharField(max_length=64, null=True)  # noqa: DJ001
    limit_usd = MoneyField(null=True)
    reset_interval = models.CharField(max_length=50, null=True)  # noqa: DJ001
    include_byok_in_budgets = models.BooleanField(null=True)
    allowed_models = models.JSONField(null=True)
    ignored_models = models.JSONField(null=True)
    allowed_providers = models.JSONField(null=True)
    ignored_providers = models.JSONField(null=True)
    enforce_zdr_anthropic = models.BooleanField(null=True)
    enforce_zdr_openai = models.BooleanField(null=True)
    enforce_zdr_google = models.BooleanField(null=True)
    enforce_zdr_xai = models.BooleanField(null=True)
    enforce_zdr_other = models.BooleanField(null=True)
    enable_paid_model_training = models.BooleanField(null=True)
    enable_free_model_training = models.BooleanField(null=True)
    enable_free_model_publication = models.BooleanField(null=True)
    allow_safety_retention_google = models.BooleanField(null=True)
    allow_safety_retention_other = models.BooleanField(null=True)
    allowed_data_regions = models.JSONField(null=True)
    content_filter_builtins = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    content_filters = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    lacks = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_guardrail_row"),)
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def limit(self) -> Decimal | None:
        """What each key and each member may spend in an interval."""
        return None if self.limit_usd is None else Decimal(self.limit_usd)


class KeyAssignment(Mirror):
    """GET /guardrails/assignments/keys: a key holds one guardrail at most, so the key names the row."""

    key_hash = models.CharField(max_length=64)
    uid = models.CharField(max_length=64)
    guardrail_uid = models.CharField(max_length=64)
    key_name = models.TextField(default="")
    assigned_by = models.CharField(max_length=100, null=True)  # noqa: DJ001
    created_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "key_hash"], name="one_guardrail_a_key"),
        )
        indexes = (models.Index(fields=["organization", "guardrail_uid"], name="keys_by_guardrail"),)

    def __str__(self) -> str:
        return self.key_name or self.key_hash


class MemberAssignment(Mirror):
    """GET /guardrails/assignments/members: a member holds one guardrail at most."""

    user_id = models.CharField(max_length=100)
    uid = models.CharField(max_length=64)
    guardrail_uid = models.CharField(max_length=64)
    assigned_by = models.CharField(max_length=100, null=True)  # noqa: DJ001
    created_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "user_id"], name="one_guardrail_a_member"),
        )
        indexes = (models.Index(fields=["organization", "guardrail_uid"], name="members_by_guardrail"),)

    def __str__(self) -> str:
        return self.user_id
