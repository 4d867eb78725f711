"""An administrator in front of a full mirror, and a workspace of which the tests know everything."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Workspace
from tests.conftest import SignIn, Sync
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Client:
    hurry(monkeypatch)
    return sign_in(admin)


@pytest.fixture
def lab(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Workspace:
    """A workspace without keys, members or budgets."""
    account = sandbox.sandbox.account
    synced.default_workspace_uid = account.workspaces.default_id or ""
    synced.save()
    uid = sandbox.sandbox.outside.create_workspace(name="Lab", slug="lab")
    sync("workspaces", "workspace-budgets", "workspace-members")
    sandbox.sandbox.clear_requests()
    Entry.objects.all()._raw_delete("default")
    return Workspace.objects.get(uid=uid)


def at(workspace: Workspace, *parts: str) -> str:
    return "/".join(["/o/acme/workspaces", workspace.uid, *parts, ""])


def sent(sandbox: RunningSandbox) -> list[tuple[str, str, Any]]:
    """Every change that arrived upstream: method, the end of the path, body."""
    calls = [call for call in sandbox.sandbox.requests().last if call.method != "GET"]
    return [(call.method, call.path.rsplit("/", 1)[-1], call.body) for call in calls]


def log() -> list[tuple[str, str]]:
    """Our own acts, in their order."""
    rows = Entry.objects.exclude(actor_kind="outside").order_by("id")
    return list(rows.values_list("action", "outcome"))


def outside() -> list[str]:
    return list(Entry.objects.filter(actor_kind="outside").values_list("action", flat=True))
