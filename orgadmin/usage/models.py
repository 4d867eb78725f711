"""What OpenRouter told us of use: facts by day, roll-ups of them, today by the hour, credits.

A fact says what one key spent on one model at one provider endpoint on one UTC day. Parts of a fact that
are unknown are 0, never NULL, so that the natural key is a plain unique index: no two rows can say the same
thing. Facts are written by ``orgadmin.usage.store`` alone, which keeps the roll-ups equal to their sums.

Keys, workspaces and members are the rows of ``orgadmin.inventory``, which never deletes one: what a deleted
key spent keeps its name.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.money import MoneyField

# In place of a key: use that no key made (OpenRouter's own chat room), and use of a key that we never knew.
NO_KEY, UNKNOWN_KEY = 0, -1


class UsageModel(models.Model):
    """A model that was used. ``permaslug`` never changes; ``slug`` is what it was called last."""

    permaslug = models.CharField(max_length=200, unique=True)
    slug = models.CharField(max_length=200, default="")

    def __str__(self) -> str:
        return self.slug or self.permaslug


class UsageProvider(models.Model):
    """A provider by its display name, as activity spells it (FACTS trap 33)."""

    name = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.name


class UsageEndpoint(models.Model):
    """One model at one provider: the ``endpoint_id`` of activity."""

    uid = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.uid


class Measures(models.Model):
    """What is counted. Money is US dollars; ``completion_tokens`` include ``reasoning_tokens``."""

    requests = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cached_tokens = models.BigIntegerField(default=0)
    # Billed to credits; and paid at a provider of one's own, at market rates.
    usage = MoneyField(default=0)
    byok_usage = MoneyField(default=0)

    class Meta:
        abstract = True


MEASURES = (
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "usage",
    "byok_usage",
)


class UsageDay(Measures):
    """One fact. The columns hold primary keys without constraints: 0 says that the part is unknown, and
    twenty million rows would pay for four checks each."""

    organization_id = models.BigIntegerField()
    day = models.DateField()
    key_id = models.BigIntegerField(default=NO_KEY)
    member_id = models.BigIntegerField(default=0)
    workspace_id = models.BigIntegerField(default=0)
    model_id = models.BigIntegerField()
    endpoint_id = models.BigIntegerField(default=0)
    provider_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=[
                    "organization_id",
                    "day",
                    "key_id",
                    "member_id",
                    "workspace_id",
                    "model_id",
                    "endpoint_id",
                ],
                name="one_usage_fact",
            ),
        )
        indexes = (models.Index(fields=["organization_id", "key_id", "day"], name="usage_by_key"),)

    def __str__(self) -> str:
        return f"{self.day}: key {self.key_id}, model {self.model_id}"


class Dimension(models.IntegerChoices):
    """What a roll-up is broken down by. ``part`` is the primary key of the row it names."""

    TOTAL = 0, "Total"
    WORKSPACE = 1, "Workspace"
    MODEL = 2, "Model"
    PROVIDER = 3, "Provider"
    MEMBER = 4, "Member"
    KEY = 5, "Key"


class Grain(models.IntegerChoices):
    DAY = 0, "Day"
    MONTH = 1, "Month"


class UsageRollup(Measures):
    """Sums of facts. Keys have months only: day × key would be nearly as large as the facts themselves.

    ``usage_above`` and ``byok_above`` are the sums of the amounts above zero: no part of the span can hold
    more, refunds or not, which is how the largest keys of half a month are found without reading all of them.
    """

    organization_id = models.BigIntegerField()
    dimension = models.SmallIntegerField(choices=Dimension.choices)
    grain = models.SmallIntegerField(choices=Grain.choices)
    # The day, or the first of the month.
    start = models.DateField()
    part = models.BigIntegerField(default=0)
    usage_above = MoneyField(default=0)
    byok_above = MoneyField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization_id", "dimension", "grain", "start", "part"], name="one_usage_rollup"
            ),
        )
        indexes = (
            # The largest keys of a month (``orgadmin.usage.ranking``).
            models.Index(
                "organization_id",
                "start",
                (models.F("usage_above") + models.F("byok_above")).desc(),
                "part",
                condition=models.Q(dimension=Dimension.KEY, grain=Grain.MONTH),
                name="keys_by_month_spend",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_dimension_display()} {self.part}, {self.start}"


class UsageHour(models.Model):
    """Today (and the days before, while they are not settled) by the hour, from analytics."""

    organization_id = models.BigIntegerField()
    dimension = models.SmallIntegerField(choices=Dimension.choices)
    hour = models.DateTimeField()
    part = models.BigIntegerField(default=0)
    requests = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    usage = MoneyField(default=0)
    byok_usage = MoneyField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization_id", "dimension", "hour", "part"], name="one_usage_hour"
            ),
        )

    def __str__(self) -> str:
        return f"{self.hour}: {self.get_dimension_display()} {self.part}"


class Source(models.TextChoices):
    """Where a day's facts come from; never both, since the two may differ slightly (FACTS 3.14)."""

    NONE = "", "Not there yet"
    ACTIVITY = "activity", "Activity"
    ANALYTICS = "analytics", "Analytics"
    IMPORT = "import", "Imported file"


