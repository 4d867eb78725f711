"""A pull that is under way while somebody enters another key, or takes the key away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import Pull
from orgadmin.openrouter.errors import NotFound, Unauthorized
from tests.inventory.pulling import between_pages, log_of, pull
from tests.sandbox_server import RunningSandbox

OTHER = "b" * 64


def rekey() -> None:
    Organization.objects.update(key_hash=OTHER, status=Organization.Status.CONNECTED)


def disconnect() -> None:
    Organization.objects.update(
        key_hash="", management_key=None, status=Organization.Status.DISCONNECTED, status_message=""
    )


def once_instead(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[str]:
    """The first walk does this in place of walking; returns the keys that walks began with."""
    execute = Pull.execute
    began: list[str] = []

    def first_time(self: Pull) -> None:
        began.append(self.organization.key_hash)
        if len(began) == 1:
            act()
        else:
            execute(self)

    monkeypatch.setattr(Pull, "execute", first_time)
    return began


def test_what_the_old_key_is_refused_says_nothing_about_the_new_one(
    synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        rekey()
        raise Unauthorized("User not found.", status=401)

    began = once_instead(monkeypatch, refused)
    run = pull(synced)
    assert began == [synced.key_hash, OTHER]
    assert (run.state, run.error, run.seen) == (SyncRun.State.OK, "", 40)
    synced.refresh_from_db()
    assert (synced.status, synced.status_message) == (Organization.Status.CONNECTED, "")
    assert synced.summary["sync_state"] == "ok"


def test_a_new_key_that_is_refused_too_is_told(
    synced: Organization, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
) -> None:
    once_instead(monkeypatch, rekey)
    sandbox.sandbox.fault(kind="status", status=401, times=50)
    assert pull(synced).state == SyncRun.State.FAILED
    synced.refresh_from_db()
    assert synced.status == Organization.Status.BROKEN


def test_a_pull_that_went_through_with_the_old_key_is_made_again(
    synced: Organization, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.create_key(name="late")
    sandbox.sandbox.clear_requests()
    between_pages(monkeypatch, rekey)
    run = pull(synced)
    # Three workspaces, twice.
    assert sandbox.sandbox.requests().count("GET /keys") == 6
    assert (run.state, run.seen, run.added) == (SyncRun.State.OK, 41, 0)
    assert [entry.action for entry in log_of(synced)] == ["key.create"]
    assert SyncRun.objects.filter(kind="keys").count() == 2


def test_what_the_old_key_lacks_the_new_one_may_have(
    synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking() -> None:
        rekey()
        raise NotFound("No such page.", status=404)

    once_instead(monkeypatch, lacking)
    run = pull(synced, "members")
    synced.refresh_from_db()
    assert (run.state, run.seen) == (SyncRun.State.OK, 8)
    assert synced.capabilities["members"] is True


def test_a_pull_ends_with_the_connection(
    synced: Organization, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
) -> None:
    between_pages(monkeypatch, disconnect)
    sandbox.sandbox.clear_requests()
    run = pull(synced)
    assert (run.state, run.error) == (SyncRun.State.INTERRUPTED, "The organization was disconnected.")
    assert run.finished_at is not None
    assert sandbox.sandbox.requests().count("GET /keys") == 3
    synced.refresh_from_db()
    assert (synced.status, synced.status_message) == (Organization.Status.DISCONNECTED, "")
