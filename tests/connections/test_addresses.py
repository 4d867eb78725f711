from __future__ import annotations

import socket
from typing import Any

import pytest

from orgadmin.accounts.models import Organization, User
from orgadmin.connections.addresses import check_reachable
from orgadmin.connections.forms import BaseUrlField
from orgadmin.connections.refusals import Refused
from tests.conftest import SignIn

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.fixture
def production(settings: Any) -> None:
    settings.ALLOW_PRIVATE_BASE_URL = False


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make every name lead to these addresses."""

    def to(*addresses: str) -> None:
        def found(host: str, port: int, **_: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return to


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_whatever_its_name(production: None, resolve: Any, address: str) -> None:
    resolve(address)
    with pytest.raises(Refused, match="private network") as refused:
        check_reachable("https://gateway.house.test/api/v1")
    assert refused.value.field == "base_url"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken(production: None, resolve: Any, address: str) -> None:
    resolve(address)
    check_reachable("https://gateway.house.test/api/v1")


def test_one_private_address_among_public_ones_is_enough(production: None, resolve: Any) -> None:
    resolve("1.1.1.1", "10.0.0.1")
    with pytest.raises(Refused):
        check_reachable("https://gateway.house.test/api/v1")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "127.1", "2130706433", "0x7f000001", "localhost"])
def test_other_spellings_of_this_machine_are_refused(production: None, host: str) -> None:
    with pytest.raises(Refused):
        check_reachable(f"https://{host}/api/v1")


def test_a_name_that_leads_nowhere(production: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Refused, match="leads to no address"):
        check_reachable("https://nowhere.house.test")


@pytest.mark.parametrize("host", ["x" * 64 + ".test", "a..b", "ex\u00e4mple\u3002.test"])
def test_a_name_that_is_none(production: None, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    def encode(host: str, *_: Any, **__: Any) -> list[Any]:
        host.encode("idna")
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", encode)
    with pytest.raises(Refused, match="leads to no address"):
        check_reachable(f"https://{host}/")


def test_the_operator_may_allow_it(settings: Any) -> None:
    settings.ALLOW_PRIVATE_BASE_URL = True
    check_reachable("http://127.0.0.1:8787/api/v1")


def test_the_page_refuses_a_private_address_before_anything_is_sent(
    production: None, resolve: Any, organization: Organization, owner: User, sign_in: SignIn, sandbox: Any
) -> None:
    resolve("10.0.0.1")
    sandbox.sandbox.clear_requests()
    data = {"base_url": "https://gateway.house.test/api", "management_key": sandbox.sandbox.management_key}
    answer = sign_in(owner).post("/o/acme/settings/rekey/", data)
    assert answer.status_code == 400
    assert "private network" in answer.content.decode()
    assert sandbox.sandbox.requests().total == 0


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("http://openrouter.ai/api/v1", "starting with https"),
        ("ftp://openrouter.ai", "starting with https"),
        ("javascript:alert(1)", "starting with https"),
        ("openrouter.ai/api/v1", "starting with https"),
        ("https://", "starting with https"),
        ("https:///api", "starting with https"),
        ("https://open router.ai", "starting with https"),
        ("https://a\\@b.test", "starting with https"),
        ("https://me:secret@openrouter.ai", "user name and password"),
        ("https://@openrouter.ai", "user name and password"),
        ("https://openrouter.ai/?a=1", "? or #"),
        ("https://openrouter.ai/#x", "? or #"),
        ("https://openrouter.ai:99999", "not an address"),
        ("https://openrouter.ai:x", "not an address"),
        ("https://[::1", "not an address"),
        ("https://openrouter.ai/\u202eapi", "cannot be seen"),
    ],
)
def test_an_address_that_is_none_is_refused(production: None, typed: str, words: str) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError) as refused:
        BaseUrlField(max_length=300).clean(typed)
    assert words in str(refused.value)


def test_a_trailing_slash_is_dropped(production: None) -> None:
    assert (
        BaseUrlField(max_length=300).clean(" https://openrouter.ai/api/v1/ ")
        == "https://openrouter.ai/api/v1"
    )