class DaySum(models.Model):
    """One day of one organization: its source, and OpenRouter's total beside the sum of our facts."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.NONE, blank=True)
    # OpenRouter's organization-wide total, credits and BYOK together, when it was asked last; None: never.
    upstream = MoneyField(null=True)
    upstream_requests = models.BigIntegerField(null=True)
    explanation = models.CharField(max_length=300, default="", blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "day"], name="one_day_sum"),)

    def __str__(self) -> str:
        return f"{self.day} of {self.organization}"


class KeyCursor(models.Model):
    """What a key's counters were when its activity was pulled last: unmoved counters need no call."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    key_id = models.BigIntegerField(unique=True)
    usage = MoneyField(default=0)
    byok_usage = MoneyField(default=0)
    # The last day that was complete when its activity was pulled.
    through = models.DateField(null=True)

    def __str__(self) -> str:
        return f"key {self.key_id} through {self.through}"


# Snapshots before which something was bought, or given back.
JUMPED = models.Q(purchased__lt=0) | models.Q(purchased__gt=0)


class CreditSnapshot(models.Model):
    """GET /credits at one moment: US dollars ever bought and ever spent."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)
    total_credits = MoneyField()
    total_usage = MoneyField()
    # What was bought since the snapshot before; a refund is below zero. None: this is the first snapshot.
    purchased = MoneyField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["organization", "taken_at"], name="credits_by_time"),
            # One snapshot in thousands comes after a purchase: none of the others is read to find it.
            models.Index(fields=["organization", "taken_at"], condition=JUMPED, name="credits_by_jump"),
        )

    def __str__(self) -> str:
        return f"{self.balance} at {self.taken_at}"

    @property
    def balance(self) -> Decimal:
        """What is left. Below zero even free models are refused (FACTS 2.10)."""
        return Decimal(self.total_credits) - Decimal(self.total_usage)


class Harvest(models.Model):
    """A day of what analytics forgets after 31 days: one label of one dimension and its metrics.

    ``metrics`` are as analytics gave them: sums, and rates that must not be summed.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    day = models.DateField()
    dimension = models.CharField(max_length=60)
    label = models.CharField(max_length=300)
    metrics = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "day", "dimension", "label"], name="one_harvest"),
        )

    def __str__(self) -> str:
        return f"{self.day}: {self.dimension} {self.label}"


class HarvestMetric(models.Model):
    """A metric that rows of the harvest have, by dimension, as /analytics/meta described it last.

    The descriptions are kept with the figures: what may be summed must be known when nobody can be asked.
    Where there is none, ``display_label`` and ``display_format`` are empty and nothing is summed.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    dimension = models.CharField(max_length=60)
    name = models.CharField(max_length=100)
    display_label = models.CharField(max_length=200, default="", blank=True)
    display_format = models.CharField(max_length=60, default="", blank=True)
    is_rate = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "dimension", "name"], name="one_harvest_metric"),
        )

    def __str__(self) -> str:
        return self.display_label or self.name


class HistoryPart(models.Model):
    """A key whose year of history is being fetched from analytics: what is left of its span.

    ``key_id`` 0 is the organization as a whole, fetched last: what it has beyond the keys is "unknown key".
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    key_id = models.BigIntegerField()
    since = models.DateField()
    until = models.DateField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "key_id"], name="one_history_part"),)

    def __str__(self) -> str:
        return f"key {self.key_id}, {self.since} to {self.until}"


class SavedQuery(models.Model):
    """A question to analytics that people of an organization keep under a name.

    ``question`` is what stands in the address of the page: lists of texts by parameter. It names metrics and
    dimensions as upstream did then; whether it still offers them shows when it is asked.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    question = models.JSONField(default=dict)
    # None: whoever saved it has no account any more.
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "name"], name="one_saved_query"),)
        ordering = ("name", "id")
        verbose_name_plural = "saved queries"

    def __str__(self) -> str:
        return self.name


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)
