from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from orgadmin.accounts.models import Organization, User
from tests.analytics.daily import NOON
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def desk(synced: Organization, viewer: User, sandbox: RunningSandbox, sign_in: SignIn) -> Client:
    """The browser of somebody who only reads. The mirror is full and nothing was asked since."""
    browser = sign_in(viewer)
    sandbox.sandbox.clear_requests()
    return browser


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def reader(noon: Any, synced: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)
