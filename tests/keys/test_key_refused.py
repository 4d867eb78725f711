"""OpenRouter refuses the management key while somebody works: every page knows at once, not after a pull."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.inventory.services import note_refusal
from orgadmin.keys import views
from orgadmin.keys.models import Rotation
from orgadmin.openrouter.errors import Unauthorized
from tests.conftest import Sync
from tests.keys.conftest import form_in, key_form, live_keys, text_of
from tests.sandbox_server import RunningSandbox

Act = Callable[[Client, Key], Any]


def create(desk: Client, key: Key) -> Any:
    return desk.post("/o/acme/keys/create/", key_form(key.organization))


def edit(desk: Client, key: Key) -> Any:
    address = f"/o/acme/keys/{key.hash}/edit/"
    return desk.post(address, {**form_in(desk.get(address), address), "name": "other"})


def disable(desk: Client, key: Key) -> Any:
    return desk.post(f"/o/acme/keys/{key.hash}/disable/")


def delete(desk: Client, key: Key) -> Any:
    return desk.post(f"/o/acme/keys/{key.hash}/delete/", {"confirmation": key.name})


def retire(desk: Client, key: Key) -> Any:
    rotation = Rotation.objects.create(
        organization=key.organization,
        old=key,
        new=live_keys(key.organization)[1],
        started_by=User.objects.earliest("id"),
    )
    return desk.post(f"/o/acme/keys/rotations/{rotation.pk}/retire/", {"still_used": "1"})


def refuse(sandbox: RunningSandbox, status: int = 401) -> None:
    sandbox.sandbox.fault(kind="status", status=status, message="User not found.", times=9)


def state(organization: Organization) -> tuple[str, str]:
    organization.refresh_from_db()
    return organization.status, organization.status_message


@pytest.mark.parametrize("act", [create, edit, disable, delete, retire])
def test_a_refused_key_breaks_the_connection_and_a_good_pull_mends_it(
    desk: Client, synced: Organization, key: Key, sandbox: RunningSandbox, sync: Sync, act: Act
) -> None:
    refuse(sandbox)
    act(desk, key)
    assert state(synced) == ("broken", "User not found.")
    assert "OpenRouter refused the management key." in text_of(desk.get("/o/acme/keys/"))
    sandbox.sandbox.clear_faults()
    sync("keys")
    assert state(synced) == ("connected", "")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_what_is_not_about_the_key_breaks_nothing(
    desk: Client, synced: Organization, key: Key, sandbox: RunningSandbox, status: int
) -> None:
    refuse(sandbox, status)
    disable(desk, key)
    assert state(synced) == ("connected", "")


def test_an_error_that_no_view_handled_counts_too(
    desk: Client, synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise Unauthorized("User not found.", status=401)

    monkeypatch.setattr(views, "keys_page", fail)
    desk.raise_request_exception = False
    desk.get("/o/acme/keys/")
    assert state(synced) == ("broken", "User not found.")


def test_what_the_old_key_is_refused_says_nothing_about_the_new_one(synced: Organization) -> None:
    Organization.objects.update(key_hash="b" * 64)
    note_refusal(synced, Unauthorized("User not found.", status=401))
    assert state(synced) == ("connected", "")


def test_what_is_known_is_not_written_again(synced: Organization) -> None:
    error = Unauthorized("User not found.", status=401)
    note_refusal(synced, error)
    synced.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        note_refusal(synced, error)
    assert not queries.captured_queries


def test_a_disconnected_organization_stays_what_it_is(synced: Organization) -> None:
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    note_refusal(synced, Unauthorized("User not found.", status=401))
    assert state(synced) == ("disconnected", "")
