"""A workspace from its creation to its end, as an administrator does it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Workspace, WorkspaceMember
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any) -> Page:
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def test_a_workspace_with_budgets_and_members(page: Page) -> None:
    page.goto("/o/acme/workspaces/")
    page.get_by_role("link", name="Create workspace").click()
    sheet = page.locator("#dialog")
    sheet.get_by_label("Name").fill("Blue Team")
    sheet.get_by_role("button", name="Create workspace").click()
    expect(page.get_by_role("heading", name="Blue Team", level=1)).to_be_visible()
    expect(page.get_by_text("can spend all the credits there are")).to_be_visible()

    page.get_by_role("link", name="Set budgets").click()
    sheet.get_by_label("Daily").fill("20")
    sheet.get_by_label("Monthly").fill("10")
    order = sheet.locator("#budget-order")
    expect(order).to_contain_text("This must be less than the monthly budget, which is $10.00.")
    sheet.get_by_label("Monthly").fill("400")
    expect(order).to_contain_text("In order")
    sheet.get_by_role("button", name="Save budgets").click()
    budgets = page.get_by_role("table", name="Budgets of the workspace")
    expect(budgets.get_by_role("row", name="Monthly")).to_contain_text("$400.00")

    budgets.get_by_role("row", name="Daily").get_by_role("link", name="Raise…").click()
    expect(sheet.get_by_label("Add")).to_have_value("50")
    sheet.get_by_role("button", name="Raise it").click()
    expect(budgets.get_by_role("row", name="Daily")).to_contain_text("$70.00")

    page.get_by_role("link", name="See who").click()
    expect(page.get_by_text("Nobody is in it")).to_be_visible()
    page.get_by_role("link", name="Add members").click()
    first = sheet.get_by_role("checkbox").first
    first.focus()
    page.keyboard.press("Space")
    chosen = first.get_attribute("value")
    sheet.get_by_label("Find members").fill("a")
    # Who is ticked stays through a search.
    expect(sheet.locator(f"input[value='{chosen}']")).to_be_checked()
    expect(sheet.get_by_label("Find members")).to_be_focused()
    sheet.get_by_role("button", name="Add to the workspace").click()
    expect(sheet.get_by_text("1 member added.")).to_be_visible()
    sheet.get_by_role("link", name="See the members").click()
    expect(page.get_by_text("1–1 of 1 members").or_(page.get_by_text("1 member"))).to_be_visible()
    assert WorkspaceMember.objects.filter(user_id=chosen, workspace_uid=blue().uid, gone_at=None).exists()


def blue() -> Workspace:
    return Workspace.objects.get(name="Blue Team")


def test_removing_and_deleting_by_keyboard(page: Page) -> None:
    place = WorkspaceMember.objects.filter(gone_at=None)[0]
    page.goto(f"/o/acme/workspaces/{place.workspace_uid}/members/")
    row = page.locator(f"input[value='{place.user_id}']")
    row.focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Remove from the workspace…").focus()
    page.keyboard.press("Enter")
    sheet = page.locator("#dialog")
    expect(sheet.get_by_role("heading", name="Remove from")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert WorkspaceMember.objects.get(pk=place.pk).gone_at is None

    page.goto(f"/o/acme/workspaces/{place.workspace_uid}/")
    page.get_by_role("link", name="Delete…").focus()
    page.keyboard.press("Enter")
    expect(sheet.get_by_text("OpenRouter deletes no workspace with active keys")).to_be_visible()
