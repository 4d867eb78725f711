"""Pulls beside others who write the same rows: nobody's write is lost, and nobody waits in a ring.

SQLite has one writer at a time; these are about PostgreSQL's row locks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory import linking
from orgadmin.inventory.models import Key
from orgadmin.inventory.pull import Fresh, Pull
from tests.conftest import Sync
from tests.inventory.pulling import log_of, pulled
from tests.sandbox_server import RunningSandbox

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite locks its whole database"),
]

LONGEST = 20.0


@contextmanager
def beside(act: Callable[[], None]) -> Iterator[threading.Thread]:
    """Another process, as far as the database can tell; it has ended when the block has."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(LONGEST)
        assert not thread.is_alive()


def test_a_row_that_is_being_written_is_waited_for_and_left_alone(
    organization: Organization, sync: Sync, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    key = Key.objects.filter(disabled=False).earliest("id")
    sandbox.sandbox.outside.spend(key.hash, usd=1)
    locked, at_the_lock = threading.Event(), threading.Event()

    def web() -> None:
        # A page's change of the key: its row is locked and written, and committed a moment later.
        with transaction.atomic():
            row = Key.objects.select_for_update().get(pk=key.pk)
            row.disabled, row.written_at = True, timezone.now()
            row.save()
            locked.set()
            assert at_the_lock.wait(LONGEST)
            wait_for_a_waiter()

    written_since = Pull._written_since
    webs: list[Any] = []

    def while_it_is_written(self: Pull, identities: Sequence[str], asked_at: Any) -> set[str]:
        if key.hash in identities and not webs:
            webs.append(beside(web))
            webs[0].__enter__()
            assert locked.wait(LONGEST)
            at_the_lock.set()
        return written_since(self, identities, asked_at)

    monkeypatch.setattr(Pull, "_written_since", while_it_is_written)
    pulled(organization)
    webs[0].__exit__(None, None, None)
    key.refresh_from_db()
    assert key.disabled
    assert log_of(organization) == []


def wait_for_a_waiter() -> None:
    """Until the database says that somebody waits for a lock of ours."""
    waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    deadline = timezone.now().timestamp() + LONGEST
    with connection.cursor() as cursor:
        while timezone.now().timestamp() < deadline:
            cursor.execute(waits)
            if cursor.fetchone():
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("Nobody waited for the row.")


def test_pulls_and_links_lock_keys_in_one_order(
    organization: Organization, sync: Sync, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    for row in Key.objects.all():
        sandbox.sandbox.outside.update_key(row.hash, name=f"new {row.name}")
    Key.objects.update(owner=None, workspace=None)
    # Whoever comes first stops with the first row in hand; the other must wait for it with nothing in hand.
    explained = Pull._explained
    links: list[Any] = []

    def with_a_link_beside(self: Pull, fresh: Sequence[Fresh]) -> Any:
        if not links:
            links.append(beside(lambda: linking.link_keys(organization)))
            links[0].__enter__()
            wait_for_a_waiter()
        return explained(self, fresh)

    monkeypatch.setattr(Pull, "_explained", with_a_link_beside)
    pulled(organization)
    links[0].__exit__(None, None, None)
    assert not Key.objects.exclude(sort_name__startswith="new ").exists()
    assert not Key.objects.filter(workspace=None).exists()
