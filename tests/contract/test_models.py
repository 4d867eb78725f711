"""The catalog as the vendor's client sees it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from openrouter import OpenRouter, components, errors, operations

from orgadmin.sandbox.app import Options
from tests.contract.calls import ENDPOINT, MODEL
from tests.contract.shapes import hold_against
from tests.contract.test_every_call import STRANGER, Listener
from tests.contract.test_the_rest import pages
from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def large() -> Iterator[RunningSandbox]:
    with running_sandbox(Options(keys=2, models=800)) as running:
        yield running


def test_every_model_of_a_large_catalog_is_well_formed(large: RunningSandbox) -> None:
    listener = Listener()
    with (
        httpx.Client(event_hooks={"response": [listener.hear]}) as http,
        OpenRouter(api_key=STRANGER, server_url=large.url, retry_config=None, client=http) as sdk,
    ):
        sdk.models.list(output_modalities="all")
        hold_against(components.ModelsListResponse, listener.last, unless=MODEL)
        sdk.endpoints.list_zdr_endpoints()
        hold_against(operations.ListEndpointsZdrResponse, listener.last, unless=ENDPOINT)


def test_models_are_walked_by_the_clients_own_paging(large: RunningSandbox) -> None:
    with OpenRouter(api_key=STRANGER, server_url=large.url, retry_config=None) as sdk:
        walked = pages(sdk.models.list(output_modalities="all", limit=300, offset=0))
        count = sdk.models.count(output_modalities="all").data.count
    ids = [row.id for page in walked for row in page.result.data]
    assert len(ids) == len(set(ids)) == count == 800
    assert {page.result.total_count for page in walked} == {count}


def test_models_are_narrowed_and_sorted(sdk: OpenRouter) -> None:
    (page,) = pages(
        sdk.models.list(
            category="programming", supported_parameters="tools", sort="pricing-low-to-high", min_price=0.1,
            max_price=5, zdr="true", region="eu", context=100_000, max_age_days=1500,
        )
    )  # fmt: skip
    rows = page.result.data
    assert rows
    assert all(0.1 <= round(float(row.pricing.prompt) * 1_000_000, 6) <= 5 for row in rows)
    prices = [float(row.pricing.prompt) + float(row.pricing.completion) for row in rows]
    assert prices == sorted(prices)


@pytest.mark.parametrize("slug", ["no-such-model", "gpt-5.2:nonsense"])
def test_an_unknown_model_is_not_found(sdk: OpenRouter, slug: str) -> None:
    with pytest.raises(errors.NotFoundResponseError):
        sdk.models.get(author="openai", slug=slug)
    with pytest.raises(errors.NotFoundResponseError):
        sdk.endpoints.list(author="openai", slug=slug)
    with pytest.raises(errors.NotFoundResponseError):
        sdk.images.list_model_endpoints(author="openai", slug=slug)


def test_a_variant_is_found_by_its_suffix(sdk: OpenRouter) -> None:
    found = sdk.models.get(author="google", slug="gemma-3n-e2b-it:free").data
    assert (found.id, found.pricing.prompt) == ("google/gemma-3n-e2b-it:free", "0")


def test_speeds_are_shown_with_a_key(running: RunningSandbox, sdk: OpenRouter) -> None:
    with OpenRouter(api_key=STRANGER, server_url=running.url, retry_config=None) as stranger:
        hidden = stranger.endpoints.list(author="openai", slug="gpt-5.2").data.endpoints
    shown = sdk.endpoints.list(author="openai", slug="gpt-5.2").data.endpoints
    assert [row.latency_last_30m for row in hidden] == [None] * len(shown)
    assert any(row.latency_last_30m for row in shown)


def test_the_image_model_endpoints_are_read_unwrapped(sdk: OpenRouter) -> None:
    for row in sdk.images.list_models().data:
        author, _, slug = row.id.partition("/")
        found = sdk.images.list_model_endpoints(author=author, slug=slug)
        assert found.id == row.id
        assert all(endpoint.pricing for endpoint in found.endpoints)
