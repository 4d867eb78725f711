"""Signing in with a password: what is let through, what is throttled, and what a forgotten one costs."""

from __future__ import annotations

import re
import time

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from orgadmin.accounts import proof
from orgadmin.accounts.models import User
from tests.conftest import PASSWORD, person

LOGIN = "/accounts/login/"


@pytest.fixture
def user(db: None) -> User:
    return person("olivia@house.test")


def log_in(client: Client, password: str = PASSWORD, email: str = "olivia@house.test") -> str:
    return client.post(LOGIN, {"login": email, "password": password}).content.decode()


def test_a_sign_in_is_a_fresh_proof(user: User, client: Client) -> None:
    log_in(client)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert time.time() - client.session[proof.PROOF_KEY] < 60


def test_capitals_in_the_address_do_not_matter(user: User, client: Client) -> None:
    log_in(client, email="Olivia@House.TEST")
    assert "_auth_user_id" in client.session


def test_wrong_passwords_are_throttled_and_then_the_right_one_waits_too(user: User, client: Client) -> None:
    for _ in range(5):
        assert "Too many failed" not in log_in(client, "wrong")
    assert "Too many failed" in log_in(client, "wrong")
    assert "Too many failed" in log_in(client)
    assert "_auth_user_id" not in client.session


def test_nothing_tells_whether_an_address_is_known(user: User, client: Client) -> None:
    known = log_in(client, "wrong")
    unknown = log_in(client, "wrong", "nobody@house.test")
    error = re.compile(r"(not correct[^<]*)")
    found = error.search(known)
    assert found is not None
    assert found[1] in unknown


def test_an_unverified_address_gets_a_mail_and_no_session(user: User, client: Client) -> None:
    EmailAddress.objects.update(verified=False)
    log_in(client)
    assert "_auth_user_id" not in client.session
    assert mail.outbox[0].to == ["olivia@house.test"]


def test_a_forgotten_password_is_reset_by_mail_once(user: User, client: Client) -> None:
    client.post("/accounts/password/reset/", {"email": "olivia@house.test"})
    (sent,) = mail.outbox
    assert sent.to == ["olivia@house.test"]
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", str(sent.body))
    assert link is not None
    form = client.get(link[1])["Location"]
    new = {"password1": "a-brand-new-password", "password2": "a-brand-new-password"}
    client.post(form, new)
    user.refresh_from_db()
    assert user.check_password("a-brand-new-password")
    other = Client()
    assert other.get(link[1]).status_code == 200
    assert "_auth_user_id" not in other.session


def test_a_reset_for_nobody_looks_the_same(user: User, client: Client) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in ("olivia@house.test", "x@house.test")
    ]
    assert answers[0]["Location"] == answers[1]["Location"]


def test_a_short_or_common_password_is_refused(user: User, client: Client) -> None:
    log_in(client)
    for weak in ("short1", "password123", "olivia@house.test"):
        data = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
        assert client.post("/accounts/password/change/", data).status_code == 200
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_the_rules_for_passwords_are_a_sentence(user: User, client: Client, settings: Settings) -> None:
    log_in(client)
    page = client.get("/accounts/password/change/").content.decode()
    least = settings.AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"]["min_length"]
    assert f"At least {least} characters; not a common password" in page
    assert "&lt;" not in page
