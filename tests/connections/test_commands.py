"""``manage.py connect`` and ``owner_link``: what the operator does from a terminal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.nouns import NOUNS
from tests.conftest import person
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def connect(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command("connect", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def arguments(sandbox: RunningSandbox) -> list[str]:
    return ["--name", "Beacon Labs", "--owner", "Olivia@House.test", "--base-url", sandbox.url]


def test_a_key_from_standard_input(
    sandbox: RunningSandbox, arguments: list[str], monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    said = connect(monkeypatch, *arguments, "--key-file", "-", typed=sandbox.sandbox.management_key + "\n")
    assert "Connected: Beacon Labs, http://testserver/o/beacon-labs/keys/" in said
    assert sandbox.sandbox.management_key not in said
    membership = Membership.objects.get()
    assert (membership.user.email, membership.role) == ("olivia@house.test", Role.OWNER)
    assert not membership.user.is_staff
    assert SyncRun.objects.count() == len(NOUNS)
    # The new owner has no password: the link printed last lets them in.
    link = said.split("Sign in: ")[1].strip()
    client.get(link.removeprefix("http://testserver"))
    assert client.session["_auth_user_id"] == str(membership.user_id)


def test_a_key_from_a_file(
    sandbox: RunningSandbox, arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(sandbox.sandbox.management_key + "\n")
    connect(monkeypatch, *arguments, "--slug", "beacon", "--key-file", str(file))
    assert Organization.objects.get().slug == "beacon"


@pytest.mark.parametrize("as_file", [False, True])
def test_a_key_from_the_environment(
    sandbox: RunningSandbox,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    as_file: bool,
) -> None:
    if as_file:
        (tmp_path / "key").write_text(sandbox.sandbox.management_key)
        monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY_FILE", str(tmp_path / "key"))
    else:
        monkeypatch.setenv("OPENROUTER_MANAGEMENT_KEY", sandbox.sandbox.management_key)
    connect(monkeypatch, *arguments)
    assert Organization.objects.exists()


def test_an_owner_who_is_known_gets_no_link(
    sandbox: RunningSandbox, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("olivia@house.test", "a-password-of-hers")
    assert "Sign in:" not in connect(monkeypatch, *arguments, typed=sandbox.sandbox.management_key)


def refusal(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> str:
    with pytest.raises(CommandError) as refused:
        connect(monkeypatch, *arguments, typed=typed)
    assert refused.value.returncode == 1
    assert not Organization.objects.exists()
    assert not User.objects.exists()
    return str(refused.value)


def test_an_inference_key(
    sandbox: RunningSandbox, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refusal(monkeypatch, *arguments, typed=sandbox.sandbox.inference_key)
    assert said.startswith("management key: This is an API key for model calls")
    assert sandbox.sandbox.inference_key not in said


@pytest.mark.parametrize(
    ("changes", "typed", "words"),
    [
        ((), "", "management key: Paste the management key"),
        (("--slug", "Not A Slug"), "key", "--slug: Use lower-case letters"),
        (("--base-url", "nonsense"), "key", "--base-url: Write the whole address"),
        (("--base-url", "http://127.0.0.1:9/api"), "key", "--base-url: This address cannot be reached"),
        (("--owner", "nobody"), "key", "--owner: “nobody” is not an e-mail address."),
        (("--key-file", "/nonexistent/key"), "key", "--key-file: /nonexistent/key cannot be read"),
    ],
)
def test_what_is_wrong_is_said_plainly(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, changes: tuple[str, ...], typed: str, words: str
) -> None:
    assert words in refusal(monkeypatch, *arguments, *changes, typed=typed)


def test_a_prompt_where_there_is_a_terminal(
    sandbox: RunningSandbox, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[Any] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return sandbox.sandbox.management_key

    monkeypatch.setattr("getpass.getpass", ask)
    monkeypatch.setattr("sys.stdin", Terminal())
    call_command("connect", *arguments, stdout=io.StringIO())
    assert asked == ["Management key: "]
    assert Organization.objects.exists()


# --- owner_link --------------------------------------------------------------------------------------


def owner_link(client: Client, *arguments: str) -> str:
    """Follow the link that is printed; the address of whoever it signs in."""
    out = io.StringIO()
    call_command("owner_link", *arguments, stdout=out)
    whom, link = out.getvalue().splitlines()
    client.get(link.removeprefix("Sign in: http://testserver"))
    email = User.objects.get(pk=client.session["_auth_user_id"]).email
    assert whom == f"A link for {email}, good once and within a day:"
    return email


def test_the_first_owner_is_the_one_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setenv("OWNER_EMAIL", "Olivia@House.test")
    assert owner_link(client) == "olivia@house.test"
    assert User.objects.get().is_staff


def test_without_a_name_the_first_owner_is_local(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setenv("OWNER_EMAIL", "")
    assert owner_link(client) == "owner@localhost"


@pytest.mark.parametrize("configured", ["", "nobody@house.test", "sam@elsewhere.test"])
def test_where_somebody_owns_an_organization_they_get_the_link_and_nobody_is_made(
    owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch, client: Client, configured: str
) -> None:
    monkeypatch.setenv("OWNER_EMAIL", configured)
    assert owner_link(client) == owner.email
    assert set(User.objects.all()) == {owner, stranger}
    assert not User.objects.filter(is_staff=True).exists()


def test_of_several_owners_the_environment_chooses(
    organization: Organization, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = person("second@house.test", organization, Role.OWNER)
    monkeypatch.setenv("OWNER_EMAIL", "")
    assert owner_link(Client()) == owner.email
    monkeypatch.setenv("OWNER_EMAIL", second.email)
    assert owner_link(Client()) == second.email


def test_an_owner_whose_account_is_closed_gets_no_link(
    owner: User, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setenv("OWNER_EMAIL", "new@house.test")
    owner.is_active = False
    owner.save()
    assert owner_link(client) == "new@house.test"


def test_somebody_in_particular_is_asked_for(owner: User, client: Client) -> None:
    assert owner_link(client, "--email", "Ops@House.test") == "ops@house.test"


def test_the_demo_says_where_its_mails_are(
    sandbox: RunningSandbox, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPENROUTER_BASE_URL = sandbox.url
    settings.DATA_DIR = tmp_path / "var"
    settings.EMAIL_FILE_PATH = str(tmp_path / "var" / "mail")
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    call_command("demo_seed", stdout=out)
    assert [line.partition(": ")[0] for line in out.getvalue().splitlines()] == [
        "Sign in",
        "Password when asked again",
        "Mails",
    ]
    assert out.getvalue().endswith("\nMails: var/mail\n")
