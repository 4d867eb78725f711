from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from orgadmin.accounts.models import User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.audit.models import Entry
from tests.conftest import SignIn, person
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def staff(db: None) -> User:
    user = person("stella@house.test")
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def form_data(sandbox: RunningSandbox) -> dict[str, str]:
    """What somebody types to connect the sandbox."""
    return {
        "name": "Beacon Labs",
        "slug": "",
        "base_url": sandbox.url,
        "management_key": sandbox.sandbox.management_key,
    }


@pytest.fixture
def stale(sign_in: SignIn) -> Callable[[User], Client]:
    """A browser whose last proof is sixteen minutes old."""

    def enter(user: User) -> Client:
        client = sign_in(user)
        session = client.session
        session[PROOF_KEY] -= 16 * 60
        session.save()
        return client

    return enter


def last_entry(action: str) -> Entry:
    found = Entry.objects.filter(action=action).first()
    assert found is not None, f"no audit entry {action}"
    return found


def entry_text(entry: Entry) -> str:
    return f"{entry.before} {entry.after} {entry.message} {entry.target_name}"
