"""Answers that never come: what was done is found, told once, and never done twice."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Guardrail, Workspace
from tests.guardrails.conftest import at
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def create(desk: Client, workspace: Workspace) -> int:
    form = {
        "name": "Lost",
        "workspace": workspace.uid,
        "form_token": str(uuid.uuid4()),
        "builtin-email": "redact",
        "limit_usd": "5",
        "reset_interval": "daily",
    }
    return desk.post(at("create"), form).status_code


def test_a_lost_create_is_found_at_once(desk: Client, workspace: Workspace, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(method="POST", path="/guardrails", kind="drop_after")
    assert create(desk, workspace) == 302
    assert Guardrail.objects.filter(name="Lost").count() == 1
    assert Entry.objects.order_by("-id")[0].outcome == "ok"
