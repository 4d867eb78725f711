"""Creating a key when OpenRouter's answer never comes: one POST, whatever happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from tests.conftest import Sync
from tests.keys.conftest import key_form, last_entry, log_of, secret_in, sent, text_of, token_in
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"
POST = {"method": "POST", "path": "/keys"}
LOOK = {"method": "GET", "path": "/keys"}

NOT_DONE: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503},
    "524": {"kind": "status", "status": 524},
    "529": {"kind": "status", "status": 529},
    "HTML 502": {"kind": "html", "status": 502},
    "HTML 200": {"kind": "html", "status": 200},
    "reset": {"kind": "drop_before"},
}
# What may still be under way behind an edge that gave up, or behind a line that broke.
STILL_POSSIBLE = [NOT_DONE["524"], NOT_DONE["reset"]]
DONE: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500, "after": True},
    "503": {"kind": "status", "status": 503, "after": True},
    "524": {"kind": "status", "status": 524, "after": True},
    "529": {"kind": "status", "status": 529, "after": True},
    "HTML 502": {"kind": "html", "status": 502, "after": True},
    "truncated": {"kind": "truncated"},
    "cut short": {"kind": "cut"},
    "reset": {"kind": "drop_after"},
    "timeout": {"kind": "delay", "seconds": 1.0, "after": True},
}


@pytest.fixture(autouse=True)
def only_changes(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()


def upstream_has(sandbox: RunningSandbox, name: str) -> list[dict[str, Any]]:
    return [key for key in sandbox.sandbox.every_key() if key["name"] == name]


@pytest.mark.parametrize("fault", NOT_DONE.values(), ids=NOT_DONE)
def test_a_key_that_was_not_made_is_looked_for_and_the_form_comes_back(
    desk: Client, synced: Organization, sandbox: RunningSandbox, fault: dict[str, Any]
) -> None:
    sandbox.sandbox.fault(**POST, **fault)
    form = key_form(synced, name="never made", limit="3")
    response = desk.post(CREATE, form)
    page = text_of(response)
    assert response.status_code == 502
    assert "lists no such key" in page
    assert 'value="never made"' in page
    assert token_in(response) != form["form_token"]
    assert len(sent(sandbox)) == 1
    assert sandbox.sandbox.requests().count("GET /keys") == 1
    assert not Key.objects.filter(name="never made").exists()
    assert ("so far" in page) is (last_entry().outcome == "unknown") is (fault in STILL_POSSIBLE)
    assert last_entry().outcome in ("failed", "unknown")


@pytest.mark.parametrize("fault", DONE.values(), ids=DONE)
def test_a_key_that_was_made_is_found_and_offered_for_deletion(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync, fault: dict[str, Any]
) -> None:
    sandbox.sandbox.fault(**POST, **fault)
    response = desk.post(CREATE, key_form(synced, name="orphan", limit="3", limit_reset="daily"))
    page = text_of(response)
    assert response.status_code == 502
    assert "exists, but the answer with its secret is lost for good" in page
    (made,) = upstream_has(sandbox, "orphan")
    assert f"/o/acme/keys/{made['hash']}/delete/" in page
    assert len(sent(sandbox)) == 1
    assert Key.objects.get(name="orphan").hash == made["hash"]
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]
    assert last_entry().target_id == made["hash"]
    assert "its secret is lost: delete it" in last_entry().message
    sync("keys")
    assert len(log_of(synced)) == 2

    desk.post(f"/o/acme/keys/{made['hash']}/delete/", {"confirmation": "orphan"})
    assert upstream_has(sandbox, "orphan") == []


def test_an_older_key_of_the_same_name_is_not_mistaken_for_it(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="drop_before", **POST)
    page = text_of(desk.post(CREATE, key_form(synced, name="test")))
    assert "lists no such key" in page
    older = sandbox.sandbox.outside.create_key(name="made elsewhere")
    sandbox.sandbox.advance(timedelta(minutes=10))
    sandbox.sandbox.fault(kind="drop_before", **POST)
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        page = text_of(desk.post(CREATE, key_form(synced, name="made elsewhere")))
    assert "lists no such key" in page
    assert older not in page


def test_one_that_is_found_is_taken_to_be_ours_only_if_it_looks_like_it(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    """Somebody just made a key of the same name with other settings: deleting that one would hurt."""
    sandbox.sandbox.outside.create_key(name="ci", workspace_id=key_form(synced)["workspace"], limit=500)
    sandbox.sandbox.fault(kind="drop_before", **POST)
    page = text_of(desk.post(CREATE, key_form(synced, name="ci", limit="5")))
    assert "lists no such key" in page


def test_when_looking_fails_too_nobody_knows_and_it_says_so(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="drop_after", **POST)
    sandbox.sandbox.fault(kind="status", status=500, times=3, **LOOK)
    response = desk.post(CREATE, key_form(synced, name="who knows", limit="2.50", limit_reset="daily"))
    assert response.status_code == 502
    assert "Nobody can say yet whether the key was created" in text_of(response)
    assert log_of(synced) == [("key.create", "started"), ("key.create", "unknown")]
    assert len(sent(sandbox)) == 1

    sync("keys")
    assert log_of(synced)[2:] == [("key.create", "ok")]
    found = last_entry()
    assert found.target_id == Key.objects.get(name="who knows").hash
    assert found.about == Entry.objects.get(outcome="started")
    assert found.actor_kind == "person"
    assert "next sync found that it took effect" in found.message


def test_what_takes_effect_after_we_looked_is_still_known_as_ours(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    """The request was read, the answer timed out, and the key appeared after we had looked for it."""
    sandbox.sandbox.fault(kind="delay", seconds=0.9, **POST)
    response = desk.post(CREATE, key_form(synced, name="late", limit="4"))
    assert "lists no such key so far" in text_of(response)
    assert log_of(synced) == [("key.create", "started"), ("key.create", "unknown")]
    deadline = timezone.now() + timedelta(seconds=5)
    while not upstream_has(sandbox, "late") and timezone.now() < deadline:
        pass
    sync("keys")
    assert log_of(synced)[2:] == [("key.create", "ok")]
    assert len(sent(sandbox)) == 1


def test_an_answer_without_the_secret_names_the_key_that_it_made(
    desk: Client, synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.openrouter import keys as upstream

    understood = upstream._created
    monkeypatch.setattr(upstream, "_created", lambda answer: understood({"data": answer["data"]}))
    page = text_of(desk.post(CREATE, key_form(synced, name="no secret came")))
    (made,) = upstream_has(sandbox, "no secret came")
    assert f"/o/acme/keys/{made['hash']}/delete/" in page


def test_after_a_lost_answer_a_new_try_makes_exactly_one_more(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="status", status=502, **POST)
    form = key_form(synced, name="second try")
    again = {**form, "form_token": token_in(desk.post(CREATE, form))}
    secret_in(desk.post(CREATE, again))
    assert len(upstream_has(sandbox, "second try")) == 1
    sync("keys")
    assert [action for action, outcome in log_of(synced)] == ["key.create"] * 4
