"""What goes wrong at OpenRouter fails the run in words, keeps every row, and the next run completes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory import pull as pull_module
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.openrouter.transport import OpenRouter
from tests.inventory.pulling import log_of, pull, pulled
from tests.sandbox_server import RunningSandbox

FAULTS: dict[str, dict[str, Any]] = {
    "401": {"kind": "status", "status": 401},
    "403": {"kind": "status", "status": 403},
    "429": {"kind": "status", "status": 429},
    "429 and wait": {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503},
    "524": {"kind": "status", "status": 524},
    "529": {"kind": "status", "status": 529},
    "html": {"kind": "html"},
    "truncated": {"kind": "truncated"},
    "dropped": {"kind": "drop_before"},
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries happen, the waits between them do not."""

    def impatient(organization: Organization, **kw: Any) -> OpenRouter:
        client = client_for(organization, **kw)
        client._sleep = lambda seconds: None
        client._limiter = None
        return client

    monkeypatch.setattr(pull_module, "client_for", impatient)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_mid_walk_fails_the_run_and_loses_nothing(
    synced: Organization, sandbox: RunningSandbox, fault: dict[str, Any]
) -> None:
    victim = Key.objects.earliest("id")
    sandbox.sandbox.outside.delete_key(victim.hash)
    # Two workspaces answer; the third does not, as often as it is asked.
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/keys", times=2)
    sandbox.sandbox.fault(path="/keys", times=100, **fault)
    run = pull(synced)
    assert run.state == SyncRun.State.FAILED
    assert run.error
    assert "<" not in run.error
    assert run.finished_at is not None
    assert run.seen < 40
    # What was not seen is not gone.
    assert Key.objects.filter(gone_at=None).count() == 40
    assert log_of(synced) == []
    sandbox.sandbox.clear_faults()
    assert pulled(synced).gone == 1
    assert Key.objects.filter(gone_at=None).count() == 39


@pytest.mark.parametrize("fault", [name for name in FAULTS if name not in {"401", "403", "429 and wait"}])
def test_a_single_fault_is_ridden_out(synced: Organization, sandbox: RunningSandbox, fault: str) -> None:
    sandbox.sandbox.fault(path="/keys", times=1, **FAULTS[fault])
    assert pulled(synced).seen == 40


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_breaks_the_connection_and_a_good_run_mends_it(
    synced: Organization, sandbox: RunningSandbox, status: int
) -> None:
    sandbox.sandbox.fault(kind="status", status=status, path="/workspaces", message="No such key.", times=9)
    run = pull(synced)
    synced.refresh_from_db()
    assert (synced.status, synced.status_message) == ("broken", "No such key.")
    assert run.error == "No such key."
    assert synced.summary["sync_state"] == "failed"
    assert synced.summary["sync_message"] == "No such key."
    assert synced.summary["synced_at"] is not None
    sandbox.sandbox.clear_faults()
    pulled(synced)
    synced.refresh_from_db()
    assert (synced.status, synced.status_message) == ("connected", "")
    assert synced.summary["sync_state"] == "ok"


def test_a_server_error_does_not_break_the_connection(synced: Organization, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="status", status=500, path="/workspaces", times=99)
    pull(synced)
    synced.refresh_from_db()
    assert synced.status == "connected"


def test_a_refused_list_is_not_taken_for_an_empty_one(synced: Organization, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="status", status=400, path="/keys", message="Bad parameter.", times=9)
    run = pull(synced)
    assert (run.state, run.error) == (SyncRun.State.FAILED, "Bad parameter.")
    assert sandbox.sandbox.requests().count("GET /keys/{hash}") == 0


def test_our_own_mistake_fails_the_run_in_words(
    synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise DatabaseError("disk full at /var/lib")

    monkeypatch.setattr(pull_module.Pull, "_keep", break_down)
    run = pull(synced)
    assert run.state == SyncRun.State.FAILED
    assert run.error == "Something went wrong here, not at OpenRouter. It was logged."


def test_a_disconnected_organization_says_so(synced: Organization) -> None:
    Organization.objects.filter(pk=synced.pk).update(management_key=None)
    run = pull(synced)
    assert run.state == SyncRun.State.FAILED
    assert "disconnected" in run.error
