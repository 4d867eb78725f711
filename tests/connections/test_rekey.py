from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.nouns import NOUNS
from orgadmin.sandbox.app import Options
from tests.conftest import PASSWORD, SignIn
from tests.connections.conftest import entry_text, last_entry
from tests.sandbox_server import RunningSandbox, running_sandbox

ADDRESS = "/o/acme/settings/rekey/"


@pytest.fixture
def old_key(organization: Organization) -> Organization:
    """The organization holds a key that is no longer the sandbox's."""
    Organization.objects.update(
        management_key="sk-or-v1-old", key_hash="old", capabilities={}, default_workspace_uid=""
    )
    organization.refresh_from_db()
    return organization


def typed(sandbox: RunningSandbox, **changes: str) -> dict[str, str]:
    return {"base_url": sandbox.url, "management_key": sandbox.sandbox.management_key, **changes}


def test_it_takes_the_new_key_and_pulls(
    old_key: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    Organization.objects.update(status=Organization.Status.BROKEN, status_message="refused")
    answer = sign_in(owner).post(ADDRESS, typed(sandbox))
    assert answer.status_code == 302
    row = Organization.objects.get()
    assert row.management_key is not None
    assert row.management_key.reveal() == sandbox.sandbox.management_key
    assert row.key_hash == hashlib.sha256(sandbox.sandbox.management_key.encode()).hexdigest()
    assert (row.status, row.status_message) == ("connected", "")
    assert row.default_workspace_uid == sandbox.sandbox.account.workspaces.default_id
    assert row.capabilities["members"] is True
    assert SyncRun.objects.count() == len(NOUNS)
    entry = last_entry("organization.rekey")
    assert entry.before == {"base_url": sandbox.url, "key_label": "sk-or-v1-mgm...0001", "status": "broken"}
    assert entry.after is not None
    assert entry.after["key_label"] == sandbox.sandbox.account.management_label
    assert sandbox.sandbox.management_key not in entry_text(entry)


def test_it_connects_a_disconnected_organization_again(
    old_key: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    Organization.objects.update(
        status=Organization.Status.DISCONNECTED, management_key=None, key_hash="", key_label=""
    )
    sign_in(owner).post(ADDRESS, typed(sandbox))
    assert Organization.objects.get().is_connected


def test_it_refuses_the_key_that_is_stored(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    sandbox.sandbox.clear_requests()
    answer = sign_in(owner).post(ADDRESS, typed(sandbox))
    assert answer.status_code == 400
    assert "stored already" in answer.content.decode()
    assert sandbox.sandbox.requests().total == 0


def test_it_refuses_a_key_of_another_account_by_its_id(
    old_key: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    Organization.objects.update(capabilities={"upstream_organization_id": "org_somebody_else"})
    answer = sign_in(owner).post(ADDRESS, typed(sandbox))
    assert answer.status_code == 400
    assert "another OpenRouter account" in answer.content.decode()
    assert Organization.objects.get().key_hash == "old"


def test_it_refuses_a_key_of_another_account_by_its_workspaces(
    synced: Organization, owner: User, sign_in: SignIn
) -> None:
    Organization.objects.update(capabilities={})
    with running_sandbox(Options(seed=21, keys=2, members=2, workspaces=2, days=5)) as other:
        answer = sign_in(owner).post(ADDRESS, typed(other))
    assert answer.status_code == 400
    assert "another OpenRouter account" in answer.content.decode()


def test_it_takes_a_key_that_knows_a_workspace(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    Organization.objects.update(management_key="sk-or-v1-old", key_hash="old", capabilities={})
    assert sign_in(owner).post(ADDRESS, typed(sandbox)).status_code == 302


def test_it_refuses_an_inference_key_and_keeps_the_old_one(
    old_key: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    answer = sign_in(owner).post(ADDRESS, typed(sandbox, management_key=sandbox.sandbox.inference_key))
    assert answer.status_code == 400
    assert "Management Keys" in answer.content.decode()
    assert Organization.objects.get().key_hash == "old"


def test_an_address_alone_never_moves_a_stored_key(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    answer = sign_in(owner).post(
        ADDRESS, typed(sandbox, base_url="http://127.0.0.1:9/api", management_key="")
    )
    assert answer.status_code == 400
    assert "Paste the management key" in answer.content.decode()
    assert Organization.objects.get().base_url == sandbox.url


def test_it_asks_for_the_password(
    old_key: Organization, owner: User, sandbox: RunningSandbox, stale: Callable[[User], Client]
) -> None:
    client = stale(owner)
    answer = client.post(ADDRESS, typed(sandbox))
    assert "Is it still you?" in answer.content.decode()
    assert sandbox.sandbox.management_key not in answer.content.decode()
    assert Organization.objects.get().key_hash == "old"
    assert client.post(ADDRESS, typed(sandbox, proof_password=PASSWORD)).status_code == 302


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_it_requires_an_owner(
    request: pytest.FixtureRequest,
    organization: Organization,
    sandbox: RunningSandbox,
    sign_in: SignIn,
    who: str,
) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, typed(sandbox)).status_code == 403


def test_it_hides_from_a_stranger(organization: Organization, stranger: User, sign_in: SignIn) -> None:
    assert sign_in(stranger).post(ADDRESS, {}).status_code == 404


def test_it_opens_with_the_address_and_no_key(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    page = sign_in(owner).get(ADDRESS).content.decode()
    assert sandbox.url in page
    assert sandbox.sandbox.management_key not in page
