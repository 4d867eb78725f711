"""What OpenRouter last told us of its nouns, and the pulls that asked.

Rows mirror upstream objects and keep its names; nothing here is ever deleted, a vanished row gets
``gone_at``. ``extra`` keeps the fields we do not know yet.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.byok_models import Credential as Credential
from orgadmin.inventory.destination_models import Destination as Destination
from orgadmin.inventory.guardrail_models import Guardrail as Guardrail
from orgadmin.inventory.guardrail_models import KeyAssignment as KeyAssignment
from orgadmin.inventory.guardrail_models import MemberAssignment as MemberAssignment
from orgadmin.inventory.mirror import Mirror as Mirror
from orgadmin.inventory.money import MoneyField
from orgadmin.inventory.preset_models import Preset as Preset
from orgadmin.inventory.preset_models import PresetVersion as PresetVersion
from orgadmin.inventory.workspace_models import WorkspaceBudgets as WorkspaceBudgets
from orgadmin.inventory.workspace_models import WorkspaceMember as WorkspaceMember


class Workspace(Mirror):
    """GET /workspaces."""

    uid = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=100)
    description = models.TextField(default="", null=True)  # noqa: DJ001 (null is upstream's "unset")
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=100, null=True)  # noqa: DJ001
    default_guardrail_id = models.CharField(max_length=64, default="")
    default_text_model = models.CharField(max_length=200, null=True)  # noqa: DJ001
    default_image_model = models.CharField(max_length=200, null=True)  # noqa: DJ001
    default_provider_sort = models.CharField(max_length=50, null=True)  # noqa: DJ001
    is_observability_broadcast_enabled = models.BooleanField(default=False)
    is_observability_io_logging_enabled = models.BooleanField(default=False)
    io_logging_sampling_rate = models.FloatField(default=1)
    io_logging_api_key_ids = models.JSONField(null=True)
    is_data_discount_logging_enabled = models.BooleanField(default=False)
    include_byok_in_budgets = models.BooleanField(null=True)
    disabled_server_tools = models.JSONField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_workspace_row"),)
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class Member(Mirror):
    """GET /organization/members."""

    uid = models.CharField(max_length=100)
    email = models.CharField(max_length=254, default="")
    first_name = models.CharField(max_length=200, null=True)  # noqa: DJ001
    last_name = models.CharField(max_length=200, null=True)  # noqa: DJ001
    role = models.CharField(max_length=50, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "uid"], name="one_member_row"),)
        ordering = ("first_name", "last_name", "id")

    def __str__(self) -> str:
        return member_name(self.uid, self.email, self.first_name, self.last_name)


def member_name(uid: str, email: str, first_name: str | None, last_name: str | None) -> str:
    """What a person is called: by name, else by address, else by OpenRouter's id."""
    return " ".join(filter(None, [first_name, last_name])) or email or uid


# The counters of today are not both zero.
SPENT_TODAY = ~Q(usage_daily=0, byok_usage_daily=0)
# Something is left of a limit, and which part of it.
WITHIN_LIMIT = Q(gone_at=None, limit__gt=0, limit_remaining__gt=0)
SHARE_LEFT = Cast("limit_remaining", models.FloatField()) / models.F("limit")


