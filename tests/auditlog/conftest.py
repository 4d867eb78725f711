"""An administrator, and nouns of which the tests of restoring know everything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Guardrail, Key, Workspace
from tests.conftest import SignIn, Sync
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Client:
    hurry(monkeypatch)
    browser = sign_in(admin)
    plain = browser.post

    def post(path: str, data: Any, **options: Any) -> Any:
        """A form as it is on the page: with what the person saw."""
        if "field" in data and "seen" not in data:
            found = re.search(r'name="seen" value="(\w+)"', browser.get(path).content.decode())
            data = {**data, "seen": found.group(1) if found else ""}
        return plain(path, data, **options)

    monkeypatch.setattr(browser, "post", post)
    return browser


@pytest.fixture
def key(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Key:
    workspace = Workspace.objects.order_by("pk")[0]
    made = sandbox.sandbox.outside.create_key(name="bot", workspace_id=workspace.uid, limit=50)
    sync("keys")
    return Key.objects.get(hash=made)


@pytest.fixture
def guardrail(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Guardrail:
    workspace = Workspace.objects.order_by("pk")[0]
    uid = sandbox.sandbox.outside.create_guardrail(
        name="Strict",
        workspace_id=workspace.uid,
        limit_usd=20,
        reset_interval="daily",
        ignored_models=["openai/gpt-4o"],
    )
    sync()
    return Guardrail.objects.get(uid=uid)


@pytest.fixture
def workspace(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Workspace:
    uid = sandbox.sandbox.outside.create_workspace(name="Lab", slug="lab", description="For trials")
    sync("workspaces")
    return Workspace.objects.get(uid=uid)
