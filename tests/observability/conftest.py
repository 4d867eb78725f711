"""An administrator in front of a full mirror, and a destination of which the tests know everything."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Destination, Workspace
from tests.conftest import SignIn
from tests.patience import hurry


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def langfuse(synced: Organization) -> Destination:
    """In a workspace that broadcasts, with its secrets, every key and no filter."""
    rows = Destination.objects.filter(organization=synced, type="langfuse", filter_rules__isnull=True)
    return rows.select_related("organization").order_by("pk")[0]


@pytest.fixture
def workspace(synced: Organization, langfuse: Destination) -> Workspace:
    return Workspace.objects.get(organization=synced, uid=langfuse.workspace_uid)


def at(*parts: str) -> str:
    return "/o/acme/observability/" + "".join(f"{part}/" for part in parts)
