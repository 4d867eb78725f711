"""OpenRouter made the key, and then our own database failed: the secret matters most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.keys.models import Rotation
from orgadmin.keys.services import create, recording, update
from orgadmin.openrouter import keys as upstream
from tests.conftest import Sync
from tests.keys.conftest import key_form, log_of, secret_in, sent, text_of
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"


# InterfaceError is no DatabaseError, and our own mistakes are neither.
FAILURES = [DatabaseError("disk full"), InterfaceError("connection already closed"), ValueError("odd")]


def breaking_with(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def outside(organization: Organization) -> list[Entry]:
    return list(Entry.objects.filter(organization=organization, actor_kind="outside"))


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_the_row_could_not_be_written(
    desk: Client, synced: Organization, sync: Sync, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(recording, "mirror", breaking_with(error))
        response = desk.post(CREATE, key_form(synced, limit="9"))
    secret_in(response)
    assert response.status_code == 201
    assert "could not save its row" in text_of(response)
    assert not Key.objects.filter(name="checkout-service").exists()
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]

    sync("keys")
    assert Key.objects.get(name="checkout-service").limit == 9
    assert outside(synced) == []
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_the_outcome_could_not_be_written(
    desk: Client, synced: Organization, sync: Sync, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(audit, "finish", breaking_with(error))
        secret_in(desk.post(CREATE, key_form(synced)))
    assert Key.objects.filter(name="checkout-service").exists()
    sync("keys")
    assert outside(synced) == []


def page_when_lost(desk: Client, synced: Organization, sandbox: RunningSandbox, kind: str) -> str:
    """What a person reads after a create whose answer was lost."""
    sandbox.sandbox.fault(kind=kind, method="POST", path="/keys")
    response = desk.post(CREATE, key_form(synced, name="lost"))
    assert response.status_code == 502
    return text_of(response)


@pytest.mark.parametrize(
    ("kind", "words"), [("drop_after", "its secret is lost for good"), ("drop_before", "lists no such key")]
)
def test_the_outcome_of_a_lost_create_could_not_be_written(
    desk: Client,
    synced: Organization,
    sandbox: RunningSandbox,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    words: str,
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(audit, "finish", breaking_with(DatabaseError("disk full")))
        assert words in page_when_lost(desk, synced, sandbox, kind)
    sync("keys")
    assert outside(synced) == []


def test_a_lost_create_could_not_be_looked_for(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(create, "_newest_match", breaking_with(DatabaseError("disk full")))
        assert "Nobody can say yet" in page_when_lost(desk, synced, sandbox, "drop_after")
    sync("keys")
    assert outside(synced) == []
    assert [outcome for _, outcome in log_of(synced)] == ["started", "unknown", "ok"]


@pytest.fixture
def database_gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From the moment OpenRouter made the key, every statement fails."""
    create = upstream.create

    def refuse(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    def create_then_break(*args: Any, **fields: Any) -> upstream.CreatedKey:
        made = create(*args, **fields)
        connection.execute_wrappers.append(refuse)
        return made

    monkeypatch.setattr(upstream, "create", create_then_break)
    yield
    if refuse in connection.execute_wrappers:
        connection.execute_wrappers.remove(refuse)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_the_database_was_gone_altogether(
    desk: Client,
    synced: Organization,
    sync: Sync,
    sandbox: RunningSandbox,
    database_gone: None,
    headers: dict[str, str],
) -> None:
    response = desk.post(CREATE, key_form(synced, limit="9"), headers=headers)
    connection.execute_wrappers.clear()
    assert response.status_code == 201
    secret_in(response)
    assert log_of(synced) == [("key.create", "started")]

    sync("keys")
    assert outside(synced) == []
    later = timezone.now() + timedelta(minutes=10)
    with time_machine.travel(later):
        sync("keys")
    assert Key.objects.filter(name="checkout-service").exists()
    assert outside(synced) == []
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]


