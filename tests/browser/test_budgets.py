"""The page of all limits, as an administrator uses it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_dollars_more_in_two_clicks_and_resets_on_ones_own_clock(
    open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any
) -> None:
    key = Key.objects.filter(gone_at=None).exclude(limit=None).exclude(limit_reset=None).order_by("pk")[0]
    assert key.limit is not None
    page = signed_in_page(open_page, sign_in, admin, live_server.url, timezone_id="Asia/Tokyo")
    page.goto(f"/o/acme/budgets/?kind=key&q={key.name}")
    row = page.locator("tbody tr", has=page.get_by_role("link", name=key.name, exact=True)).first
    # Midnight in UTC is nine in the morning in Tokyo.
    expect(row).to_contain_text("09:00 AM here")
    row.get_by_role("link", name="Add $50…").click()
    expect(page.locator("#dialog").get_by_label("Add")).to_have_value("50")
    page.locator("#dialog").get_by_role("button", name="Raise it").click()
    expect(page.get_by_text(f"The limit of {key.name} is now ${key.limit + 50:,.2f}.")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}/o/acme/budgets/")
    key.refresh_from_db()
