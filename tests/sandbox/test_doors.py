"""The doors, over HTTP and from Python."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from orgadmin.sandbox.app import Sandbox
from orgadmin.sandbox.errors import NotFoundError
from tests.sandbox.conftest import NOON, Caller


@pytest.fixture
def door(sandbox: Sandbox) -> Client:
    return Client(sandbox)


def test_the_credentials_are_told(door: Client, sandbox: Sandbox) -> None:
    assert door.get("/_sandbox/credentials").get_json() == {
        "management_key": sandbox.management_key,
        "inference_key": sandbox.inference_key,
    }


def test_what_arrived_is_counted_by_endpoint_and_shown_without_secrets(
    door: Client, sandbox: Sandbox, api: Caller
) -> None:
    secret = "sk-or-v1-" + "a" * 64
    api.get("/keys", offset=0)
    api.get("/keys/abc")
    api.get(f"/keys/{secret}")
    api.post("/keys", {"name": "x", "external": {"user": "u", "api_key": "b" * 40}, "note": f"see {secret}"})
    api("POST", "/keys", data=f"not json {secret}")
    shown = door.get("/_sandbox/requests").get_json()
    assert shown["counts"] == {"GET /keys": 1, "GET /keys/{hash}": 2, "POST /keys": 2}
    assert shown["total"] == sandbox.requests().total == 5
    assert [seen["status"] for seen in shown["last"]] == [200, 404, 404, 201, 400]
    assert shown["last"][0]["query"] == {"offset": "0"}
    assert shown["last"][3]["body"]["external"] == {"user": "u", "api_key": "•••"}
    text = door.get("/_sandbox/requests").get_data(as_text=True)
    assert secret not in text
    assert "b" * 40 not in text
    assert sandbox.management_key not in text
    assert door.delete("/_sandbox/requests").get_json()["total"] == 0


def test_only_the_last_500_requests_are_kept_but_all_are_counted(sandbox: Sandbox, api: Caller) -> None:
    for _ in range(510):
        api.get("/nope")
    assert sandbox.requests().count("GET (no such path)") == 510
    assert len(sandbox.requests().last) == 500


def test_a_reset_brings_the_account_back(door: Client, sandbox: Sandbox, api: Caller) -> None:
    before = sandbox.every_key()
    api.delete(f"/keys/{before[0]['hash']}")
    sandbox.advance(3600)
    sandbox.fault(kind="html")
    assert door.post("/_sandbox/reset").status_code == 200
    assert sandbox.every_key() == before
    assert (sandbox.faults(), sandbox.requests().total, sandbox.now()) == ([], 0, NOON)


def test_the_clock_is_moved_and_set(door: Client, sandbox: Sandbox) -> None:
    assert door.post("/_sandbox/clock", json={"advance": 90}).get_json()["now"] == "2026-11-18T12:01:30+00:00"
    assert door.post("/_sandbox/clock", json={"now": "2026-12-01T00:00:00Z"}).status_code == 200
    assert sandbox.now() == NOON.replace(month=12, day=1, hour=0)
    assert door.get("/_sandbox/clock").get_json()["now"] == "2026-12-01T00:00:00+00:00"
    sandbox.advance(timedelta(days=-1))
    assert sandbox.now() == NOON.replace(month=11, day=30, hour=0)
    with pytest.raises(ValueError, match="time zone"):
        sandbox.set_now(NOON.replace(tzinfo=None))


def test_changes_come_from_outside(door: Client, sandbox: Sandbox, api: Caller) -> None:
    def outside(**change: Any) -> Any:
        response = door.post("/_sandbox/outside", json=change)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()["made"][0]

    key = outside(create_key={"name": "from outside", "limit": 3, "expires_at": "2026-12-01T00:00:00Z"})
    outside(update_key={"hash": key, "name": "renamed", "disabled": True})
    outside(spend={"hash": key, "usd": 1.25, "byok_usd": 0.5})
    outside(correct_day={"hash": key, "date": "2026-11-18", "usd": 0.75, "requests": 2})
    outside(correct_day={"hash": key, "date": "2026-11-18", "usd": -0.75, "requests": -2})
    outside(correct_day={"date": "2026-11-17", "usd": 1})
    outside(quiet_key=key)
    shown = api.data(f"/keys/{key}")
    assert (shown["name"], shown["disabled"], shown["usage"], shown["byok_usage"]) == (
        "renamed",
        True,
        1.25,
        0.5,
    )
    outside(delete_key=key)
    assert api.get(f"/keys/{key}").status_code == 404
    outside(rename_workspace={"id": "production", "name": "Live"})
    assert api.data("/workspaces/production")["name"] == "Live"
    outside(change_model={"id": "openai/gpt-5.2", "prompt": "0.5"})
    assert api.data("/model/openai/gpt-5.2")["pricing"]["prompt"] == "0.5"
    member = outside(add_member={"email": "new@acme-research.example", "first_name": "New"})
    outside(update_member={"id": member, "role": "org:admin"})
    assert next(row for row in sandbox.account.members if row.id == member).role == "org:admin"
    outside(remove_member=member)
    assert member not in sandbox.account.members
    assert sandbox.requests().count("POST /keys") == 0


@pytest.mark.parametrize("body", [
    {}, [], 5, {"explode": 1}, {"update_key": {"hash": "x", "name": "y"}}, {"delete_key": "x"},
    {"correct_day": {"usd": 1}}, {"correct_day": {"date": "2026-11-19"}},
    {"update_key": {}}, {"create_key": {}}, {"create_key": {"name": "x", "colour": 1}},
    {"delete_key": "x", "quiet_key": "x"}, {"__init__": {}},
])  # fmt: skip
def test_an_outside_change_that_makes_no_sense_is_refused(door: Client, body: Any) -> None:
    response = door.post("/_sandbox/outside", json=body)
    assert response.status_code in (400, 404) or body == []


def test_only_fields_of_a_key_can_be_set(sandbox: Sandbox) -> None:
    key = sandbox.outside.create_key(name="x")
    with pytest.raises(ValueError, match="ledger"):
        sandbox.outside.update_key(key, ledger=None)
    with pytest.raises(ValueError, match="id"):
        sandbox.outside.update_member(next(iter(sandbox.account.members)).id, id="y")
    with pytest.raises(NotFoundError):
        sandbox.outside.delete_key("x")


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/_sandbox/nope", 404), ("GET", "/_sandbox/reset", 405), ("POST", "/_sandbox/clock", 400),
    ("PUT", "/_sandbox/faults", 405),
])  # fmt: skip
def test_doors_that_are_not_there(door: Client, method: str, path: str, status: int) -> None:
    assert door.open(path, method=method).status_code == status
    assert door.open(path, method=method, data=b"{").status_code == (status if status != 400 else 400)


def test_an_expiry_from_outside_ends_the_spending(sandbox: Sandbox) -> None:
    busy = max(sandbox.every_key(), key=lambda key: key["usage_daily"])["hash"]
    sandbox.outside.update_key(busy, expires_at=NOON)
    before = sandbox.key(busy)["usage"]
    sandbox.advance(timedelta(days=3))
    assert sandbox.key(busy)["usage"] == before
