from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import errors, keys
from orgadmin.openrouter.keys import KeyChanges
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.unset import UNSET
from tests.openrouter.cast import BASE, RAW_KEY, WORKSPACE, key_row, refusal
from tests.openrouter.lists import last_query, sent_body, serve_uncounted

URL = f"{BASE}/keys"
HASH = key_row()["hash"]


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_a_page_is_one_request_that_hides_nothing(client):
    responses.get(URL, json={"data": [key_row(1), key_row(2)]})
    rows = keys.page(client, workspace_id=WORKSPACE, offset=200)
    assert [row.hash for row in rows] == [key_row(1)["hash"], key_row(2)["hash"]]
    assert last_query() == {
        "workspace_id": WORKSPACE,
        "offset": "200",
        "include_disabled": "true",
        "include_expired": "true",
    }
    assert client.calls == 1


def test_a_page_of_the_default_workspace_names_none(client):
    responses.get(URL, json={"data": []})
    assert keys.page(client, include_disabled=False, include_expired=False) == ()
    assert last_query() == {
        "offset": "0",
        "include_disabled": "false",
        "include_expired": "false",
    }


def test_every_field_is_read(client):
    row = key_row(last_used_at="2026-01-02T03:04:05Z", external_user="partner-7", colour="blue")
    responses.get(f"{URL}/{HASH}", json={"data": row})
    key = keys.get(client, key_hash=HASH)
    assert (key.limit, key.limit_remaining, key.usage_weekly) == (Decimal(100), Decimal("74.5"), Decimal(5))
    assert str(key.byok_usage_monthly) == "1E-7"
    assert key.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert key.updated_at == datetime(2025, 8, 24, 15, 45, 0, 363244, tzinfo=UTC)
    assert key.last_used_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (key.external_user, key.extra) == ("partner-7", {"colour": "blue"})


def test_nulls_and_absences_are_read(client):
    row = key_row(limit=None, limit_remaining=None, limit_reset=None, updated_at=None, creator_user_id=None)
    del row["expires_at"]
    responses.get(f"{URL}/{HASH}", json={"data": row})
    key = keys.get(client, key_hash=HASH)
    assert (key.limit, key.limit_reset, key.updated_at, key.creator_user_id) == (None, None, None, None)
    assert (key.expires_at, key.last_used_at) == (None, None)


def test_a_reset_nobody_has_heard_of_stays_text(client):
    responses.get(f"{URL}/{HASH}", json={"data": key_row(limit_reset="hourly")})
    assert keys.get(client, key_hash=HASH).limit_reset == "hourly"


@pytest.mark.parametrize(("total", "pages"), [(0, [0]), (99, [99]), (100, [100, 0]), (250, [100, 100, 50])])
def test_a_walk_ends_with_a_short_page(client, total, pages):
    serve_uncounted(URL, [key_row(number) for number in range(total)])
    assert [len(page) for page in keys.walk(client, workspace_id=WORKSPACE)] == pages
    assert client.calls == len(pages)


def test_keys_made_during_a_walk_do_not_repeat_others(client):
    rows = [key_row(number) for number in range(250)]
    serve_uncounted(URL, rows, after=lambda rows: rows.insert(0, key_row(1000 + len(rows))))
    walked = [key.hash for page in keys.walk(client, workspace_id=WORKSPACE) for key in page]
    assert len(walked) == len(set(walked)) == 250


def test_a_walk_over_a_server_that_ignores_the_offset_is_an_error_not_an_end(client):
    responses.get(URL, json={"data": [key_row(number) for number in range(100)]})
    with pytest.raises(errors.UnreadableAnswer, match="same page"):
        list(keys.walk(client, workspace_id=WORKSPACE))


def test_create_sends_what_it_is_given_and_returns_the_secret_once(client):
    responses.post(URL, status=201, json={"data": key_row(), "key": RAW_KEY})
    created = keys.create(
        client,
        name="ci – größe",
        limit=Decimal("12.50"),
        limit_reset="monthly",
        include_byok_in_limit=False,
        expires_at=datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC),
        creator_user_id="user_1",
        workspace_id=WORKSPACE,
    )
    assert sent_body() == {
        "name": "ci – größe",
        "limit": Decimal("12.50"),
        "limit_reset": "monthly",
        "include_byok_in_limit": False,
        "expires_at": "2027-12-31T23:59:59Z",
        "creator_user_id": "user_1",
        "workspace_id": WORKSPACE,
    }
    assert created.secret == Secret(RAW_KEY)
    assert RAW_KEY not in repr(created)
    assert created.key.hash == HASH


def test_create_sends_nothing_it_was_not_given(client):
    responses.post(URL, status=201, json={"data": key_row(), "key": RAW_KEY})
    keys.create(client, name="bare")
    assert sent_body() == {"name": "bare"}


