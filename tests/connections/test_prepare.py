from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from orgadmin.connections.services import (
    demo_password_file,
    demo_prepare,
    organization_disconnect,
    owner_prepare,
)
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.nouns import NOUNS
from tests.conftest import Bells
from tests.sandbox_server import RunningSandbox

DEAD = "http://127.0.0.1:9/api/v1"


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path, db: None) -> Path:
    settings.DATA_DIR = tmp_path / "var"
    return tmp_path / "var"


def prepare(sandbox: RunningSandbox, base_url: str = "") -> str:
    return demo_prepare(base_url=base_url or sandbox.url, management_key=sandbox.sandbox.management_key)


def test_the_demo_stands_ready(sandbox: RunningSandbox, data_dir: Path, bells: Bells) -> None:
    assert prepare(sandbox) == "owner@acme.example"
    owner = User.objects.get()
    assert (str(owner), owner.is_staff) == ("Maya Keller", True)
    assert EmailAddress.objects.get().verified
    file = data_dir / "owner-password.txt"
    assert file.stat().st_mode & 0o777 == 0o600
    assert owner.check_password(file.read_text().strip())
    organization = Organization.objects.get()
    assert (organization.name, organization.slug) == ("Acme Research", "acme")
    assert organization.default_workspace_uid == sandbox.sandbox.account.workspaces.default_id
    assert Membership.objects.get().role == Role.OWNER
    bells.work()
    assert Key.objects.exists()


def test_again_changes_nothing(sandbox: RunningSandbox, data_dir: Path) -> None:
    prepare(sandbox)
    file = data_dir / "owner-password.txt"
    before = file.read_text(), User.objects.get().password, Entry.objects.count()
    prepare(sandbox)
    assert (file.read_text(), User.objects.get().password, Entry.objects.count()) == before
    assert Organization.objects.count() == User.objects.count() == 1
    assert SyncRun.objects.count() == len(NOUNS)


def test_a_new_database_keeps_the_password_of_the_file(sandbox: RunningSandbox, data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "owner-password.txt").write_text("kept-from-last-time\n")
    prepare(sandbox)
    assert User.objects.get().check_password("kept-from-last-time")


def test_a_password_the_owner_chose_stays(sandbox: RunningSandbox) -> None:
    prepare(sandbox)
    owner = User.objects.get()
    owner.set_password("my-own-choice-123")
    owner.save()
    prepare(sandbox)
    owner.refresh_from_db()
    assert owner.check_password("my-own-choice-123")


def test_the_demo_says_where_the_password_is(
    sandbox: RunningSandbox, data_dir: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENROUTER_BASE_URL = sandbox.url
    monkeypatch.chdir(data_dir.parent)
    said = io.StringIO()
    call_command("demo_seed", stdout=said)
    link, password = said.getvalue().splitlines()
    assert link.startswith("Sign in: http://testserver/sign-in/")
    assert password == "Password when asked again: var/owner-password.txt"


def test_a_password_of_ones_own_is_in_no_file(sandbox: RunningSandbox) -> None:
    prepare(sandbox)
    owner = User.objects.get()
    owner.set_password("my-own-choice-123")
    owner.save()
    assert demo_password_file() is None


def test_a_sandbox_that_is_not_up_yet_holds_nothing_up(sandbox: RunningSandbox) -> None:
    prepare(sandbox, DEAD)
    organization = Organization.objects.get()
    assert organization.is_connected
    assert organization.key_label.startswith("sk-or-v1-")
    assert sandbox.sandbox.management_key not in organization.key_label
    assert organization.default_workspace_uid == ""
    assert SyncRun.objects.count() == len(NOUNS)


def test_it_follows_the_sandbox_to_another_port(sandbox: RunningSandbox) -> None:
    prepare(sandbox, DEAD)
    prepare(sandbox)
    assert Organization.objects.get().base_url == sandbox.url


def test_it_leaves_a_disconnected_organization_alone(sandbox: RunningSandbox) -> None:
    prepare(sandbox)
    organization_disconnect(actor=User.objects.get(), organization=Organization.objects.get())
    prepare(sandbox)
    assert not Organization.objects.get().is_connected


def test_an_owner_for_a_new_installation() -> None:
    assert owner_prepare(email="Olivia@House.test") == "olivia@house.test"
    owner_prepare(email="olivia@house.test")
    owner = User.objects.get()
    assert owner.is_staff
    assert not owner.has_usable_password()
    assert EmailAddress.objects.get().verified
