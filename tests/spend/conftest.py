"""An organization with use, pulled once for a module: the tests of this folder read and never pull."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_pull, run_pull
from tests.conftest import SignIn, connected
from tests.mirror import fill
from tests.sandbox_server import RunningSandbox
from tests.standing import standing


@pytest.fixture(scope="module")
def standing_organization(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, running_session_sandbox: RunningSandbox
) -> Iterator[int]:
    """The last 30 days and today are there, pulled once: these tests read and never pull."""
    running_session_sandbox.sandbox.reset()
    with standing(django_db_blocker):
        with django_db_blocker.unblock():
            used = connected(running_session_sandbox)
            fill(used, running_session_sandbox.sandbox)
            for kind in ("activity", "today"):
                run = request_pull(organization=used, kind=kind)
                run_pull(run_id=run.pk)
                run.refresh_from_db()
                assert run.state == SyncRun.State.OK, run.error
        yield used.pk


@pytest.fixture
def used(standing_organization: int, db: None) -> Organization:
    return Organization.objects.get(pk=standing_organization)


@pytest.fixture
def organization(used: Organization) -> Organization:
    """Where the people of these tests are."""
    return used


@pytest.fixture
def synced(used: Organization) -> Organization:
    return used


@pytest.fixture
def reader(used: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)
