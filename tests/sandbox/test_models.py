"""The catalog over the wire: which models there are, found, narrowed, sorted, paged and changing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.market.traits import CATEGORIES
from tests.sandbox.conftest import NOON, Caller, problem


@pytest.fixture(scope="module")
def market() -> Sandbox:
    """A sandbox whose catalog nobody changes."""
    return Sandbox(Options(keys=40, members=4, workspaces=2), now=lambda: NOON)


@pytest.fixture
def anyone(market: Sandbox) -> Caller:
    return Caller(market, None)


def listed(api: Caller, path: str = "/models", **query: Any) -> list[Any]:
    found: list[Any] = api.data(path, **{"output_modalities": "all", **query})
    return found


def one(api: Caller, model_id: str) -> Any:
    return api.data(f"/model/{model_id}")


def test_every_used_model_is_listed_but_one(sandbox: Sandbox, api: Caller) -> None:
    rows = listed(api)
    ids = {row["id"] for row in rows} | {row["canonical_slug"] for row in rows}
    used = {item["model"] for item in api.data("/activity")}
    slugs = {item["model_permaslug"] for item in api.data("/activity")}
    assert len(used) > 10
    assert used - ids == {sandbox.account.shelf.vanished}
    assert len(slugs - ids) == 1
    problem(api.get(f"/model/{sandbox.account.shelf.vanished}"), 404)
    problem(api.get(f"/models/{sandbox.account.shelf.vanished}/endpoints"), 404)


@pytest.mark.parametrize("size", [0, 180, 800])
def test_it_is_as_large_as_asked_for_and_the_same_every_time(size: int) -> None:
    def made() -> list[Any]:
        sandbox = Sandbox(Options(keys=3, models=size), now=lambda: NOON)
        return listed(Caller(sandbox, None))

    rows = made()
    assert len({row["id"] for row in rows}) == len(rows) == max(size, len(rows))
    assert (len(rows) == size) == (size > 0)
    assert made() == rows


def test_a_large_catalog_has_thousands_of_endpoints() -> None:
    sandbox = Sandbox(Options(keys=1, models=800), now=lambda: NOON)
    api = Caller(sandbox, None)
    endpoints = [
        endpoint
        for row in listed(api)
        for endpoint in api.data(f"/models/{row['id']}/endpoints")["endpoints"]
    ]
    assert len(endpoints) >= 3_000
    assert len({endpoint["provider_name"] for endpoint in endpoints}) > 40
    places = Counter(
        (endpoint["model_id"], endpoint["model_name"], endpoint["tag"]) for endpoint in endpoints
    )
    assert set(places.values()) == {1}


def test_prices_are_plain_decimal_texts_and_those_of_routers_vary(anyone: Caller) -> None:
    for row in listed(anyone):
        for name, price in row["pricing"].items():
            if name not in ("discount", "overrides"):
                assert "E" not in price.upper()
                assert Decimal(price) >= 0 or row["architecture"]["tokenizer"] == "Router"
    router = one(anyone, "openrouter/auto")
    assert (router["pricing"]["prompt"], router["pricing"]["completion"]) == ("-1", "-1")
    assert anyone.data("/models/openrouter/auto/endpoints")["endpoints"] == []
    assert "reasoning" not in router


def test_every_kind_of_model_is_there(anyone: Caller) -> None:
    rows = listed(anyone)
    kinds = {kind for row in rows for kind in row["architecture"]["output_modalities"]}
    assert kinds == {
        *("text", "image", "audio", "embeddings", "video", "rerank", "speech", "transcription"),
    }
    assert any(row["id"].endswith(":free") and row["pricing"]["prompt"] == "0" for row in rows)
    assert any(row["expiration_date"] for row in rows)
    assert any("discount" in row["pricing"] for row in rows)
    assert any("overrides" in row["pricing"] for row in rows)
    assert any("reasoning" in row for row in rows)
    assert any("benchmarks" in row for row in rows)
    assert any(row["supported_voices"] for row in rows)
    assert any(row["id"] != row["canonical_slug"] for row in rows)


def test_only_models_that_write_are_listed_unless_asked(anyone: Caller) -> None:
    assert {"text"} == set.intersection(
        *(set(row["architecture"]["output_modalities"]) & {"text"} for row in anyone.data("/models"))
    )
    both = listed(anyone, output_modalities="image,embeddings")
    assert both
    assert all({"image", "embeddings"} & set(row["architecture"]["output_modalities"]) for row in both)
    for words in ("text", "all", "video"):
        rows = listed(anyone, output_modalities=words)
        assert anyone.data("/models/count", output_modalities=words) == {"count": len(rows)}
    assert anyone.data("/models/count") == {"count": len(anyone.data("/models"))}


def test_a_model_is_found_by_id_slug_variant_and_alias(anyone: Caller) -> None:
    row = next(row for row in listed(anyone) if row["id"] != row["canonical_slug"] and ":" not in row["id"])
    assert one(anyone, row["id"]) == one(anyone, row["canonical_slug"]) == row
    free = next(row for row in listed(anyone) if row["id"].endswith(":free"))
    assert one(anyone, free["id"]) == one(anyone, free["id"].replace(":", "%3A")) == free
    alias = one(anyone, "~openai/gpt-latest")
    assert alias["alias_target"]["slug"] in {row["id"] for row in listed(anyone)}
    problem(anyone.get("/model/nobody/nothing"), 404)
    problem(anyone.get("/models/nobody/nothing/endpoints"), 404)


@pytest.mark.parametrize(("query", "fits"), [
    ({"supported_parameters": "tools,seed"},
     lambda row: {"tools", "seed"} <= set(row["supported_parameters"])),
    ({"input_modalities": "image"}, lambda row: "image" in row["architecture"]["input_modalities"]),
    ({"q": "CLAUDE"}, lambda row: "claude" in (row["id"] + row["name"]).lower()),
    ({"context": 500_000}, lambda row: row["context_length"] >= 500_000),
    ({"arch": "gemini"}, lambda row: row["architecture"]["tokenizer"] == "Gemini"),
    ({"model_authors": "openai,qwen"}, lambda row: row["id"].split("/")[0] in ("openai", "qwen")),
    ({"min_price": 1, "max_price": 2.5}, lambda row: 1 <= Decimal(row["pricing"]["prompt"]) * 10**6 <= 2.5),
    ({"max_output_price": 1}, lambda row: 0 <= Decimal(row["pricing"]["completion"]) * 10**6 <= 1),
    ({"max_age_days": 300}, lambda row: row["created"] >= NOON.timestamp() - 300 * 86_400),
    ({"min_intelligence_index": 50},
     lambda row: row["benchmarks"]["artificial_analysis"]["intelligence_index"] >= 50),
])  # fmt: skip
def test_the_list_is_narrowed(anyone: Caller, query: dict[str, Any], fits: Any) -> None:
    rows = listed(anyone, **query)
    assert 0 < len(rows) < len(listed(anyone))
    assert all(fits(row) for row in rows)


def test_the_list_is_narrowed_by_provider_region_retention_and_use(anyone: Caller) -> None:
    def endpoints(row: Any) -> list[Any]:
        found: list[Any] = anyone.data(f"/models/{row['id']}/endpoints")["endpoints"]
        return found

    everything = len(listed(anyone))
    for row in listed(anyone, providers="Amazon Bedrock,Groq"):
        assert {"Amazon Bedrock", "Groq"} & {endpoint["provider_name"] for endpoint in endpoints(row)}
    keeps_nothing = {endpoint["model_id"] for endpoint in anyone.data("/endpoints/zdr")}
    assert {
        row["canonical_slug"] for row in listed(anyone, zdr="true") if ":" not in row["id"]
    } >= keeps_nothing
    for query in ({"region": "eu"}, {"zdr": "true"}, {"distillable": "true"}, {"category": "legal"}):
        assert 0 < len(listed(anyone, **query)) < everything
    split = [len(listed(anyone, distillable=word)) for word in ("true", "false")]
    assert sum(split) == everything


@pytest.mark.parametrize(("sort", "figure", "falling"), [
    ("newest", lambda row: row["created"], True),
    ("context-high-to-low", lambda row: row["context_length"], True),
    ("pricing-low-to-high",
     lambda row: sum(float(row["pricing"][name]) for name in ("prompt", "completion")), False),
    ("pricing-high-to-low",
     lambda row: sum(float(row["pricing"][name]) for name in ("prompt", "completion")), True),
    ("intelligence-high-to-low",
     lambda row: row.get("benchmarks", {}).get("artificial_analysis", {}).get("intelligence_index"), True),
])  # fmt: skip
def test_the_list_is_sorted_and_what_has_no_figure_comes_last(
    anyone: Caller, sort: str, figure: Any, falling: bool
) -> None:
    figures = [figure(row) for row in listed(anyone, sort=sort)]
    figures = [None if value is None or value < 0 else round(value, 12) for value in figures]
    known = [value for value in figures if value is not None]
    assert figures == known + [None] * (len(figures) - len(known))
    assert known == sorted(known, reverse=falling)


@pytest.mark.parametrize("sort", [
    "most-popular", "top-weekly", "throughput-high-to-low", "latency-low-to-high", "coding-high-to-low",
    "agentic-high-to-low", "design-arena-elo-high-to-low",
])  # fmt: skip
def test_other_orders_only_reorder(anyone: Caller, sort: str) -> None:
    plain, ordered = ([row["id"] for row in listed(anyone, **query)] for query in ({}, {"sort": sort}))
    assert ordered != plain
    assert sorted(ordered) == sorted(plain)


@pytest.mark.parametrize("query", [
    {"sort": "best"}, {"category": "gardening"}, {"zdr": "false"}, {"region": "moon"}, {"distillable": "yes"},
    {"limit": 0}, {"limit": 1001}, {"offset": -1}, {"context": 0}, {"min_price": "cheap"},
    {"max_tool_success_rate": 2}, {"min_age_days": -1},
])  # fmt: skip
def test_a_wrong_query_is_refused(anyone: Caller, query: dict[str, Any]) -> None:
    problem(anyone.get("/models", **query), 400)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_models(anyone: Caller, category: str) -> None:
    assert listed(anyone, category=category)


def test_the_list_is_whole_unless_a_page_is_asked_for(anyone: Caller) -> None:
    whole = anyone.get("/models").json
    assert whole["links"] == {"next": None}
    assert whole["total_count"] == len(whole["data"])
    rows, link = [], "/api/v1/models?limit=40&sort=newest"
    while link:
        page = anyone("GET", link.removeprefix("/api/v1")).json
        assert page["total_count"] == whole["total_count"]
        rows += page["data"]
        link = page["links"]["next"]
    assert rows == whole["data"]
    assert len(anyone.get("/models", offset=10).json["data"]) == whole["total_count"] - 10
    beyond = anyone.get("/models", offset=5_000).json
    assert (beyond["data"], beyond["links"]["next"]) == ([], None)


def test_speeds_are_shown_to_callers_with_a_key_only(market: Sandbox, anyone: Caller) -> None:
    path = "/models/openai/gpt-5.2/endpoints"
    hidden = anyone.data(path)["endpoints"]
    shown = Caller(market, market.management_key).data(path)["endpoints"]
    assert {endpoint["latency_last_30m"] for endpoint in hidden} == {None}
    assert {endpoint["throughput_last_30m"] for endpoint in hidden} == {None}
    fast = [endpoint["latency_last_30m"] for endpoint in shown if endpoint["latency_last_30m"]]
    assert fast
    assert all(found["p50"] < found["p99"] for found in fast)
    wrong = Caller(market, "sk-or-v1-" + "0" * 64)
    assert wrong.data(path)["endpoints"] == hidden


def test_the_top_provider_makes_the_models_price(anyone: Caller) -> None:
    for row in listed(anyone)[:60]:
        found = anyone.data(f"/models/{row['id']}/endpoints")
        assert (found["id"], found["architecture"]) == (row["id"], row["architecture"])
        assert row["links"]["details"] == f"/api/v1/models/{row['canonical_slug']}/endpoints"
        for endpoint in found["endpoints"][:1]:
            assert endpoint["pricing"] == row["pricing"]
            assert endpoint["model_id"] == row["canonical_slug"]


def test_providers_have_the_names_of_endpoints_but_for_one(anyone: Caller) -> None:
    rows = anyone.data("/providers")
    names = {row["name"] for row in rows}
    assert len({row["slug"] for row in rows}) == len(rows) > 50
    called = {
        endpoint["provider_name"]
        for row in listed(anyone)
        for endpoint in anyone.data(f"/models/{row['id']}/endpoints")["endpoints"]
    }
    assert called - names == {"Novita"}
    assert any(row["headquarters"] is None for row in rows)


def test_an_endpoint_that_keeps_nothing_is_of_a_listed_model(anyone: Caller) -> None:
    rows = anyone.data("/endpoints/zdr")
    slugs = {row["canonical_slug"] for row in listed(anyone)}
    assert {row["model_id"] for row in rows} <= slugs
    assert "OpenAI" not in {row["provider_name"] for row in rows}


def test_embeddings_images_and_videos_have_lists_of_their_own(anyone: Caller) -> None:
    for path, kind in (("/embeddings/models", "embeddings"), ("/images/models", "image")):
        ids = [row["id"] for row in anyone.data(path)]
        assert ids == [row["id"] for row in listed(anyone, output_modalities=kind)]
    videos = anyone.data("/videos/models")
    assert [row["id"] for row in videos] == [row["id"] for row in listed(anyone, output_modalities="video")]


def test_an_image_models_endpoints_are_not_wrapped(anyone: Caller) -> None:
    for row in anyone.data("/images/models"):
        answer = anyone("GET", row["endpoints"].removeprefix("/api/v1")).json
        assert set(answer) == {"id", "endpoints"}
        assert answer["id"] == row["id"]
        assert all(line["cost_usd"] > 0 for found in answer["endpoints"] for line in found["pricing"])
    problem(anyone.get("/images/models/openai/gpt-5.2/endpoints"), 404)
    problem(anyone.get("/images/models/nobody/nothing/endpoints"), 404)


def test_what_a_key_may_use_is_told_to_that_key_only(sandbox: Sandbox, api: Caller) -> None:
    own = Caller(sandbox, sandbox.inference_key)
    answer = own.get("/models/user", limit=7, sort="newest").json
    assert answer["data"] == own.get("/models", limit=7, sort="newest").json["data"]
    assert answer["links"]["next"].startswith("/api/v1/models/user?")
    problem(api.get("/models/user"), 403)
    problem(Caller(sandbox, None).get("/models/user"), 401)


def test_a_model_leaves_on_the_day_it_was_said_to(sandbox: Sandbox, api: Caller) -> None:
    row = min((row for row in listed(api) if row["expiration_date"]), key=lambda row: row["expiration_date"])
    end = datetime.fromisoformat(f"{row['expiration_date']}T00:00Z")
    sandbox.set_now(end - timedelta(seconds=1))
    assert one(api, row["id"])["expiration_date"] == row["expiration_date"]
    sandbox.set_now(end)
    problem(api.get(f"/model/{row['id']}"), 404)
    assert row["id"] not in {listed["id"] for listed in listed(api)}


def test_the_service_changes_prices_ends_and_what_it_lists(sandbox: Sandbox, api: Caller) -> None:
    before = one(api, "openai/gpt-5.2")
    sandbox.outside.change_model("openai/gpt-5.2", prompt="0.000009", ends="2027-01-31")
    sandbox.outside.change_model("openai/gpt-5.2", completion="0.00002")
    changed = one(api, "openai/gpt-5.2")
    assert changed["pricing"] == {**before["pricing"], "prompt": "0.000009", "completion": "0.00002"}
    assert changed["expiration_date"] == "2027-01-31"
    sandbox.outside.change_model("openai/gpt-5.2", listed=False)
    problem(api.get("/model/openai/gpt-5.2"), 404)
    vanished = sandbox.account.shelf.vanished
    assert vanished is not None
    sandbox.outside.change_model(vanished, listed=True)
    assert one(api, vanished)["id"] == vanished


def test_without_keys_nothing_has_vanished() -> None:
    assert Sandbox(Options(keys=0), now=lambda: NOON).account.shelf.vanished is None
