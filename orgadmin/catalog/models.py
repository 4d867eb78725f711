"""The catalog as OpenRouter last told it to one organization, and what changed in it.

A vanished row gets ``gone_at`` and is never deleted: what was used of it keeps its name and its price.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.catalog.prices import PriceField
from orgadmin.inventory.mirror import Mirror


class CatalogState(models.Model):
    """What is known of the catalog as a whole, one row an organization.

    ``zdr`` are the endpoints that keep no data, as pairs of a permaslug and a tag; None where OpenRouter does
    not tell. ``round_at`` is when the endpoints of all models began to be asked for last.
    """

    organization = models.OneToOneField(Organization, models.CASCADE, related_name="+")
    zdr = models.JSONField(null=True)
    zdr_at = models.DateTimeField(null=True)
    round_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Catalog of {self.organization_id}"


class CatalogModel(Mirror):
    """GET /models. ``slug`` is what requests name it by, ``permaslug`` what activity does; guardrails say
    ``listed_as``: the permaslug, and the variant if it has one.

    Prices are US dollars a token; None is one that varies. ``prices`` has all of them as text. Lengths are
    tokens. ``endpoints_asked_at`` and ``endpoints_at``: when its endpoints were asked for, and told, last.
    """

    slug = models.CharField(max_length=200)
    permaslug = models.CharField(max_length=200)
    listed_as = models.CharField(max_length=220)
    name = models.CharField(max_length=300)
    description = models.TextField(default="")
    created_at = models.DateTimeField(null=True)
    expires_on = models.DateField(null=True)
    knowledge_cutoff = models.DateField(null=True)
    context_length = models.BigIntegerField(null=True)
    max_completion_tokens = models.BigIntegerField(null=True)
    is_moderated = models.BooleanField(default=False)
    input_modalities = models.JSONField(default=list)
    output_modalities = models.JSONField(default=list)
    parameters = models.JSONField(default=list)
    prompt = PriceField(null=True)
    completion = PriceField(null=True)
    prices = models.JSONField(default=dict)
    reasoning = models.JSONField(null=True)
    alias_of = models.CharField(max_length=200, default="")
    hugging_face_id = models.CharField(max_length=300, default="")
    endpoints_asked_at = models.DateTimeField(null=True)
    endpoints_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "slug"], name="one_catalog_model_row"),
        )
        indexes = (models.Index(fields=["organization", "permaslug"], name="catalog_by_permaslug"),)
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


class CatalogProvider(Mirror):
    """GET /providers. Places are ISO 3166-1 alpha-2 codes; None is unknown."""

    slug = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    privacy_policy_url = models.TextField(default="")
    terms_of_service_url = models.TextField(default="")
    status_page_url = models.TextField(default="")
    headquarters = models.CharField(max_length=10, default="")
    datacenters = models.JSONField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "slug"], name="one_catalog_provider_row"),
        )
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class CatalogEndpoint(Mirror):
    """GET /models/{author}/{slug}/endpoints: a model at a provider, named by ``tag`` and ``service_tier``.

    ``provider`` is the provider's slug, "" where nobody can tell; ``provider_name`` what upstream calls it.
    ``is_zdr`` is None where it is not known whether it keeps data. ``status`` 0 is normal; what the negative
    ones mean is not published.
    """

    model = models.ForeignKey(CatalogModel, models.CASCADE, related_name="endpoints")
    tag = models.CharField(max_length=200)
    service_tier = models.CharField(max_length=50, default="")
    permaslug = models.CharField(max_length=200)
    provider = models.CharField(max_length=100, default="")
    provider_name = models.CharField(max_length=200)
    place = models.IntegerField(default=0)
    quantization = models.CharField(max_length=50, default="")
    context_length = models.BigIntegerField(null=True)
    max_completion_tokens = models.BigIntegerField(null=True)
    prompt = PriceField(null=True)
    completion = PriceField(null=True)
    prices = models.JSONField(default=dict)
    status = models.IntegerField(null=True)
    uptime = models.FloatField(null=True)
    is_zdr = models.BooleanField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["model", "tag", "service_tier"], name="one_catalog_endpoint_row"),
        )
        indexes = (
            models.Index(fields=["organization"], condition=Q(gone_at=None), name="catalog_endpoints_alive"),
        )
        ordering = ("place", "id")

    def __str__(self) -> str:
        return f"{self.provider_name} ({self.tag})"


class CatalogChange(models.Model):
    """One thing that was not as before when the catalog was read. ``tag`` is "" for the model itself, and
    the tag of the endpoint that it is about. ``field`` names the price; money is US dollars as text, "" where
    there was or is none."""

    class What(models.TextChoices):
        APPEARED = "appeared", "Appeared"
        VANISHED = "vanished", "Vanished"
        PRICE = "price", "Price"
        EXPIRY = "expiry", "End"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    slug = models.CharField(max_length=200)
    tag = models.CharField(max_length=200, default="")
    what = models.CharField(max_length=20, choices=What.choices)
    field = models.CharField(max_length=50, default="")
    before = models.TextField(default="")
    after = models.TextField(default="")

    class Meta:
        indexes = (
            models.Index(fields=["organization", "slug", "-at"], name="catalog_changes_of_model"),
            models.Index(fields=["organization", "-at"], name="catalog_changes_newest"),
        )
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.slug}: {self.what} {self.field}".strip()
