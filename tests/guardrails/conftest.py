"""An administrator in front of a full mirror, and guardrails of which the tests know everything."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Guardrail, Workspace
from tests.conftest import SignIn
from tests.patience import hurry


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def workspace(synced: Organization) -> Workspace:
    return Workspace.objects.filter(organization=synced).order_by("pk")[0]


@pytest.fixture
def strict(synced: Organization, workspace: Workspace) -> Guardrail:
    """One with a rule of each kind, that nobody holds."""
    return Guardrail.objects.create(
        organization=synced,
        uid="11111111-1111-4111-8111-111111111111",
        name="Strict",
        description="For trials",
        workspace_uid=workspace.uid,
        limit_usd="50",
        reset_interval="monthly",
        include_byok_in_budgets=True,
        allowed_models=["a/one", "a/two", "b/three"],
        ignored_providers=["cheap"],
        enforce_zdr_anthropic=True,
        enable_paid_model_training=False,
        content_filter_builtins=[{"slug": "email", "action": "redact", "label": "[EMAIL]"}],
        content_filters=[{"pattern": "ticket-[0-9]+", "action": "block", "label": "Tickets"}],
        extra={"novelty": "unheard of"},
    )


def at(*parts: str) -> str:
    return "/o/acme/guardrails/" + "".join(f"{part}/" for part in parts)
