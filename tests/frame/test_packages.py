"""Every page of allauth, in our frame and our words."""

from __future__ import annotations

import re
import time
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.test import Client
from django.urls import reverse

from dashboard.env import BASE_DIR
from orgadmin.accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.browser.gallery")]
PASSWORD = "correct horse battery"

SIGNED_OUT = (
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_email_verification_sent",
    "account_inactive",
)
SIGNED_IN = ("account_email", "account_change_password", "account_logout", "mfa_index", "mfa_activate_totp")
WITH_A_SECOND_STEP = (
    "mfa_index",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
    "account_reauthenticate",
)


@pytest.fixture
def owner() -> User:
    user = User.objects.create_user("mia@example.org", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def unverified(owner: User) -> EmailAddress:
    return EmailAddress.objects.create(user=owner, email="mia@example.com", verified=False, primary=False)


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.post(reverse("account_login"), {"login": owner.email, "password": PASSWORD})
    response = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert response.status_code == 302
    return client


@pytest.fixture
def second_step(signed_in: Client, owner: User) -> Client:
    TOTP.activate(owner, generate_totp_secret())
    RecoveryCodes.activate(owner)
    return signed_in


def looks_like_ours(html: str) -> None:
    assert html.count("<html") == 1
    assert html.count('<main id="main"') == 1
    assert html.count("<h1") == 1
    assert "OpenRouter dashboard</title>" in html
    assert not re.search(r"\sstyle=|\son[a-z]+=", html)
    assert "<script>" not in html


@pytest.mark.parametrize("name", SIGNED_OUT)
def test_it_shows_a_card_to_signed_out_people(client: Client, name: str) -> None:
    html = client.get(reverse(name)).content.decode()

    looks_like_ours(html)
    assert '<body class="entrance"' in html
    assert "entrance-card" in html


@pytest.mark.parametrize("name", SIGNED_IN)
def test_it_shows_the_top_bar_to_signed_in_people(signed_in: Client, name: str) -> None:
    html = signed_in.get(reverse(name)).content.decode()

    looks_like_ours(html)
    assert 'class="topbar"' in html


@pytest.mark.parametrize("name", WITH_A_SECOND_STEP)
def test_it_shows_the_second_step(second_step: Client, name: str) -> None:
    response = second_step.get(reverse(name), follow=True)

    assert response.status_code == 200
    looks_like_ours(response.content.decode())


def test_it_asks_for_the_code_at_sign_in(client: Client, owner: User) -> None:
    TOTP.activate(owner, generate_totp_secret())

    response = client.post(
        reverse("account_login"), {"login": owner.email, "password": PASSWORD}, follow=True
    )

    html = response.content.decode()
    looks_like_ours(html)
    assert "authenticator app shows now" in html


def test_it_names_what_is_wrong_with_a_form(client: Client) -> None:
    html = client.post(
        reverse("account_login"), {"login": "nobody@example.org", "password": "x"}
    ).content.decode()

    looks_like_ours(html)
    assert 'class="error-summary"' in html
    assert 'value="nobody@example.org"' in html


def test_it_confirms_an_address(client: Client, unverified: EmailAddress) -> None:
    key = EmailConfirmationHMAC(unverified).key

    html = client.get(reverse("account_confirm_email", args=[key])).content.decode()

    looks_like_ours(html)
    assert "mia@example.com" in html


def test_it_lists_the_addresses_with_what_can_be_done(signed_in: Client, unverified: EmailAddress) -> None:
    html = signed_in.get(reverse("account_email")).content.decode()

    assert "mia@example.org" in html
    assert "Send the link again" in html
    assert "Remove" in html


def test_it_says_when_a_reset_link_is_stale(client: Client) -> None:
    url = reverse("account_reset_password_from_key", kwargs={"uidb36": "1", "key": "stale-key"})

    html = client.get(url).content.decode()

    looks_like_ours(html)
    assert "no longer works" in html


def test_an_unconfirmed_address_that_bars_the_second_step_is_named(
    signed_in: Client, unverified: EmailAddress
) -> None:
    page = signed_in.get(reverse("mfa_index")).content.decode()
    assert "while mia@example.com is not confirmed" in page
    assert reverse("mfa_activate_totp") not in page

    refused = signed_in.get(reverse("mfa_activate_totp"), follow=True).content.decode()
    assert "needs every e-mail address of yours to be confirmed" in refused


@pytest.mark.django_db(transaction=True)
def test_what_is_said_after_an_act_is_in_our_words(client: Client, owner: User) -> None:
    wrong = client.post(reverse("account_login"), {"login": owner.email, "password": "no"})
    assert "E-mail address or password is not correct." in wrong.content.decode()
    client.post(reverse("account_login"), {"login": owner.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    said = client.get(reverse("account_email")).content.decode()
    assert f"Signed in as {owner}." in said

    client.get(reverse("mfa_activate_totp"))
    code = hotp_value(client.session["mfa.totp.secret"], int(time.time()) // 30)
    on = client.post(reverse("mfa_activate_totp"), {"code": f"{code:06}"}, follow=True).content.decode()
    assert "Two-step sign-in is on." in on


def test_every_message_of_the_package_is_ours() -> None:
    """A message that a later version adds would speak in other words."""
    for package in ("account", "mfa"):
        theirs = Path(allauth.__file__).parent / "templates" / package / "messages"
        ours = BASE_DIR / "templates" / "packages" / package / "messages"
        unused = {"login_code_sent.txt", "phone_verified.txt", "phone_verification_sent.txt"}
        unused |= {"webauthn_added.txt", "webauthn_removed.txt"}
        assert {file.name for file in theirs.iterdir()} - unused == {file.name for file in ours.iterdir()}
