"""A small catalog written at once, with something of everything that pages show."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogChange, CatalogEndpoint, CatalogModel, CatalogProvider

SLUG = "house/one-with-a-long-name-that-goes-on:free"


def stock(organization: Organization) -> CatalogModel:
    """Three models, one of them with endpoints, a history and an end; it is returned."""
    now = timezone.now()
    provider = CatalogProvider.objects.create(
        organization=organization,
        slug="alpha",
        name="Alpha Cloud",
        datacenters=["DE", "US"],
        privacy_policy_url="https://alpha.example/privacy",
    )
    models = [
        CatalogModel.objects.create(
            organization=organization,
            slug=slug,
            permaslug=slug.partition(":")[0],
            listed_as=slug,
            name=name,
            description="It is **fine**.",
            expires_on=date(2099, 1, 31) if slug == SLUG else None,
            context_length=128_000,
            input_modalities=["text", "image"],
            output_modalities=["text"],
            parameters=["temperature", "tools"],
            prompt=price,
            completion=price,
            prices={"prompt": "varies" if price is None else str(price), "completion": "0.00001"},
            reasoning={"mandatory": False},
            endpoints_at=now,
        )
        for slug, name, price in (
            (SLUG, "House: One (free)", Decimal(0)),
            ("house/two", "House: Two", Decimal("0.00000125")),
            ("house/router", "House: Router", None),
        )
    ]
    for tag, is_zdr, status in (("alpha/fp8", True, 0), ("alpha/eu", None, -2), ("beta", False, None)):
        CatalogEndpoint.objects.create(
            organization=organization,
            model=models[0],
            tag=tag,
            permaslug=models[0].permaslug,
            provider=provider.slug if tag != "beta" else "",
            provider_name="Alpha Cloud" if tag != "beta" else "Beta",
            context_length=64_000,
            quantization="fp8",
            prompt=Decimal("0.000001"),
            prices={"prompt": "0.000001", "discount": "0.25"},
            status=status,
            uptime=99.5,
            is_zdr=is_zdr,
        )
    for what, field, before, after in (
        ("price", "prompt", "0.000001", "0.000002"),
        ("price", "completion", "", "0"),
        ("expiry", "", "", "2099-01-31"),
        ("vanished", "", "", ""),
        ("appeared", "", "", ""),
    ):
        CatalogChange.objects.create(
            organization=organization, slug=SLUG, what=what, field=field, before=before, after=after
        )
    return models[0]
