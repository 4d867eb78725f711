"""Presets and their versions. Rows point at workspaces by the id that OpenRouter gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.mirror import Mirror
from orgadmin.openrouter import jsontext


class Preset(Mirror):
    """GET /presets: named settings of one workspace.

    ``live_version`` is the number of the version that callers are served (None: none), ``newest_version`` of
    the last one there is; they differ where the vendor's page kept an older one. ``pinned_models`` are those
    that the live version names, for lists and filters.
    """

    uid = models.CharField(max_length=64)
    slug = models.CharField(max_length=200)
    name = models.CharField(max_length=300)
    description = models.TextField(null=True)  # noqa: DJ001 (upstream knows null and empty)
    status = models.CharField(max_length=50)
    status_updated_at = models.DateTimeField(null=True)
    live_version = models.PositiveIntegerField(null=True)
    newest_version = models.PositiveIntegerField(null=True)
    pinned_models = models.JSONField(default=list)
    designated_version_uid = models.CharField(max_length=64, null=True)  # noqa: DJ001
    workspace_uid = models.CharField(max_length=64, default="")
    creator_user_id = models.CharField(max_length=100, null=True)  # noqa: DJ001
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_preset_row"),)
        indexes = (models.Index(fields=["organization", "workspace_uid", "slug"], name="presets_by_slug"),)

    def __str__(self) -> str:
        return self.name


class PresetVersion(models.Model):
    """GET /presets/{slug}/versions: one version of a preset. Nothing changes it once it is made.

    ``settings`` is JSON as text, so that its numbers stay what they are; ``config`` reads it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    preset_uid = models.CharField(max_length=64)
    uid = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    settings = models.TextField(default="{}")
    system_prompt = models.TextField(null=True)  # noqa: DJ001
    creator_id = models.CharField(max_length=100, default="")
    created_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("number",)
        constraints = (
            models.UniqueConstraint(fields=["organization", "preset_uid", "number"], name="one_version_each"),
        )

    def __str__(self) -> str:
        return f"Version {self.number}"

    @property
    def config(self) -> Mapping[str, Any]:
        """Fractions are Decimal."""
        found: Mapping[str, Any] = jsontext.loads(self.settings)
        return found


def models_of(config: Mapping[str, Any]) -> list[str]:
    """The models that a config names, the first choice first, each once."""
    listed = config.get("models")
    names = [config.get("model"), *(listed if isinstance(listed, list | tuple) else ())]
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))
