"""The e-mails about accounts: plain, short, and from this dashboard."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from orgadmin.accounts.models import User
from tests.conftest import PASSWORD, person


@pytest.fixture
def user(db: None) -> User:
    return person("vera@house.test")


def the_mail(to: str) -> EmailMessage:
    (sent,) = mail.outbox
    assert sent.to == [to]
    body = str(sent.body)
    # The packages sign with a host name and thank people; ours name the address people know.
    assert body.endswith("OpenRouter dashboard, http://testserver")
    assert "example.com" not in body
    assert "Hello from" not in body
    assert len(body) < 600
    return sent


def test_the_confirmation_and_its_page(user: User, client: Client) -> None:
    EmailAddress.objects.update(verified=False)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    sent = the_mail("vera@house.test")
    assert sent.subject == "Confirm your e-mail address"
    assert "vera@house.test was entered at the OpenRouter dashboard at http://testserver." in sent.body
    assert "within 3 days" in sent.body
    link = next(word for word in str(sent.body).split() if "/confirm-email/" in word)
    page = client.get(link.removeprefix("http://testserver")).content.decode()
    assert "Confirm that <strong>vera@house.test</strong> is your address." in page
    assert "becomes an address of" not in page


def test_the_page_names_the_account_that_gets_a_second_address(user: User, client: Client) -> None:
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/email/", {"email": "vera@second.test", "action_add": "1"})
    link = next(word for word in str(the_mail("vera@second.test").body).split() if "/confirm-email/" in word)
    page = client.get(link.removeprefix("http://testserver")).content.decode()
    assert "Confirm that <strong>vera@second.test</strong> is your address." in page
    assert "It then belongs to your account here, vera@house.test." in page


def test_a_new_password(user: User, client: Client) -> None:
    client.post(reverse("account_reset_password"), {"email": "vera@house.test"})
    sent = the_mail("vera@house.test")
    assert sent.subject == "Choose a new password"
    assert "http://testserver/accounts/password/reset/key/" in sent.body


def test_an_address_nobody_has_is_led_to_no_sign_up(user: User, client: Client) -> None:
    client.post(reverse("account_reset_password"), {"email": "nobody@house.test"})
    sent = the_mail("nobody@house.test")
    assert sent.subject == "No account with this address"
    assert "/signup/" not in sent.body
