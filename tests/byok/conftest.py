"""An administrator in front of a full mirror, and what OpenRouter was asked."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Credential
from tests.byok import posts
from tests.conftest import SignIn
from tests.patience import hurry


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def credential(synced: Organization) -> Credential:
    """The first of OpenAI's in the default workspace: enabled, and everybody may use it."""
    return posts.credential(synced)


def at(*parts: str) -> str:
    return "/o/acme/byok/" + "".join(f"{part}/" for part in parts)
