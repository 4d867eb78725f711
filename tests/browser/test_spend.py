"""The spend page as it is used: another grouping, another range, down to one part and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.usage.clock import today
from tests.browser.axe import THEMES, inaccessible
from tests.browser.conftest import NARROW, WIDE, OpenPage
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
    page.get_by_label("Group by").focus()
    page.get_by_label("Group by").select_option("key")
    expect(page.locator("#spend")).to_contain_text("by key")
    expect(page.get_by_label("Group by")).to_be_focused()
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


def test_a_filter_is_found_by_typing_and_two_are_one_after_the_other_taken_off(page: Page) -> None:
    page.goto("/o/acme/spend/?range=7d&group=provider")
    for number in (1, 2):
        page.get_by_role("link", name="Add filter").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Filter by").select_option("model")
        expect(dialog.locator(".choices a").first).to_contain_text("/")
        dialog.get_by_role("searchbox", name="Search name").fill("openai")
        expect(dialog.locator(".choices a").first).to_contain_text("openai")
        dialog.locator(".choices a:not([aria-current])").first.click()
        expect(page.locator(".chip")).to_have_count(number)
    expect(page.locator("#ranges [aria-current]")).to_have_text("7 d")
    expect(page.get_by_label("Group by")).to_have_value("provider")
    page.locator(".chip").first.click()
    expect(page.locator(".chip")).to_have_count(1)


def test_another_workspace_keeps_what_was_chosen_meanwhile(page: Page) -> None:
    page.goto("/o/acme/spend/")
    page.get_by_label("Group by").select_option("key")
    expect(page.locator("#spend")).to_contain_text("by key")
    page.locator("#workspace-menu summary").click()
    chosen = page.locator("#workspace-menu a").nth(1)
    name = chosen.inner_text()
    chosen.click()
    expect(page.locator(".chip")).to_contain_text(name)
    expect(page.get_by_label("Group by")).to_have_value("key")


@pytest.mark.axe
def test_axe_finds_nothing_and_nothing_hangs_over(page: Page) -> None:
    day = today() - timedelta(days=3)
    for path in (
        "",
        "spend/?group=key&measure=requests",
        f"spend/?since={day}&until={day}&group=workspace",
        "spend/?range=today&group=key",
        "spend/filter/?by=key",
        "spend/reconciliation/",
    ):
        page.goto(f"/o/acme/{path}")
        for viewport in (WIDE, NARROW):
            page.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})
            for theme in THEMES:
                page.emulate_media(color_scheme=theme)
                assert inaccessible(page) == [], (path, theme)
                assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (
                    path,
                    viewport,
                )
