"""What every row of the mirror has."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization


class Mirror(models.Model):
    """One upstream object of one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    extra = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    first_seen_at = models.DateTimeField(default=timezone.now)
    # When this dashboard itself wrote the object upstream: a page requested before that is out of date.
    written_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
