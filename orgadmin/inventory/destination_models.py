"""Observability destinations, as OpenRouter last told. Rows point at keys and workspaces by the ids that
OpenRouter gives them."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from orgadmin.inventory.destination_types import label_of
from orgadmin.inventory.mirror import Mirror

SWITCHES = (
    "broadcast_generation_cost",
    "broadcast_generation_cost_allocation",
    "broadcast_generation_identity",
    "broadcast_generation_request_context",
)


class Destination(Mirror):
    """GET /observability/destinations. It sends only while its workspace broadcasts, too.

    ``config`` holds no secret, only masks (``orgadmin.inventory.destination_config``). ``api_key_hashes``
    null means every key, ``filter_rules`` null every trace. ``sampling_rate`` is a share of 1. ``lacks``
    names what the server did not send, or sent in a shape that nobody here can read: it cannot be set.
    """

    uid = models.CharField(max_length=64)
    type = models.CharField(max_length=60)
    name = models.TextField(null=True)  # noqa: DJ001 (null is upstream's "unset")
    workspace_uid = models.CharField(max_length=64)
    enabled = models.BooleanField()
    config = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    api_key_hashes = models.JSONField(null=True)
    filter_rules = models.JSONField(null=True)
    privacy_mode = models.BooleanField()
    sampling_rate = models.FloatField(default=1)
    broadcast_generation_cost = models.BooleanField(null=True)
    broadcast_generation_cost_allocation = models.BooleanField(null=True)
    broadcast_generation_identity = models.BooleanField(null=True)
    broadcast_generation_request_context = models.BooleanField(null=True)
    regions = models.JSONField(null=True)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    lacks = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_destination_row"),)
        indexes = (models.Index(fields=["organization", "workspace_uid"], name="destinations_by_workspace"),)
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name or f"{label_of(self.type)} without a name"