class Key(Mirror):
    """GET /keys. The secret is never here: OpenRouter shows it once, and so do we."""

    hash = models.CharField(max_length=64)
    name = models.TextField()
    label = models.CharField(max_length=200, default="")
    disabled = models.BooleanField(default=False)
    limit = MoneyField(null=True)
    limit_remaining = MoneyField(null=True)
    limit_reset = models.CharField(max_length=50, null=True)  # noqa: DJ001
    include_byok_in_limit = models.BooleanField(default=False)
    usage = MoneyField(default=0)
    usage_daily = MoneyField(default=0)
    usage_weekly = MoneyField(default=0)
    usage_monthly = MoneyField(default=0)
    byok_usage = MoneyField(default=0)
    byok_usage_daily = MoneyField(default=0)
    byok_usage_weekly = MoneyField(default=0)
    byok_usage_monthly = MoneyField(default=0)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    creator_user_id = models.CharField(max_length=100, null=True)  # noqa: DJ001
    workspace_uid = models.CharField(max_length=64, default="")
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    external_user = models.CharField(max_length=200, null=True)  # noqa: DJ001

    workspace = models.ForeignKey(Workspace, models.PROTECT, null=True, related_name="keys")
    owner = models.ForeignKey(Member, models.PROTECT, null=True, related_name="keys")
    # Last sign of life: OpenRouter's last_used_at, or the moment we saw a counter move.
    active_at = models.DateTimeField(null=True)
    # Everything a person may search for, case folded: name, label, hash, owner's name and e-mail.
    search_text = models.TextField(default="")
    # The name case folded and cut: what lists sort by, short enough for an index.
    sort_name = models.CharField(max_length=100, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "hash"], name="one_key_row"),)
        indexes = (
            # Of the keys that exist only: PostgreSQL takes no order out of an index behind "is null".
            *(
                models.Index(fields=["organization", column, "id"], condition=Q(gone_at=None), name=name)
                for column, name in (
                    ("sort_name", "keys_by_name"),
                    ("usage_monthly", "keys_by_month"),
                    ("created_at", "keys_by_age"),
                )
            ),
            # The counters of today: their sum, the largest, and those of each owner.
            models.Index(
                "organization",
                (models.F("usage_daily") + models.F("byok_usage_daily")).desc(),
                "usage_daily",
                "byok_usage_daily",
                "owner",
                condition=SPENT_TODAY,
                name="keys_by_today",
            ),
            # The few that will expire, and of those within a limit the nearest to its end first.
            models.Index(
                fields=["organization", "expires_at"],
                condition=Q(gone_at=None, expires_at__isnull=False),
                name="keys_by_expiry",
            ),
            models.Index("organization", SHARE_LEFT, condition=WITHIN_LIMIT, name="keys_by_share_left"),
            models.Index(fields=["organization", "owner"], name="keys_by_owner"),
            models.Index(fields=["organization", "workspace", "gone_at"], name="keys_by_workspace"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """One word: gone, disabled, expired, exhausted (limit reached) or active."""
        if self.gone_at is not None:
            return "gone"
        if self.disabled:
            return "disabled"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        if self.limit_remaining is not None and self.limit_remaining <= 0:
            return "exhausted"
        return "active"

    @property
    def share_used(self) -> Decimal | None:
        """Part of the limit that is used, 0 to 1 and beyond; None without a limit (FACTS 3.7)."""
        if self.limit is None or self.limit_remaining is None:
            return None
        return Decimal(1) if self.limit <= 0 else 1 - self.limit_remaining / self.limit

    @property
    def unseen(self) -> str:
        """What to say where no moment of use is known: OpenRouter has none from before 2026 (FACTS 2.1)."""
        return "unknown" if self.usage or self.byok_usage else "never"

    @property
    def idle_since(self) -> datetime | None:
        """Last sign of life, else the day it was made."""
        return self.active_at or self.created_at


class SyncRun(models.Model):
    """One pull of one noun for one organization; the Sync page shows these."""

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        OK = "ok", "Done"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sync_runs")
    kind = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=State.choices, default=State.QUEUED)
    # None: the clock asked.
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    # How many rows there probably are, for the progress bar; 0 = nobody knows yet.
    expected = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["organization", "kind", "state", "id"], name="runs_by_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.organization} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}


class Lease(models.Model):
    """Who holds a name, and until when (``orgadmin.inventory.leases``)."""

    name = models.CharField(max_length=200, primary_key=True)
    holder = models.CharField(max_length=64)
    expires_at = models.FloatField()

    def __str__(self) -> str:
        return self.name
