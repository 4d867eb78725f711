"""A provider's key from its adding to its end, as an administrator does it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Credential, Key
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any) -> Page:
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def test_a_provider_key_is_added_restricted_rotated_and_deleted(page: Page) -> None:
    key = Key.objects.filter(gone_at=None)[0]
    page.goto("/o/acme/byok/")
    page.get_by_role("link", name="Add credential").click()
    page.get_by_label("Provider", exact=False).first.fill("groq")
    page.get_by_label("Provider key").fill("{ broken")
    page.get_by_label("Name").fill("Groq, ours")
    page.get_by_label("Add to only these keys").fill(key.name)
    offered = page.locator(f"#suggest-allowed_api_key_hashes input[value='{key.hash}']")
    offered.check()
    expect(page.locator(f"[data-chips] input[value='{key.hash}']")).to_be_checked()
    # What was looked for is no pick of its own.
    expect(page.get_by_label("Add to only these keys")).to_have_value("")
    page.get_by_role("button", name="Add credential").click()
    expect(page.get_by_role("alert")).to_contain_text("begins like JSON")
    # The key has to be pasted again, and nothing else.
    expect(page.get_by_label("Provider key")).to_have_value("")
    expect(page.locator(f"[data-chips] input[value='{key.hash}']")).to_be_checked()
    page.get_by_label("Provider key").fill("gsk_0123456789abcdefAbCd")
    page.get_by_role("button", name="Add credential").click()
    expect(page.get_by_role("heading", name="Groq, ours", level=1)).to_be_visible()
    expect(page.get_by_role("link", name=key.name)).to_be_visible()
    row = Credential.objects.get(name="Groq, ours")
    assert (row.label, row.allowed_api_key_hashes) == ("gsk...AbCd", [key.hash])

    sheet = page.locator("#dialog")
    page.get_by_role("link", name="Rotate key…").click()
    sheet.get_by_label("New provider key").fill("gsk_9876543210fedcbaWxYz")
    sheet.get_by_role("button", name="Replace key").click()
    expect(page.get_by_text("Revoke the old one at the provider")).to_be_visible()
    expect(page.get_by_text("gsk...WxYz").first).to_be_visible()

    page.get_by_role("link", name="Disable…").focus()
    page.keyboard.press("Enter")
    expect(sheet.get_by_text("paid from credits at once")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    page.get_by_role("link", name="Delete…").click()
    sheet.get_by_label("Type “Groq, ours” to confirm").fill("Groq, ours")
    sheet.get_by_role("button", name="Delete credential").click()
    expect(page.get_by_text("Credential “Groq, ours” deleted.")).to_be_visible()
    row.refresh_from_db()
    assert row.gone_at is not None
