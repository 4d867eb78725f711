from __future__ import annotations

import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.test import Client

from orgadmin.accounts.models import User
from tests.conftest import PASSWORD, person

ASK = "/accounts/2fa/authenticate/"


@pytest.fixture
def secret(user: User) -> str:
    made: str = generate_totp_secret()
    TOTP.activate(user, made)
    return made


@pytest.fixture
def user(db: None) -> User:
    return person("olivia@house.test")


def code(secret: str) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30):06}"


def password_only(client: Client) -> str:
    return client.post("/accounts/login/", {"login": "olivia@house.test", "password": PASSWORD})["Location"]


def test_the_password_alone_does_not_sign_in(user: User, secret: str, client: Client) -> None:
    assert password_only(client).startswith(ASK)
    assert "_auth_user_id" not in client.session
    assert "proved_at" not in client.session


def test_the_code_does_and_works_once(user: User, secret: str, client: Client) -> None:
    with time_machine.travel(1_900_000_000, tick=False):
        password_only(client)
        client.post(ASK, {"code": code(secret)})
        assert client.session["_auth_user_id"] == str(user.pk)
        assert "proved_at" in client.session
        second = Client()
        password_only(second)
        second.post(ASK, {"code": code(secret)})
        assert "_auth_user_id" not in second.session


def test_the_secret_is_encrypted_at_rest(user: User, secret: str) -> None:
    stored = str(Authenticator.objects.get().data)
    assert secret not in stored
    assert "gAAAA" in stored


def test_setting_it_up_in_the_browser_keeps_it_encrypted(user: User, client: Client) -> None:
    client.post("/accounts/login/", {"login": "olivia@house.test", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert Authenticator.objects.filter(type="totp").exists()
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    assert "mfa.totp.secret" not in client.session


def test_a_recovery_code_works_once(user: User, secret: str, client: Client) -> None:
    first, second = RecoveryCodes.activate(user).get_unused_codes()[:2]
    seed = Authenticator.objects.get(type="recovery_codes").data["seed"]
    assert seed.startswith("gAAAA")
    password_only(client)
    client.post(ASK, {"code": first})
    assert client.session["_auth_user_id"] == str(user.pk)
    again = Client()
    password_only(again)
    again.post(ASK, {"code": first})
    assert "_auth_user_id" not in again.session
    again.post(ASK, {"code": second})
    assert "_auth_user_id" in again.session


def test_guessing_codes_is_throttled(user: User, secret: str, client: Client) -> None:
    password_only(client)
    for _ in range(6):
        page = client.post(ASK, {"code": "000000"}).content.decode()
    assert "Too many failed" in page
    client.post(ASK, {"code": code(secret)})
    assert "_auth_user_id" not in client.session
