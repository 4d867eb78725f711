"""Who changed what, before and after, with which outcome. Rows are written once and never touched again."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization, User


class AppendOnlyError(Exception):
    """Somebody tried to edit or delete an audit entry."""


class AppendOnlyQuerySet(models.QuerySet["Entry"]):
    def update(self, **_: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never edited.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never edited.")


class Outcome(models.TextChoices):
    STARTED = "started", "Started"
    OK = "ok", "Done"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"


class ActorKind(models.TextChoices):
    PERSON = "person", "Person"
    SYSTEM = "system", "This dashboard"
    OUTSIDE = "outside", "Outside"


class Entry(models.Model):
    """One moment of one act.

    An act on OpenRouter is two rows: ``started`` before the call, its outcome after; the second names the
    first in ``about``. What happened here or was found afterwards is one row with its outcome.
    """

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="audit_entries")
    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=20, choices=ActorKind.choices)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    # The name as it was at the time: people are renamed.
    actor_name = models.CharField(max_length=300, default="")
    # Dotted: noun.verb, such as key.create.
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40, default="")
    target_id = models.CharField(max_length=100, default="")
    target_name = models.CharField(max_length=300, default="")
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    message = models.TextField(default="", blank=True)
    upstream_request_id = models.CharField(max_length=200, default="", blank=True)
    about = models.ForeignKey("self", models.PROTECT, null=True, related_name="outcomes")
    # The act whose changes this one puts back.
    restores = models.ForeignKey("self", models.PROTECT, null=True, related_name="restorations")
    # The form's one-use token: a second submission of the same form finds it taken.
    form_token = models.UUIDField(null=True, unique=True)

    objects: ClassVar[models.Manager[Entry]] = models.Manager.from_queryset(AppendOnlyQuerySet)()

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=["organization", "about", "id"], name="audit_by_time"),
            models.Index(fields=["organization", "target_type", "target_id", "id"], name="audit_by_target"),
            models.Index(
                fields=["organization", "at"],
                condition=models.Q(actor_kind=ActorKind.OUTSIDE),
                name="audit_from_outside",
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.target_name} by {self.actor_name}: {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Audit entries are never edited.")
        # A new object may name the number of an old one; without this Django would overwrite that row.
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")
