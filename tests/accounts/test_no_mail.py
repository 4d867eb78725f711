"""A mail server that is down, or none at all, costs a message and no error page."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from orgadmin.accounts.models import User


def test_a_password_reset_says_that_no_mail_could_be_sent(owner: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "dashboard.mail.NoMail"

    page = Client().post("/accounts/password/reset/", {"email": owner.email}, follow=True)

    assert page.status_code == 200
    assert "The e-mail could not be sent." in page.content.decode()


def test_nothing_is_offered_that_needs_mail(owner: User, settings: Settings) -> None:
    client = Client()
    assert "Forgot your password?" in client.get("/accounts/login/").content.decode()
    EmailAddress.objects.create(user=owner, email="second@house.test")
    settings.EMAIL_BACKEND = "dashboard.mail.NoMail"

    sign_in = client.get("/accounts/login/").content.decode()
    assert "Forgot your password?" not in sign_in
    assert "Whoever runs this dashboard can set a new one." in sign_in
    reset = client.get("/accounts/password/reset/").content.decode()
    assert "manage.py changepassword" in reset
    assert "Send the link" not in reset
    client.force_login(owner)
    addresses = client.get("/accounts/email/").content.decode()
    assert "Unverified" in addresses
    assert "Send the link again" not in addresses
    assert "manage.py verify_email" in addresses
