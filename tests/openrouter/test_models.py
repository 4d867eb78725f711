from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import errors, models
from orgadmin.openrouter.models import ModelQuery
from tests.openrouter.cast import BASE, RAW_KEY, model_row, refusal
from tests.openrouter.lists import last_query

URL = f"{BASE}/models"


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def serve_models(url: str, rows: list[Any], *, most: int = 1_000) -> None:
    """A list that pages as the catalog does and gives at most `most` rows a page."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        offset, limit = int(request.params["offset"]), min(int(request.params["limit"]), most)
        end = offset + limit
        following = f"/api/v1/models?offset={end}&limit={limit}" if end < len(rows) else None
        body = {"data": rows[offset:end], "total_count": len(rows), "links": {"next": following}}
        return 200, {}, json.dumps(body)

    responses.add_callback(responses.GET, url, callback=answer)


def read(client: Any, **changes: Any) -> models.Model:
    responses.upsert(responses.GET, f"{BASE}/model/acme/model-1", json={"data": model_row(**changes)})
    return models.get(client, model_id="acme/model-1")


def test_every_field_is_read(client):
    model = read(
        client,
        per_request_limits={"prompt_tokens": 1000, "completion_tokens": 2000.5},
        default_parameters={"temperature": 0.7, "top_p": None, "top_k": 40},
        supported_voices=["alloy"],
        reasoning={
            "mandatory": True, "default_enabled": False, "default_effort": "medium",
            "supported_efforts": ["high", "sideways"], "supports_max_tokens": True,
        },
        benchmarks={
            "artificial_analysis": {"intelligence_index": 71.4, "coding_index": None, "agentic_index": 55},
            "design_arena": [
                {"arena": "models", "category": "website", "elo": 1385.2, "rank": 5, "win_rate": 62.5}
            ],
        },
        knowledge_cutoff="2024-10-01",
        expiration_date="2026-03-02",
        hugging_face_id="acme/Model-1",
        alias_target={"slug": "acme/model-0", "name": "Model 0"},
        novelty=1,
    )  # fmt: skip
    assert (model.id, model.canonical_slug) == ("acme/model-1", "acme/model-1-20250824")
    assert model.created == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert model.architecture.input_modalities == ("text", "image")
    assert model.top_provider.context_length == 131_072
    assert model.per_request_limits is not None
    assert model.per_request_limits.completion_tokens == Decimal("2000.5")
    assert model.default_parameters is not None
    assert (model.default_parameters.temperature, model.default_parameters.top_p) == (Decimal("0.7"), None)
    assert model.reasoning is not None
    assert (model.reasoning.mandatory, model.reasoning.supported_efforts) == (True, ("high", "sideways"))
    assert model.reasoning.supports_max_tokens is True
    assert model.benchmarks is not None
    assert model.benchmarks.artificial_analysis is not None
    assert model.benchmarks.artificial_analysis.intelligence_index == Decimal("71.4")
    assert model.benchmarks.design_arena[0].elo == Decimal("1385.2")
    assert (model.knowledge_cutoff, model.expiration_date) == (date(2024, 10, 1), date(2026, 3, 2))
    assert (model.supported_voices, model.hugging_face_id) == (("alloy",), "acme/Model-1")
    assert model.alias_target is not None
    assert (model.alias_target.slug, model.extra) == ("acme/model-0", {"novelty": 1})
    assert model.links == {"details": "/api/v1/models/acme/model-1/endpoints"}


def test_what_an_older_server_does_not_send_is_not_missed(client):
    row = model_row()
    for name in ("supported_voices", "links", "default_parameters", "description", "per_request_limits"):
        del row[name]
    responses.get(f"{BASE}/model/acme/model-1", json={"data": row})
    model = models.get(client, model_id="acme/model-1")
    assert (model.reasoning, model.benchmarks, model.expiration_date, model.alias_target) == (None,) * 4
    assert (model.supported_voices, model.links, model.default_parameters) == (None, None, None)


def test_words_nobody_has_heard_of_are_kept(client):
    architecture = {**model_row()["architecture"], "output_modalities": ["scent"], "tokenizer": "Runes"}
    model = read(client, architecture=architecture, supported_parameters=["mood"])
    assert (model.architecture.output_modalities, model.architecture.tokenizer) == (("scent",), "Runes")
    assert model.supported_parameters == ("mood",)


def test_prices_are_exact_and_only_what_applies(client):
    pricing = read(
        client,
        pricing={
            "prompt": "0.00000008333333333333334", "completion": "0", "web_search": "0.01",
            "input_cache_write_1h": "0.000006", "discount": 0.25, "scent": "1",
            "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000002", "utc_start": 1030}],
        },
    ).pricing  # fmt: skip
    assert pricing.prompt == Decimal("0.00000008333333333333334")
    assert (pricing.completion, pricing.web_search) == (Decimal(0), Decimal("0.01"))
    assert pricing.discount == Decimal("0.25")
    assert (pricing.image, pricing.input_cache_write_1h) == (None, Decimal("0.000006"))
    assert pricing.overrides is not None
    assert pricing.overrides[0].min_prompt_tokens == 200_000
    assert pricing.overrides[0].utc_start == 1030
    assert (pricing.overrides[0].prompt, pricing.overrides[0].completion) == (Decimal("0.000002"), None)
    assert (pricing.varies, pricing.extra) == (False, {"scent": "1"})


@pytest.mark.parametrize("text", ["-1", "-1.0", "-0.5"])
def test_the_price_of_a_router_varies_and_is_never_a_number(client, text):
    pricing = read(client, pricing={"prompt": text, "completion": text, "request": text}).pricing
    assert (pricing.prompt, pricing.completion, pricing.request) == (None, None, None)
    assert pricing.varies


@pytest.mark.parametrize("price", ["free", "", None, True, "NaN", "1e999"])
def test_a_price_that_is_none_is_an_error_and_an_optional_one_is_put_aside(client, price):
    with pytest.raises(errors.UnreadableAnswer, match=r"data\.pricing\.prompt"):
        read(client, pricing={"prompt": price, "completion": "0"})
    pricing = read(client, pricing={"prompt": "0", "completion": "0", "image": price}).pricing
    assert pricing.image is None


@pytest.mark.parametrize("created", ["yesterday", 10**15, None])
def test_a_moment_that_is_none_is_an_error(client, created):
    with pytest.raises(errors.UnreadableAnswer, match=r"data\.created"):
        read(client, created=created)


def test_the_public_list_is_asked_for_without_the_key(client):
    serve_models(URL, [model_row(1), model_row(2)])
    page = models.page(client, offset=1, limit=5)
    assert ([model.id for model in page.items], page.total_count, page.more) == (["acme/model-2"], 2, False)
    assert "Authorization" not in responses.calls[-1].request.headers
    assert last_query() == {"offset": "1", "limit": "5", "output_modalities": "all"}
    models.page(client, with_key=True)
    assert responses.calls[-1].request.headers["Authorization"] == f"Bearer {RAW_KEY}"


def test_a_query_is_spelled_as_upstream_reads_it(client):
    serve_models(URL, [])
    query = ModelQuery(
        output_modalities=("text", "image"), input_modalities=("file",), sort="newest",
        supported_parameters=("tools", "seed"), category="programming",
        model_authors=("openai",), providers=("Amazon Bedrock", "Google"),
        q="größe", context=1000, distillable=False, zdr=True, region="eu", min_price=Decimal("1E-7"),
        max_age_days=7, min_tool_success_rate=Decimal("0.5"),
    )  # fmt: skip
    models.page(client, query=query)
    assert last_query() == {
        "output_modalities": "text,image", "input_modalities": "file", "supported_parameters": "tools,seed",
        "model_authors": "openai", "providers": "Amazon Bedrock,Google", "category": "programming",
        "sort": "newest", "q": "größe", "context": "1000", "distillable": "false", "zdr": "true",
        "region": "eu", "min_price": "0.0000001", "max_age_days": "7", "min_tool_success_rate": "0.5",
        "offset": "0", "limit": "1000",
    }  # fmt: skip


@pytest.mark.parametrize(("total", "pages"), [(0, [0]), (1000, [1000]), (1800, [1000, 800])])
def test_a_walk_brings_every_model_once(client, total, pages):
    serve_models(URL, [model_row(number) for number in range(total)])
    assert [len(page) for page in models.walk(client)] == pages
    assert client.calls == len(pages)


def test_a_server_that_gives_fewer_than_asked_is_walked_to_its_end(client):
    serve_models(URL, [model_row(number) for number in range(7)], most=3)
    assert [len(page) for page in models.walk(client)] == [3, 3, 1]


def test_a_server_that_does_not_page_gives_everything_at_once(client):
    responses.get(URL, json={"data": [model_row(number) for number in range(1200)]})
    assert [len(page) for page in models.walk(client)] == [1200]
    assert client.calls == 1
    assert models.page(client).total_count is None


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, 0), (0, 1001)])
def test_a_window_upstream_refuses_is_not_asked_for(client, offset, limit):
    with pytest.raises(ValueError, match="offset"):
        models.page(client, offset=offset, limit=limit)
    assert client.calls == 0


def test_what_a_key_may_use_is_asked_for_with_it(client):
    serve_models(f"{URL}/user", [model_row()])
    assert [len(page) for page in models.walk_usable(client)] == [1]
    assert responses.calls[-1].request.headers["Authorization"] == f"Bearer {RAW_KEY}"
    assert last_query()["output_modalities"] == "all"


def test_a_management_key_is_told_that_it_uses_no_models(client):
    responses.get(f"{URL}/user", status=403, json=refusal("No", 403))
    with pytest.raises(errors.Forbidden):
        list(models.walk_usable(client))


def test_models_that_embed_have_a_list_of_their_own(client):
    serve_models(f"{BASE}/embeddings/models", [model_row()])
    assert [len(page) for page in models.walk_embeddings(client)] == [1]
    assert last_query() == {"offset": "0", "limit": "1000"}


def test_the_count_is_of_everything_unless_told_otherwise(client):
    responses.get(f"{URL}/count", json={"data": {"count": 612}})
    assert models.count(client) == 612
    assert last_query() == {"output_modalities": "all"}
    models.count(client, output_modalities=("image", "video"))
    assert last_query() == {"output_modalities": "image,video"}


def test_an_id_keeps_its_variant_and_its_tilde_in_the_path(client):
    for name in ("acme/model-1%3Afree", "~acme/model-latest"):
        responses.get(f"{BASE}/model/{name}", json={"data": model_row()})
    models.get(client, model_id="acme/model-1:free")
    models.get(client, model_id="~acme/model-latest")
    assert client.calls == 2


@pytest.mark.parametrize("model_id", ["", "acme", "acme/", "/x", "acme/x/y", "../x", "acme/.."])
def test_what_cannot_be_an_id_is_not_asked_for(client, model_id):
    with pytest.raises(ValueError, match=r".+"):
        models.get(client, model_id=model_id)
    assert client.calls == 0


def test_an_unknown_model_is_not_found(client):
    responses.get(f"{BASE}/model/acme/gone", status=404, json=refusal("Model not found", 404))
    with pytest.raises(errors.NotFound, match="Model not found"):
        models.get(client, model_id="acme/gone")