@pytest.mark.django_db(transaction=True)
def test_the_database_was_gone_when_a_successor_was_made(
    desk: Client, synced: Organization, key: Key, sandbox: RunningSandbox, database_gone: None
) -> None:
    sandbox.sandbox.clear_requests()
    form = key_form(synced, name="successor", workspace=key.workspace_uid)
    response = desk.post(f"/o/acme/keys/{key.hash}/rotate/", form)
    connection.execute_wrappers.clear()
    assert response.status_code == 201
    secret_in(response)
    assert len(sent(sandbox)) == 1


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_the_pair_of_a_rotation_could_not_be_noted(
    desk: Client, synced: Organization, key: Key, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Rotation.objects, "create", breaking_with(error))
    form = key_form(synced, name="successor", workspace=key.workspace_uid)
    response = desk.post(f"/o/acme/keys/{key.hash}/rotate/", form)
    assert response.status_code == 201
    secret_in(response)
    assert not Rotation.objects.exists()


@pytest.mark.parametrize("error", FAILURES, ids=repr)
def test_the_pair_of_a_rotation_could_not_be_read(
    desk: Client, synced: Organization, key: Key, error: Exception
) -> None:
    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SELECT") and "keys_rotation" in sql:
            raise error
        return execute(sql, *rest)

    form = key_form(synced, name="successor", workspace=key.workspace_uid)
    with connection.execute_wrapper(refuse):
        response = desk.post(f"/o/acme/keys/{key.hash}/rotate/", form)
    assert response.status_code == 201
    secret_in(response)


def test_an_edit_whose_row_could_not_be_written_is_kept_upstream_and_adopted(
    desk: Client, synced: Organization, key: Key, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(recording, "mirror", breaking_with(DatabaseError("disk full")))
        assert desk.post(f"/o/acme/keys/{key.hash}/disable/").status_code == 302
    assert Key.objects.filter(pk=key.pk, disabled=False).exists()
    sync("keys")
    assert Key.objects.filter(pk=key.pk, disabled=True).exists()
    assert outside(synced) == []


@pytest.mark.parametrize(
    ("kind", "words"), [("drop_after", "Key disabled."), ("drop_before", "The key was not changed.")]
)
def test_the_outcome_of_a_lost_change_could_not_be_written(
    desk: Client,
    key: Key,
    sandbox: RunningSandbox,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    words: str,
) -> None:
    sandbox.sandbox.fault(kind=kind, method="PATCH", times=3)
    with monkeypatch.context() as broken:
        broken.setattr(audit, "finish", breaking_with(DatabaseError("disk full")))
        assert words in text_of(desk.post(f"/o/acme/keys/{key.hash}/disable/", follow=True))
    sync("keys")
    assert outside(key.organization) == []


def test_the_row_of_a_change_that_was_not_made_could_not_be_written(
    desk: Client, key: Key, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.sandbox.fault(kind="drop_before", method="PATCH", times=3)
    monkeypatch.setattr(update, "mirror", breaking_with(DatabaseError("disk full")))
    page = text_of(desk.post(f"/o/acme/keys/{key.hash}/disable/", follow=True))
    assert "The key was not changed." in page
    assert log_of(key.organization) == [("key.disable", "started"), ("key.disable", "failed")]


def test_that_a_key_was_deleted_elsewhere_could_not_be_noted(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both the row and the entry wait for the next pull: a row without its entry would hide the deletion."""
    sandbox.sandbox.outside.delete_key(key.hash)
    with monkeypatch.context() as broken:
        broken.setattr(recording, "_note_elsewhere", breaking_with(DatabaseError("disk full")))
        page = text_of(desk.post(f"/o/acme/keys/{key.hash}/disable/", follow=True))
    assert "does not know this key any more" in page
    assert Key.objects.filter(pk=key.pk, gone_at=None).exists()
    sync("keys")
    assert [entry.action for entry in outside(key.organization)] == ["key.delete"]
