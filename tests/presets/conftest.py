from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.inventory import services as inventory
from orgadmin.inventory.models import Preset
from tests.conftest import SignIn
from tests.lending import lend
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def lent(synced: Organization, sandbox: RunningSandbox) -> InferenceKey:
    """The key of the default workspace, its presets read."""
    key = lend(synced, sandbox.sandbox)
    pull(synced)
    return key


@pytest.fixture
def bot(lent: InferenceKey) -> Preset:
    """A preset of three versions, the last of which is live."""
    return Preset.objects.get(workspace_uid=lent.workspace_uid, slug="support-bot")


@pytest.fixture
def visitor(admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


def pull(organization: Organization) -> None:
    run = inventory.request_pull(organization=organization, kind="presets")
    inventory.run_pull(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "ok", run.error
