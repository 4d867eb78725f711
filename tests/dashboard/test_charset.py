"""What a request says it is encoded in."""

from __future__ import annotations

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.test import Client

from dashboard.wsgi import application
from orgadmin.accounts.models import Organization, User
from tests.conftest import SignIn

LOGIN = "/accounts/login/"
# Some fail while a form is read, some let a lone surrogate through to the database, one is no charset.
ODD = ("idna", "utf-7", "utf-16", "cp037", "raw_unicode_escape", "unicode_escape", "latin-1", "x-none")


def multipart(fields: dict[str, str]) -> bytes:
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return f"{parts}--x--\r\n".encode()


def post(client: Client, address: str, charset: str, **fields: str) -> Any:
    kind = f"multipart/form-data; boundary=x; charset={charset}"
    return client.generic("POST", address, multipart(fields), content_type=kind)


@pytest.mark.parametrize("charset", ODD)
def test_another_charset_is_a_bad_request_for_anybody(client: Client, db: None, charset: str) -> None:
    answer = post(client, LOGIN, charset, login="+2AA-", password="x")
    assert answer.status_code == 400
    assert "could not be understood" in answer.content.decode()
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("charset", ODD)
@pytest.mark.parametrize(
    "address", ["keys/", "search/", "keys/create/", "keys/bulk/", "keys/bulk/start/", "settings/rename/"]
)
def test_whoever_signed_in_is_told_the_same(
    organization: Organization, owner: User, sign_in: SignIn, address: str, charset: str
) -> None:
    browser = sign_in(owner)
    fields = {"name": "+2AA-", "action": "disable", "all": "1", "filters": "q=+2AA-"}
    assert post(browser, f"/o/acme/{address}", charset, **fields).status_code == 400
    kind = f"text/plain; charset={charset}"
    assert browser.get(f"/o/acme/{address}?q=+2AA-", CONTENT_TYPE=kind).status_code == 400


@pytest.mark.parametrize("charset", [*ODD, "hex", "punycode", "undefined"])
def test_one_that_fails_before_any_middleware_is_a_bad_request_too(db: None, charset: str) -> None:
    environ = {"PATH_INFO": "/", "QUERY_STRING": "q=+2AA-", "CONTENT_TYPE": f"text/plain; charset={charset}"}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    application(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    assert statuses == ["400 Bad Request"]


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_utf_8_is_read_however_it_is_spelled(client: Client, db: None, charset: str) -> None:
    answer = post(client, LOGIN, charset, login="ärger@house.test", password="x")
    assert answer.status_code == 200
    assert "ärger@house.test" in answer.content.decode()
