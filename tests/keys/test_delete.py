"""Deleting a key, for ever: only when its name was typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from orgadmin.accounts.models import User
from orgadmin.inventory.models import Key
from tests.conftest import SignIn, Sync
from tests.keys.conftest import last_entry, log_of, sent, shown, text_of
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/keys/"


@pytest.fixture(autouse=True)
def only_changes(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()


def delete(desk: Client, key: Key, typed: str | None = None) -> Any:
    return desk.post(
        f"/o/acme/keys/{key.hash}/delete/", {"confirmation": key.name if typed is None else typed}
    )


def exists(sandbox: RunningSandbox, key: Key) -> bool:
    return any(found["hash"] == key.hash for found in sandbox.sandbox.every_key())


def test_it_asks_for_the_name(desk: Client, key: Key) -> None:
    page = text_of(desk.get(f"/o/acme/keys/{key.hash}/delete/"))
    assert f"Type “{key.name}” to confirm" in page
    assert "This cannot be undone" in page


def test_it_deletes_what_was_named(desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync) -> None:
    response = delete(desk, key, f"  {key.name} ")
    assert response["Location"] == LIST
    assert f"Key “{key.name}” deleted." in text_of(desk.get(LIST))
    assert not exists(sandbox, key)
    assert [call.endpoint for call in sent(sandbox)] == ["DELETE /keys/{hash}"]
    assert key.hash not in shown(desk.get(LIST))
    assert log_of(key.organization) == [("key.delete", "started"), ("key.delete", "ok")]
    sync("keys")
    assert len(log_of(key.organization)) == 2


def test_the_log_keeps_what_the_key_was_and_spent(desk: Client, key: Key) -> None:
    delete(desk, key)
    before = last_entry().before
    assert before is not None
    assert (before["name"], before["label"], before["usage"]) == (key.name, key.label, str(key.usage))
    page = text_of(desk.get(f"/o/acme/keys/{key.hash}/"))
    assert "no longer exists at OpenRouter" in page
    assert "Delete…" not in page


def test_anything_else_deletes_nothing(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    for typed in ("", "yes", "delete", key.name[:-1], key.name.upper()):
        response = delete(desk, key, typed)
        assert response.status_code == 400
        assert text_of(response).count("Nothing was deleted") == 1
    assert sent(sandbox) == []
    assert exists(sandbox, key)


@pytest.mark.parametrize(
    "name",
    ["n" * 1000, "\u202eevil", "   ", "\x07bell", "prod-api "],
    ids=["long", "reversed", "blank", "bell", "spaces"],
)
def test_a_key_whose_name_nobody_can_type_can_be_deleted_all_the_same(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync, name: str
) -> None:
    sandbox.sandbox.outside.update_key(key.hash, name=name)
    sync("keys")
    assert delete(desk, key, "").status_code == 400
    page = text_of(desk.get(f"/o/acme/keys/{key.hash}/delete/"))
    word = page.partition("Type “")[2].partition("” to confirm")[0]
    assert 0 < len(word.strip()) <= 200
    assert word.isprintable()
    assert delete(desk, key, word).status_code == 302
    assert not exists(sandbox, key)


def test_one_that_is_gone_already_counts_as_deleted(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.delete_key(key.hash)
    assert delete(desk, key).status_code == 302
    assert log_of(key.organization) == [("key.delete", "started"), ("key.delete", "ok")]


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "cut", "html"])
def test_a_lost_answer_is_asked_for_again(desk: Client, key: Key, sandbox: RunningSandbox, kind: str) -> None:
    after = {"after": True, "status": 502} if kind == "html" else {}
    sandbox.sandbox.fault(kind=kind, method="DELETE", **after)
    assert delete(desk, key).status_code == 302
    assert not exists(sandbox, key)
    assert log_of(key.organization) == [("key.delete", "started"), ("key.delete", "ok")]


def test_when_nothing_happened_it_says_so(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="drop_before", method="DELETE", times=3)
    response = delete(desk, key)
    assert response.status_code == 502
    assert "The key was not deleted." in text_of(response)
    assert exists(sandbox, key)
    assert last_entry().outcome == "failed"
    assert key.hash in shown(desk.get(LIST))


def test_when_nobody_knows_the_next_sync_tells(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="drop_after", method="DELETE", times=1)
    sandbox.sandbox.fault(kind="drop_before", method="DELETE", times=2)
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path="/keys/*", times=3)
    response = delete(desk, key)
    assert response.status_code == 502
    assert "Nobody knows yet" in text_of(response)
    assert last_entry().outcome == "unknown"
    sandbox.sandbox.clear_faults()
    sync("keys")
    assert (last_entry().outcome, last_entry().actor_kind, last_entry().action) == (
        "ok",
        "person",
        "key.delete",
    )


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize(
    ("broken", "written"),
    [
        ("orgadmin.keys.services.delete.mark_gone", ["started", "ok"]),
        ("orgadmin.audit.services.finish", ["started"]),
    ],
    ids=["row", "outcome"],
)
def test_what_our_database_says_of_it_does_not_bring_the_key_back(
    desk: Client,
    key: Key,
    sandbox: RunningSandbox,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    lost: bool,
    broken: str,
    written: list[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("disk full")

    if lost:
        sandbox.sandbox.fault(kind="drop_after", method="DELETE")
    with monkeypatch.context() as breaking:
        breaking.setattr(broken, fail)
        assert delete(desk, key).status_code == 302
    assert f"Key “{key.name}” deleted." in text_of(desk.get(LIST))
    assert not exists(sandbox, key)
    assert [outcome for _, outcome in log_of(key.organization)] == written
    sync("keys")
    key.refresh_from_db()
    assert key.gone_at is not None
    assert [outcome for _, outcome in log_of(key.organization)] == written


def test_that_nothing_happened_is_told_even_if_it_cannot_be_written(
    desk: Client, key: Key, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("disk full")

    sandbox.sandbox.fault(kind="drop_before", method="DELETE", times=3)
    monkeypatch.setattr("orgadmin.audit.services.finish", fail)
    assert "The key was not deleted." in text_of(delete(desk, key))


def test_a_refusal_is_told(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    for status in (401, 403, 500, 503, 429):
        words = f"Not now {status}"
        sandbox.sandbox.fault(kind="status", status=status, message=words, method="DELETE", times=3)
        response = delete(desk, key)
        assert response.status_code == 502
        assert words in text_of(response)
        assert exists(sandbox, key)
        assert last_entry().outcome == "failed"
        sandbox.sandbox.clear_faults()


def test_it_refuses_a_viewer(
    synced: Any, key: Key, viewer: User, sign_in: SignIn, sandbox: RunningSandbox
) -> None:
    assert delete(sign_in(viewer), key).status_code == 403
    assert sent(sandbox) == []


def test_it_says_what_stops_working(desk: Client, key: Key) -> None:
    address = f"/o/acme/keys/{key.hash}/delete/"
    assert "stops working at once" in text_of(desk.get(address))
    Key.objects.filter(pk=key.pk).update(disabled=True)
    assert "nothing stops working" in text_of(desk.get(address))


@pytest.mark.parametrize(("limit", "words"), [(None, "It had none."), ("20", "It was <span")])
def test_a_deleted_key_has_no_limit_any_more(desk: Client, key: Key, limit: str | None, words: str) -> None:
    Key.objects.filter(pk=key.pk).update(limit=limit, limit_remaining=limit, limit_reset=None)
    delete(desk, key)
    page = text_of(desk.get(f"/o/acme/keys/{key.hash}/"))
    assert words in page
    assert "can spend all the credits" not in page
    assert "Next reset" not in page
    assert "→ none" not in page
