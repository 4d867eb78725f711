"""A rotation under way: which key succeeds which, and where the old one's counter stood."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.inventory.money import MoneyField


class Rotation(models.Model):
    """Both keys are live until a person retires the old one; nothing here does that by itself."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="rotations")
    old = models.ForeignKey(Key, models.PROTECT, related_name="successions")
    new = models.ForeignKey(Key, models.PROTECT, related_name="predecessions")
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    # The old key's lifetime spend, credits and BYOK, when its successor was made.
    old_usage_at_start = MoneyField(default=0)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["new"], name="one_rotation_a_successor"),)

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"
