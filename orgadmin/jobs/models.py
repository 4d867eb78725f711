"""Long work a person started: a job and its items. The rows are the ledger; a worker only works them off."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization, User


class Job(models.Model):
    """One act on many objects."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="jobs")
    # Which slice's work it is: "keys.disable"; ``orgadmin.jobs.services`` maps it to a function.
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    total = models.PositiveIntegerField(default=0)
    # Which slice is next: a bell says which one it was rung for.
    turn = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    form_token = models.UUIDField(null=True, unique=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["organization", "state", "id"], name="jobs_by_state"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}


class JobItem(models.Model):
    """What a job does to one object, and what came of it."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        OK = "ok", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"
        SKIPPED = "skipped", "Skipped"

    job = models.ForeignKey(Job, models.CASCADE, related_name="items")
    target_id = models.CharField(max_length=100)
    target_name = models.CharField(max_length=300)
    state = models.CharField(max_length=20, choices=State.choices, default=State.PENDING)
    message = models.CharField(max_length=500, default="", blank=True)
    # Set before the first call for it: an item that has this and is still pending was cut off.
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["job", "target_id"], name="one_item_each"),)
        indexes = (models.Index(fields=["job", "state", "id"], name="items_by_state"),)

    def __str__(self) -> str:
        return f"{self.target_name}: {self.state}"
