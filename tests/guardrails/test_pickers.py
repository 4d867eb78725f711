"""What the pickers of models and providers offer once the catalog is known."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.accounts.models import Organization
from orgadmin.catalog.models import CatalogModel, CatalogProvider
from orgadmin.guardrails.pickers import (
    MODELS,
    PROVIDERS,
    canonical_models,
    choices,
    expand,
    known,
    with_permanent_models,
)
from orgadmin.inventory.models import Guardrail
from orgadmin.usage.models import UsageModel
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def catalog(pulled: Pull) -> None:
    pulled("catalog")


def test_models_are_found_by_slug_and_by_name(synced: Organization, catalog: None) -> None:
    model = CatalogModel.objects.get(slug="openai/gpt-5.2")
    assert choices(synced, MODELS, "openai gpt-5.2")[0].startswith("openai/gpt-5.2")
    CatalogModel.objects.filter(pk=model.pk).update(name="Grand Opening")
    assert choices(synced, MODELS, "grand OPENING") == [model.listed_as]


def test_a_wildcard_stands_for_every_model_that_is_sold(synced: Organization, catalog: None) -> None:
    sold = CatalogModel.objects.filter(listed_as__startswith="anthropic/", gone_at=None, alias_of="")
    expected = sorted(set(sold.values_list("listed_as", flat=True)))
    assert len(expected) > 3
    assert choices(synced, MODELS, "anthropic/*") == expected
    assert all(one.endswith(":free") for one in choices(synced, MODELS, "*:free"))
    sold.update(gone_at=timezone.now())
    assert choices(synced, MODELS, "anthropic/*") == []


def test_a_guardrail_keeps_what_it_names(synced: Organization, catalog: None) -> None:
    Guardrail.objects.create(organization=synced, uid="g", name="G", ignored_models=["gone/long-ago"])
    assert "gone/long-ago" in known(synced, MODELS)


def test_providers_are_found_by_slug_and_by_name(synced: Organization, catalog: None) -> None:
    assert choices(synced, PROVIDERS, "novitaai") == ["novita"]
    assert set(known(synced, PROVIDERS)) >= set(CatalogProvider.objects.values_list("slug", flat=True))


def test_a_variant_keeps_its_suffix(synced: Organization, catalog: None) -> None:
    free = CatalogModel.objects.filter(slug__endswith=":free")[0]
    UsageModel.objects.update_or_create(permaslug=free.permaslug, defaults={"slug": free.slug})
    assert canonical_models([free.slug]) == [f"{free.permaslug}:free"]
    CatalogModel.objects.all().delete()
    assert canonical_models([free.slug, "nobody/knows"]) == [f"{free.permaslug}:free", "nobody/knows"]
    assert with_permanent_models({"allowed_models": None, "name": "N"}) == {
        "allowed_models": None,
        "name": "N",
    }


@given(st.text("ab*/", max_size=6), st.lists(st.text("ab/", max_size=5)))
def test_stars_mean_what_they_mean_elsewhere(wildcard: str, names: list[str]) -> None:
    from fnmatch import fnmatchcase

    assert expand(wildcard, names) == [one for one in names if fnmatchcase(one, wildcard)]
