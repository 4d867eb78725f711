"""The provider keys that the organization brought, as OpenRouter last told: all but the keys themselves."""

from __future__ import annotations

from django.db import models

from orgadmin.inventory.mirror import Mirror


class Credential(Mirror):
    """GET /byok. ``label`` is OpenRouter's mask of the provider's key; that key is nowhere here.

    ``workspace_uid`` null: all workspaces. A list that is null restricts nothing. ``sort_order`` is the place
    within its provider, workspace and section (prioritized or fallback); only OpenRouter's own page moves it.
    ``lacks`` names the fields that the server did not send: it does not know them, and they cannot be set.
    """

    uid = models.CharField(max_length=64)
    provider = models.CharField(max_length=100)
    name = models.CharField(max_length=255, null=True)  # noqa: DJ001 (null is upstream's "unset")
    label = models.CharField(max_length=200, default="")
    disabled = models.BooleanField(default=False)
    is_fallback = models.BooleanField(default=False)
    sort_order = models.IntegerField(default=0)
    workspace_uid = models.CharField(max_length=64, null=True)  # noqa: DJ001
    allowed_models = models.JSONField(null=True)
    allowed_api_key_hashes = models.JSONField(null=True)
    allowed_user_ids = models.JSONField(null=True)
    is_required = models.BooleanField(null=True)
    is_byok_only = models.BooleanField(null=True)
    declared_region = models.CharField(max_length=50, null=True)  # noqa: DJ001
    declared_zdr = models.BooleanField(null=True)
    created_at = models.DateTimeField(null=True)
    lacks = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_credential_row"),)
        ordering = ("provider", "is_fallback", "sort_order", "id")

    def __str__(self) -> str:
        return self.name or self.label or self.uid
