"""A session in the wrong hands: what a proof older than 15 minutes no longer changes about an account."""

from __future__ import annotations

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.core import mail
from django.test import Client

from orgadmin.accounts.models import User
from orgadmin.accounts.proof import PROOF_KEY
from tests.conftest import PASSWORD, SignIn, person

ADDRESSES, AGAIN = "/accounts/email/", "/accounts/reauthenticate/"
ADD = {"email": "thief@evil.test", "action_add": ""}


@pytest.fixture
def user(db: None) -> User:
    return person("olivia@house.test")


@pytest.fixture
def stale(user: User, sign_in: SignIn) -> Client:
    """Her browser, a proof of identity long ago."""
    return aged(sign_in(user))


def aged(client: Client) -> Client:
    session = client.session
    session[PROOF_KEY] = 0
    session.save()
    return client


def addresses() -> list[str]:
    return list(EmailAddress.objects.order_by("email").values_list("email", flat=True))


def test_no_address_is_added_and_no_mail_sent(stale: Client) -> None:
    answer = stale.post(ADDRESSES, ADD)
    assert answer["Location"] == f"{AGAIN}?next=%2Faccounts%2Femail%2F"
    assert addresses() == ["olivia@house.test"]
    assert mail.outbox == []


def test_the_password_adds_it_without_filling_in_again(stale: Client) -> None:
    question = stale.post(ADDRESSES, ADD)["Location"]
    page = stale.get(question).content.decode()
    assert "Is it you?" in page
    assert "This changes your account" in page
    assert 'name="next" value="/accounts/email/"' in page
    wrong = stale.post(AGAIN, {"password": "a-guess", "next": ADDRESSES}).content.decode()
    assert 'class="error-summary"' in wrong
    assert addresses() == ["olivia@house.test"]
    stale.post(AGAIN, {"password": PASSWORD, "next": ADDRESSES})
    assert addresses() == ["olivia@house.test", "thief@evil.test"]
    assert [sent.to for sent in mail.outbox] == [["thief@evil.test"]]


@pytest.mark.parametrize("act", ["action_remove", "action_primary"])
def test_what_is_there_is_neither_removed_nor_made_primary(stale: Client, user: User, act: str) -> None:
    EmailAddress.objects.create(user=user, email="second@house.test", verified=True)
    before = list(EmailAddress.objects.order_by("email").values("email", "primary"))
    answer = stale.post(ADDRESSES, {"email": "second@house.test", act: "1"})
    assert answer["Location"].startswith(AGAIN)
    assert list(EmailAddress.objects.order_by("email").values("email", "primary")) == before


def test_a_second_factor_proves_it_too(stale: Client, user: User) -> None:
    second = EmailAddress.objects.create(user=user, email="second@house.test", verified=True)
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    question = stale.post(ADDRESSES, {"email": second.email, "action_primary": "1"})["Location"]
    other = "/accounts/2fa/reauthenticate/"
    assert f'href="{other}?next=%2Faccounts%2Femail%2F"' in stale.get(question).content.decode()
    code = f"{hotp_value(secret, int(time.time()) // 30):06}"
    stale.post(other, {"code": code, "next": ADDRESSES})
    second.refresh_from_db()
    assert second.primary


def test_no_second_factor_is_set_up(stale: Client) -> None:
    assert stale.get("/accounts/2fa/totp/activate/")["Location"].startswith(AGAIN)


def test_whoever_just_signed_in_is_not_asked_again(user: User, client: Client) -> None:
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    client.post(ADDRESSES, {"email": "second@house.test", "action_add": ""})
    assert addresses() == ["olivia@house.test", "second@house.test"]


def test_somebody_without_a_password_sets_the_first_one(user: User, sign_in: SignIn) -> None:
    """There is nothing to prove it with yet: they came by a link."""
    User.objects.update(password="!")
    client = aged(sign_in(User.objects.get()))
    new = {"password1": "a-brand-new-password", "password2": "a-brand-new-password", "next": "/"}
    assert client.post("/accounts/password/set/", new)["Location"] == "/"
    assert User.objects.get().check_password("a-brand-new-password")
    assert aged(client).post(ADDRESSES, ADD)["Location"].startswith(AGAIN)