def test_a_limit_of_zero_is_a_limit(client):
    responses.post(URL, status=201, json={"data": key_row(), "key": RAW_KEY})
    keys.create(client, name="closed", limit=Decimal(0))
    assert sent_body() == {"name": "closed", "limit": 0}


def test_the_secret_is_found_inside_too_and_does_not_stay_there(client):
    responses.post(URL, status=201, json={"data": key_row(key=RAW_KEY)})
    created = keys.create(client, name="x")
    assert created.secret.reveal() == RAW_KEY
    assert created.key.extra == {}


@pytest.mark.parametrize(
    "answer", [{"data": key_row()}, {"data": key_row(), "key": None}, {"data": key_row(), "key": ""}]
)
def test_a_lost_secret_names_the_key_to_delete(client, answer):
    responses.post(URL, status=201, json=answer)
    with pytest.raises(errors.UnreadableAnswer) as caught:
        keys.create(client, name="x")
    assert caught.value.outcome_unknown
    assert caught.value.metadata == {"hash": HASH}


def test_a_created_key_we_cannot_read_is_in_doubt_and_shows_no_secret(client):
    responses.post(URL, status=201, json={"data": {"hash": HASH}, "key": RAW_KEY})
    with pytest.raises(errors.UnreadableAnswer, match=r"lacks the field “data\.name”") as caught:
        keys.create(client, name="x")
    assert caught.value.outcome_unknown
    assert RAW_KEY not in repr(vars(caught.value))


@pytest.mark.parametrize(
    "asked",
    [
        {"name": ""},
        {"name": "x", "limit": Decimal("-0.01")},
        {"name": "x", "limit": Decimal("NaN")},
        {"name": "x", "limit": Decimal("Infinity")},
        {"name": "x", "expires_at": datetime(2027, 1, 1)},  # noqa: DTZ001 - the naive one is the case
        {"name": "x", "expires_at": datetime(2027, 1, 1, tzinfo=timezone(timedelta(hours=2)))},
    ],
)
def test_what_upstream_would_refuse_is_not_sent(client, asked):
    with pytest.raises(ValueError, match=r".+"):
        keys.create(client, **asked)
    assert client.calls == 0


def test_upstreams_words_about_a_create_reach_the_caller(client):
    responses.post(URL, status=400, json=refusal("Invalid workspace", 400))
    with pytest.raises(errors.InvalidRequest, match="Invalid workspace") as caught:
        keys.create(client, name="x")
    assert not caught.value.outcome_unknown


def test_update_sends_only_what_changes(client):
    responses.patch(f"{URL}/{HASH}", json={"data": key_row(name="new")})
    changes = KeyChanges(name="new", limit=None, limit_reset=None, disabled=False)
    assert keys.update(client, key_hash=HASH, changes=changes).name == "new"
    assert sent_body() == {"name": "new", "limit": None, "limit_reset": None, "disabled": False}


def test_an_update_without_changes_is_refused_here(client):
    with pytest.raises(ValueError, match="nothing to change"):
        keys.update(client, key_hash=HASH, changes=KeyChanges())
    assert client.calls == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"disabled": None},
        {"include_byok_in_limit": None},
        {"workspace_id": None},
        {"limit": Decimal("-1")},
        {"limit": Decimal("NaN")},
    ],
)
def test_changes_upstream_would_refuse_cannot_be_made(changes):
    with pytest.raises(ValueError, match=r".+"):
        KeyChanges(**changes)


def test_a_change_knows_what_it_holds():
    assert not KeyChanges()
    assert KeyChanges(limit=None)
    assert repr(KeyChanges().name) == "UNSET"
    assert KeyChanges(name="x").body() == {"name": "x"}
    assert KeyChanges().limit is UNSET


def test_an_update_we_cannot_read_is_in_doubt(client):
    responses.patch(f"{URL}/{HASH}", json={"data": {}})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        keys.update(client, key_hash=HASH, changes=KeyChanges(disabled=True))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("answer", [{"json": {"deleted": True}}, {"status": 204}, {"json": {}}])
def test_delete(client, answer):
    responses.delete(f"{URL}/{HASH}", **answer)
    keys.delete(client, key_hash=HASH)
    assert client.calls == 1


def test_a_key_that_is_gone_already_counts_as_deleted(client):
    responses.delete(f"{URL}/{HASH}", status=404, json=refusal("Key not found", 404))
    keys.delete(client, key_hash=HASH)


def test_a_delete_that_is_not_confirmed_is_in_doubt(client):
    responses.delete(f"{URL}/{HASH}", json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        keys.delete(client, key_hash=HASH)
    assert caught.value.outcome_unknown
