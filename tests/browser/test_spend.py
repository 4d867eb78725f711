"""The spend page as it is used: another grouping, another range, down to one part and back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(
    open_page: OpenPage, viewer: User, synced: Organization, pulled: Pull, sign_in: SignIn, live_server: Any
) -> Page:
    """A reader's browser, 30 days of activity pulled."""
    pulled("activity")
    return signed_in_page(open_page, sign_in, viewer, live_server.url)


def test_the_ranges_keep_what_was_chosen_meanwhile(page: Page) -> None:
    page.goto("/o/acme/spend/")
    page.get_by_label("Group by").select_option("key")
    expect(page.locator("#spend")).to_contain_text("by key")
    page.get_by_label("Measure").select_option("requests")
    expect(page.locator("#spend")).to_contain_text("Requests by key")
    page.locator("#ranges").get_by_role("link", name="7 d").click()
    expect(page).to_have_url("/o/acme/spend/?range=7d&group=key&measure=requests")
    expect(page.locator("#ranges [aria-current]")).to_have_text("7 d")
    expect(page.locator("#spend")).to_contain_text("Requests by key")


def test_a_part_leads_to_what_it_is_made_of_and_a_chip_back(page: Page) -> None:
    page.goto("/o/acme/spend/?group=workspace")
    row = page.locator("#spend tbody a.name").first
    name = row.inner_text()
    row.click()
    chip = page.locator(".chip")
    expect(chip).to_contain_text(name)
    expect(page.locator("#spend")).to_contain_text("by key")
    chip.click()
    expect(page.locator(".chip")).to_have_count(0)
