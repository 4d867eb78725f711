"""Pulls as the tests of this folder make them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import Pull
from orgadmin.inventory.services import request_pull, run_pull


def pull(organization: Organization, kind: str = "keys") -> SyncRun:
    """Ask for a pull and do it here and now; the run as it ended."""
    run = request_pull(organization=organization, kind=kind)
    run_pull(run_id=run.pk)
    run.refresh_from_db()
    return run


def pulled(organization: Organization, kind: str = "keys") -> SyncRun:
    """A pull that must go through."""
    run = pull(organization, kind)
    assert run.state == SyncRun.State.OK, run.error
    return run


def log_of(organization: Organization) -> list[Entry]:
    """The whole audit log, oldest first."""
    return list(Entry.objects.filter(organization=organization).order_by("id"))


def between_pages(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], *, before: bool = False) -> None:
    """Do something once: after the first page was kept, or ``before`` that, when it is out of date."""
    kept = Pull._keep
    done: list[bool] = []

    def keep(self: Pull, items: Any, asked_at: Any) -> None:
        first = not done
        done.append(True)
        if first and before:
            act()
        kept(self, items, asked_at)
        if first and not before:
            act()

    monkeypatch.setattr(Pull, "_keep", keep)
