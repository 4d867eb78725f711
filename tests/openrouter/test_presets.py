from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import errors, jsontext, presets
from tests.openrouter.cast import BASE, preset_row, preset_version_row, refusal
from tests.openrouter.lists import last_query, sent_body, serve_counted

URL = f"{BASE}/presets"
WHOLE = preset_row(designated_version=preset_version_row(3))


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_a_page_asks_once_and_knows_the_total(client):
    responses.get(URL, json={"data": [preset_row(1, status="paused", novelty=1)], "total_count": 7})
    page = presets.page(client, offset=3, limit=2)
    assert (page.items[0].slug, page.items[0].status, page.total_count) == ("bot-1", "paused", 7)
    assert page.items[0].extra == {"novelty": 1}
    assert last_query() == {"offset": "3", "limit": "2"}


def test_a_walk_brings_each_preset_once(client):
    serve_counted(URL, [preset_row(number) for number in range(230)])
    assert [len(page) for page in presets.walk(client)] == [100, 100, 30]


def test_versions_are_walked_the_oldest_first(client):
    serve_counted(f"{URL}/bot-1/versions", [preset_version_row(number) for number in range(1, 121)])
    rows = [row for page in presets.versions_walk(client, slug="bot-1") for row in page]
    assert [row.version for row in rows] == list(range(1, 121))


@pytest.mark.parametrize("version", [None, preset_version_row(3)])
def test_a_preset_comes_with_the_version_that_is_served_if_any(client, version):
    responses.get(f"{URL}/bot-1", json={"data": preset_row(designated_version=version)})
    found = presets.get(client, slug="bot-1").designated_version
    assert (found.version if found else None) == (3 if version else None)


def test_numbers_of_a_config_are_exact(client):
    row = (
        '{"data": '
        + jsontext.dumps(preset_version_row(config={"seed": 2**60, "top_p": Decimal("0.10")}))
        + "}"
    )
    responses.get(f"{URL}/bot-1/versions/2", body=row, content_type="application/json")
    version = presets.version(client, slug="bot-1", number=2)
    assert version.config == {"seed": 2**60, "top_p": Decimal("0.10")}
    assert str(version.config["top_p"]) == "0.10"
    assert version.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)


def test_a_version_that_is_null_is_not_found(client):
    responses.get(f"{URL}/bot-1/versions/9", json={"data": None})
    with pytest.raises(errors.NotFound):
        presets.version(client, slug="bot-1", number=9)


@pytest.mark.parametrize("kind", presets.KINDS)
def test_each_kind_is_sent_once_and_as_it_is(client, kind):
    responses.post(f"{URL}/bot-1/{kind}", json={"data": WHOLE})
    body = {"model": "acme/model-1", "temperature": Decimal("0.7"), "messages": []}
    made = presets.create_or_update(client, slug="bot-1", kind=kind, body=body)
    assert made.slug == "bot-1"
    assert made.designated_version is not None
    assert made.designated_version.version == 3
    assert sent_body() == body
    assert client.calls == 1


def test_a_version_without_an_answer_is_not_repeated_and_in_doubt(client):
    responses.post(f"{URL}/bot-1/responses", status=502)
    with pytest.raises(errors.ServerFailure) as caught:
        presets.create_or_update(client, slug="bot-1", kind="responses", body={})
    assert (client.calls, caught.value.outcome_unknown) == (1, True)


def test_a_made_version_we_cannot_read_is_in_doubt(client):
    responses.post(f"{URL}/bot-1/responses", json={"data": {}})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        presets.create_or_update(client, slug="bot-1", kind="responses", body={})
    assert caught.value.outcome_unknown


def test_a_change_at_the_same_moment_is_a_conflict(client):
    responses.post(f"{URL}/bot-1/responses", status=409, json=refusal("Try again", 409))
    with pytest.raises(errors.Conflict, match="Try again"):
        presets.create_or_update(client, slug="bot-1", kind="responses", body={})


@pytest.mark.parametrize(("slug", "kind"), [
    ("bot", "completions"), ("", "responses"), ("a/b", "responses"), ("..", "responses"), ("ä", "responses"),
    ("x" * 101, "responses"), ("a\n", "responses"),
])  # fmt: skip
def test_a_slug_or_kind_that_cannot_be_sent_is_not(client, slug, kind):
    with pytest.raises(ValueError, match=r".+"):
        presets.create_or_update(client, slug=slug, kind=kind, body={})
    assert client.calls == 0
