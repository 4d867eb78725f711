"""Renaming, the default workspace, the test of a connection, disconnecting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory import services as inventory
from orgadmin.inventory.models import Key, SyncRun, Workspace
from orgadmin.openrouter.errors import Unauthorized
from tests.conftest import Bells, SignIn
from tests.connections.conftest import entry_text, last_entry
from tests.sandbox_server import RunningSandbox

SETTINGS = "/o/acme/settings/"
ACTS = {
    "rename": {"name": "Acme Two"},
    "default-workspace": {"workspace": ""},
    "check": {},
    "disconnect": {"confirmation": "Acme Research"},
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_it_requires_an_owner(
    request: pytest.FixtureRequest, organization: Organization, sign_in: SignIn, act: str, who: str
) -> None:
    answer = sign_in(request.getfixturevalue(who)).post(f"{SETTINGS}{act}/", ACTS[act])
    assert answer.status_code == 403
    assert not Entry.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_it_hides_from_a_stranger(
    organization: Organization, stranger: User, sign_in: SignIn, act: str
) -> None:
    assert sign_in(stranger).post(f"{SETTINGS}{act}/", ACTS[act]).status_code == 404


@pytest.mark.parametrize("act", ["rename", "default-workspace", "disconnect"])
def test_it_asks_for_the_password(
    organization: Organization, owner: User, stale: Callable[[User], Client], act: str
) -> None:
    client = stale(owner)
    assert "proof_password" in client.get(f"{SETTINGS}{act}/").content.decode() or act == "default-workspace"
    assert "Is it still you?" in client.post(f"{SETTINGS}{act}/", ACTS[act]).content.decode()
    assert not Entry.objects.exists()


# --- the name ---


def test_a_new_name_is_shown_and_audited(organization: Organization, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    answer = client.post(f"{SETTINGS}rename/", {"name": "  Acme Two "}, follow=True)
    assert "Name saved." in answer.content.decode()
    assert Organization.objects.get().name == "Acme Two"
    assert Organization.objects.get().slug == "acme"
    entry = last_entry("organization.rename")
    assert (entry.before, entry.after) == ({"name": "Acme Research"}, {"name": "Acme Two"})


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines", "right\u202eleft", "nul\x00"])
def test_a_name_that_is_none_is_refused(
    organization: Organization, owner: User, sign_in: SignIn, name: str
) -> None:
    assert sign_in(owner).post(f"{SETTINGS}rename/", {"name": name}).status_code == 400
    assert Organization.objects.get().name == "Acme Research"


def test_the_same_name_is_no_change(organization: Organization, owner: User, sign_in: SignIn) -> None:
    sign_in(owner).post(f"{SETTINGS}rename/", {"name": "Acme Research"})
    assert not Entry.objects.exists()


def test_a_name_of_markup_is_shown_as_text(organization: Organization, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.post(f"{SETTINGS}rename/", {"name": "<script>alert(1)</script>"})
    page = client.get(SETTINGS).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- the default workspace ---


def test_the_owner_says_which_workspace_is_the_default(
    synced: Organization, owner: User, sign_in: SignIn
) -> None:
    chosen = Workspace.objects.filter(organization=synced).last()
    assert chosen is not None
    client = sign_in(owner)
    client.post(f"{SETTINGS}default-workspace/", {"workspace": chosen.uid})
    assert Organization.objects.get().default_workspace_uid == chosen.uid
    assert chosen.name in client.get(SETTINGS).content.decode()
    assert last_entry("organization.set_default_workspace").after == {"default_workspace_uid": chosen.uid}


def test_somebody_elses_workspace_is_refused(synced: Organization, owner: User, sign_in: SignIn) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=synced.base_url)
    foreign = Workspace.objects.create(organization=other, uid="11111111-2222", name="Theirs", slug="theirs")
    answer = sign_in(owner).post(f"{SETTINGS}default-workspace/", {"workspace": foreign.uid})
    assert answer.status_code == 400
    assert "Choose one of the workspaces" in answer.content.decode()


def test_before_the_first_sync_there_is_nothing_to_choose(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    page = sign_in(owner).get(f"{SETTINGS}default-workspace/").content.decode()
    assert "No workspace has been pulled yet" in page


# --- the test ---


def test_a_good_key_mends_a_broken_connection(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    Organization.objects.update(status=Organization.Status.BROKEN, status_message="refused yesterday")
    answer = sign_in(owner).post(f"{SETTINGS}check/", follow=True)
    assert "OpenRouter answered and accepts the key." in answer.content.decode()
    row = Organization.objects.get()
    assert (row.status, row.status_message) == ("connected", "")
    entry = last_entry("organization.check")
    assert (entry.before, entry.after) == ({"status": "broken"}, {"status": "connected"})


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_marks_the_connection_broken(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn, status: int
) -> None:
    sandbox.sandbox.fault(kind="status", status=status, path="/key")
    answer = sign_in(owner).post(f"{SETTINGS}check/", follow=True)
    assert Organization.objects.get().status == "broken"
    assert "OpenRouter refused the key." in answer.content.decode()


def test_an_upstream_that_is_down_says_nothing_about_the_key(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    sandbox.sandbox.fault(kind="status", status=503, path="/key", headers={"Retry-After": "60"}, times=3)
    answer = sign_in(owner).post(f"{SETTINGS}check/", follow=True)
    assert Organization.objects.get().status == "connected"
    assert "could not answer just now" in answer.content.decode()


def test_a_get_tests_nothing(
    organization: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    sandbox.sandbox.clear_requests()
    assert sign_in(owner).get(f"{SETTINGS}check/").status_code == 405
    assert sandbox.sandbox.requests().total == 0


# --- the end ---


def test_disconnecting_forgets_the_key_and_keeps_the_rows(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    keys = Key.objects.count()
    inventory.request_pull(organization=synced, kind="keys")
    answer = sign_in(owner).post(f"{SETTINGS}disconnect/", {"confirmation": "Acme Research"}, follow=True)
    assert "This organization is disconnected" in answer.content.decode()
    row = Organization.objects.get()
    assert row.management_key is None
    assert (row.key_hash, row.key_label, row.status) == ("", "", "disconnected")
    assert Key.objects.count() == keys > 0
    entry = last_entry("organization.disconnect")
    assert entry.before is not None
    assert entry.before["key_label"] == "sk-or-v1-mgm...0001"
    assert sandbox.sandbox.management_key not in entry_text(entry)
    with pytest.raises(Unauthorized, match="disconnected"):
        client_for(row)


def test_disconnecting_stops_the_pulls(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn, bells: Bells
) -> None:
    inventory.request_pull(organization=synced, kind="keys")
    sign_in(owner).post(f"{SETTINGS}disconnect/", {"confirmation": "Acme Research"})
    sandbox.sandbox.clear_requests()
    bells.work()
    SyncRun.objects.update(created_at=timezone.now() - timedelta(days=1))
    inventory.sweep()
    bells.work()
    assert sandbox.sandbox.requests().total == 0
    assert not SyncRun.objects.filter(state__in=["queued", "running"]).exists()


def test_the_name_has_to_be_typed(organization: Organization, owner: User, sign_in: SignIn) -> None:
    answer = sign_in(owner).post(f"{SETTINGS}disconnect/", {"confirmation": "Acme"})
    assert answer.status_code == 400
    assert "This is not “Acme Research”" in answer.content.decode()
    assert Organization.objects.get().is_connected
