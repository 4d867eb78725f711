"""The pages of allauth in a real browser, both themes, wide and narrow."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import User
from tests.browser.axe import inaccessible
from tests.browser.conftest import NARROW, WIDE, OpenPage

pytestmark = [pytest.mark.urls("tests.browser.gallery"), pytest.mark.django_db(transaction=True)]
EMAIL, PASSWORD = "mia@example.org", "correct horse battery"


@pytest.fixture(autouse=True)
def owner() -> None:
    user = User.objects.create_user(EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_signing_in_and_the_own_account(open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page("", viewport)
    sign_in(page, "wrong")
    expect(page.locator(".error-summary")).to_be_focused()
    assert inaccessible(page) == []

    sign_in(page)
    page.wait_for_url("**/")
    for path in ("email/", "password/change/", "2fa/", "2fa/totp/activate/", "logout/"):
        page.goto(f"/accounts/{path}")
        assert inaccessible(page) == [], path


def test_the_picture_for_the_authenticator_app_is_shown(page: Page) -> None:
    sign_in(page)
    page.wait_for_url("**/")

    page.goto("/accounts/2fa/totp/activate/")
    # The sign-in a moment ago is proof enough: no second question.
    picture = page.get_by_role("img", name="QR code for an authenticator app")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0
    assert inaccessible(page) == []
