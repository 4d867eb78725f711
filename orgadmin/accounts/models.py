"""Users, the organizations they administer, and what each may do there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils import timezone

from orgadmin.accounts.fields import EncryptedField


class PeopleManager(UserManager["User"]):
    """Creates users by e-mail address; there is no user name."""

    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """Somebody who signs in. ``is_staff`` may connect organizations to this installation."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[PeopleManager] = PeopleManager()

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def initials(self) -> str:
        words = (self.get_full_name() or self.email.split("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in words[:2]).upper()


class Organization(models.Model):
    """One OpenRouter account and the management key that administers it."""

    class Status(models.TextChoices):
        CONNECTED = "connected", "Connected"
        BROKEN = "broken", "Needs attention"
        DISCONNECTED = "disconnected", "Disconnected"

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50, unique=True)
    base_url = models.URLField(max_length=300)
    management_key = EncryptedField(null=True)
    # What a person may see of the key: OpenRouter's own masked label.
    key_label = models.CharField(max_length=100, default="")
    # SHA-256 of the key: names the credential for the shared rate limit, and finds it twice connected.
    key_hash = models.CharField(max_length=64, default="", db_index=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.CONNECTED)
    status_message = models.CharField(max_length=500, default="", blank=True)
    default_workspace_uid = models.CharField(max_length=64, default="", blank=True)
    # What this account can do, found out by trying: {"members": bool, ...}; absent = not tried yet.
    capabilities = models.JSONField(default=dict)
    # Counts for the sidebar and headers, written after each sync and change: one row, no query each.
    summary = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def is_connected(self) -> bool:
        """Whether its key worked last. Does not touch the key, which most pages leave in the database."""
        return self.status == self.Status.CONNECTED


class InferenceKey(models.Model):
    """A key for model calls, lent to the dashboard for what management keys may not do: presets. It belongs
    to one workspace, so there is one for each at most.

    It was proven at ``base_url`` and is sent nowhere else, should the organization's address change.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="inference_keys")
    workspace_uid = models.CharField(max_length=64)
    base_url = models.URLField(max_length=300)
    secret = EncryptedField()
    key_label = models.CharField(max_length=100, default="")
    # SHA-256 of the key: names the credential for the shared rate limit.
    key_hash = models.CharField(max_length=64)
    added_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    # When OpenRouter last did not take it, and its words; None while it works.
    refused_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=500, default="", blank=True)
    # When the presets of its workspace were last read with it; None: not yet.
    presets_read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["organization", "workspace_uid"], name="one_key_a_workspace"),
        )

    def __str__(self) -> str:
        return self.key_label or "An API key"


class Role(models.TextChoices):
    """A set of permissions, not a rank; ``orgadmin.access`` says which."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    VIEWER = "viewer", "Viewer"
    MEMBER = "member", "Member"


class Membership(models.Model):
    """What a user is in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "organization"], name="one_role_each"),)

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.organization}"


class Invitation(models.Model):
    """A way in for somebody: by e-mail, or by a link handed over. Only the token's hash is kept."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="invitations")
    # Empty: whoever holds the link.
    email = models.EmailField(default="", blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.role} of {self.organization} for {self.email or 'whoever holds the link'}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class RateSlot(models.Model):
    """When the next request of a credential may leave (``orgadmin.accounts.limiter``)."""

    name = models.CharField(max_length=100, primary_key=True)
    # Seconds since the epoch; the moment at which the credential's bucket is full again.
    full_at = models.FloatField()

    def __str__(self) -> str:
        return self.name
