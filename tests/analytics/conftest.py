from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def desk(synced: Organization, viewer: User, sandbox: RunningSandbox, sign_in: SignIn) -> Client:
    """The browser of somebody who only reads. The mirror is full and nothing was asked since."""
    browser = sign_in(viewer)
    sandbox.sandbox.clear_requests()
    return browser
