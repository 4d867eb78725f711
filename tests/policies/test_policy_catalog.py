"""The effective policy once the catalog is known: who serves a model, and who keeps no data."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.catalog.models import CatalogEndpoint, CatalogModel, CatalogState
from orgadmin.inventory.models import Key
from orgadmin.policy.layers import Layer, Source
from orgadmin.policy.verdicts import Endpoint, Offered, Outcome, places, remaining, verdict
from tests.conftest import SignIn
from tests.policies.test_policy_page import held, key, page_of
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["key", "pull", "pulled"]
pytestmark = pytest.mark.django_db
GPT = "openai/gpt-5.2"


@pytest.fixture
def reader(synced: Organization, viewer: User, pulled: Pull, sign_in: SignIn) -> Client:
    pulled("catalog")
    pulled("endpoints")
    return sign_in(viewer)


def text(browser: Client, query: str) -> str:
    return " ".join(page_of(browser, query).split())


def count(page: str) -> tuple[int, int]:
    """How many models are left, and of how many."""
    words = page.split("that are known here")[0].split()[-3:]
    left, of, known = (word.rpartition(">")[2].replace(",", "") for word in words)
    assert of == "of"
    return int(left), int(known)


def test_the_whole_catalog_is_left_to_whom_no_rule_binds(reader: Client, key: Key) -> None:
    page = text(reader, f"?key={key.hash}")
    known = CatalogModel.objects.filter(gone_at=None, alias_of="").count()
    assert count(page) == (known, known)
    assert "not known for sure" not in page


def test_a_rule_for_providers_refuses_and_allows(reader: Client, key: Key) -> None:
    held(key, allowed_providers=["azure"])
    refused = CatalogModel.objects.filter(slug__startswith="anthropic/", alias_of="")[0]
    page = text(reader, f"?key={key.hash}&model={refused.slug}")
    assert "Refused" in page
    assert "no provider is left that the rules for providers and ZDR allow" in page
    allowed = CatalogEndpoint.objects.filter(provider="azure", model__slug__startswith="openai/")[0].model
    page = text(reader, f"?key={key.hash}&model={allowed.slug}")
    assert "Allowed, as far as can be known" in page
    assert '<th scope="row">azure</th>' in page
    assert "ruled out" in page
    left, known = count(page)
    served = CatalogEndpoint.objects.filter(provider="azure", gone_at=None, model__alias_of="")
    routers = CatalogModel.objects.filter(gone_at=None, endpoints=None).count()
    assert left == served.values("model").distinct().count() + routers
    assert left < known


def test_zero_data_retention_is_known_of_each_endpoint(reader: Client, key: Key) -> None:
    held(key, enforce_zdr_openai=True)
    page = text(reader, f"?key={key.hash}&model={GPT}")
    if CatalogEndpoint.objects.filter(model__slug=GPT, is_zdr=True).exists():
        assert "Allowed, as far as can be known" in page
    CatalogEndpoint.objects.filter(model__slug=GPT).update(is_zdr=False)
    assert "Refused" in text(reader, f"?key={key.hash}&model={GPT}")
    CatalogEndpoint.objects.filter(model__slug=GPT).update(is_zdr=None)
    page = text(reader, f"?key={key.hash}&model={GPT}")
    assert "Cannot be known" in page
    assert "whether its providers keep data is not known" in page


def test_a_vanished_model_is_offered_by_nobody(reader: Client, key: Key) -> None:
    from django.utils import timezone

    before = count(text(reader, f"?key={key.hash}"))
    CatalogModel.objects.filter(slug=GPT).update(gone_at=timezone.now())
    page = text(reader, f"?key={key.hash}&model={GPT}")
    assert "no provider offers it at this moment" in page
    assert count(page) == (before[0] - 1, before[1] - 1)


def test_a_router_is_not_refused_for_having_no_provider(reader: Client, key: Key) -> None:
    assert "Allowed, as far" in text(reader, f"?key={key.hash}&model=openrouter/auto")
    held(key, allowed_providers=["azure"])
    assert "Cannot be known" in text(reader, f"?key={key.hash}&model=openrouter/auto")


def test_an_alias_is_what_it_stands_for(reader: Client, key: Key) -> None:
    alias = CatalogModel.objects.exclude(alias_of="")[0]
    target = CatalogModel.objects.get(slug=alias.alias_of)
    held(key, ignored_models=[target.listed_as])
    assert "is among the ignored models" in text(reader, f"?key={key.hash}&model={alias.slug}")


def test_a_catalog_of_thousands_costs_no_more_queries(reader: Client, key: Key, synced: Organization) -> None:
    CatalogModel.objects.bulk_create(
        CatalogModel(
            organization=synced,
            slug=f"house/model-{number}",
            permaslug=f"house/model-{number}",
            listed_as=f"house/model-{number}",
            name=f"House {number}",
            endpoints_at=synced.created_at,
        )
        for number in range(800)
    )
    CatalogEndpoint.objects.bulk_create(
        CatalogEndpoint(
            organization=synced, model=model, tag=tag, provider=tag, provider_name=tag, permaslug="x"
        )
        for model in CatalogModel.objects.filter(slug__startswith="house/")
        for tag in ("azure", "openai", "groq", "xai")
    )
    held(key, allowed_providers=["azure"], limit_usd=5, reset_interval="daily")
    with CaptureQueriesContext(connection) as queries:
        page_of(reader, f"?key={key.hash}&model={GPT}")
    # Three of them are the session, the user and the memberships.
    assert len(queries) <= 13, [query["sql"][:80] for query in queries]


def test_an_endpoint_of_nobody_known_is_neither_allowed_nor_refused() -> None:
    layer = Layer(Source(0, "House"), allowed_providers=frozenset({"azure"}), zdr=frozenset({"openai"}))
    model = Offered(GPT, (Endpoint("", True),))
    said: Any = verdict(model, [layer])
    assert said.outcome is Outcome.UNKNOWN
    assert said.reasons[0].rule == "who serves it is not known for all of its endpoints"
    assert verdict(Offered(GPT, (Endpoint("", False),)), [layer]).outcome is Outcome.REFUSED
    assert remaining([model], [layer]) == [(model, Outcome.UNKNOWN)]
    assert places(model, [layer]) == [(Endpoint("", True), Outcome.UNKNOWN)]


def test_without_a_list_of_zdr_nothing_is_claimed(reader: Client, key: Key, pulled: Pull) -> None:
    CatalogState.objects.update(zdr=None)
    CatalogEndpoint.objects.update(is_zdr=None)
    held(key, enforce_zdr_openai=True)
    assert "Cannot be known" in text(reader, f"?key={key.hash}&model={GPT}")
