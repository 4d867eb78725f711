"""A destination from the choice of its type to its end, as an administrator does it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Destination, Key, Workspace
from tests.browser.conftest import NARROW, OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "sk-lf-0123456789abcdefAbCd"


@pytest.fixture
def page(open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any) -> Page:
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def test_one_is_added_with_a_filter_and_a_key_switched_off_and_deleted(
    page: Page, synced: Organization, sandbox: RunningSandbox
) -> None:
    workspace = Workspace.objects.get(organization=synced, is_observability_broadcast_enabled=True)
    key = Key.objects.filter(workspace=workspace, gone_at=None).order_by("sort_name")[0]
    page.goto("/o/acme/observability/")
    page.get_by_role("link", name="Add destination").click()
    page.get_by_label("Workspace", exact=True).select_option(workspace.uid)
    expect(page.get_by_text("2 of 5 in this workspace")).to_be_visible()
    page.get_by_role("link", name="Langfuse").click()

    page.get_by_role("textbox", name="Name", exact=True).fill("Journey")
    page.get_by_label("Secret key").fill(SECRET)
    page.get_by_label("Public key").fill("pk-lf-0123456789EfGh")
    expect(page.get_by_label("Find a key")).to_be_hidden()
    page.get_by_label("Only these keys").first.check()
    page.get_by_label("Find a key").press_sequentially(key.hash[:12])
    page.locator("#suggest-keys").get_by_text(key.name).click()
    expect(page.locator("[data-chips]").get_by_text(key.name)).to_be_visible()
    page.get_by_label("Sampling rate").fill("25")

    page.get_by_role("button", name="Add a rule").click()
    rule = page.get_by_role("group", name="Rule 1")
    rule.get_by_label("Field").select_option("model")
    rule.get_by_label("Comparison").select_option("starts_with")
    rule.get_by_label("Value").fill("anthropic/")
    rule.get_by_label("Value").press("Tab")
    expect(page.locator("#rules-words")).to_contain_text("model starts with “anthropic/”")
    # Adding a row leaves what was typed elsewhere alone, secrets too.
    expect(page.get_by_label("Secret key")).to_have_value(SECRET)
    page.locator(".form-actions").get_by_role("button", name="Add destination").click()

    expect(page.get_by_role("heading", name="Journey", level=1)).to_be_visible()
    expect(page.get_by_text("sk-l...AbCd", exact=True)).to_be_visible()
    expect(page.get_by_text("model starts with “anthropic/”").first).to_be_visible()
    assert SECRET not in page.content()
    made = Destination.objects.get(name="Journey")
    upstream = sandbox.sandbox.destination(made.uid)
    assert (upstream["api_key_hashes"], upstream["sampling_rate"]) == ([key.hash], 0.25)
    assert upstream["config"]["secretKey"] == "sk-l...AbCd"

    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("Disabled: nothing is sent to it.")).to_be_visible()
    assert sandbox.sandbox.destination(made.uid)["enabled"] is False
    page.get_by_role("link", name="Delete…").click()
    sheet = page.locator("#dialog")
    sheet.get_by_label("Type “Journey” to confirm").fill("Journey")
    sheet.get_by_role("button", name="Delete destination").click()
    expect(page.get_by_text("Destination “Journey” deleted.")).to_be_visible()
    made.refresh_from_db()
    assert made.gone_at is not None


def test_enter_in_a_field_saves_and_takes_out_no_rule(page: Page, synced: Organization) -> None:
    row = Destination.objects.get(organization=synced, type="datadog")
    page.goto(f"/o/acme/observability/{row.uid}/edit/")
    page.get_by_label("Sampling rate").fill("30")
    page.get_by_label("Sampling rate").press("Enter")
    expect(page.get_by_text("Destination saved.")).to_be_visible()
    row.refresh_from_db()
    assert row.sampling_rate == 0.3
    assert len((row.filter_rules or {})["groups"][0]["rules"]) == 2


def test_the_editor_works_without_javascript(
    open_page: OpenPage, synced: Organization, admin: User, sign_in: SignIn, live_server: Any
) -> None:
    page = signed_in_page(
        open_page, sign_in, admin, live_server.url, viewport=NARROW, java_script_enabled=False
    )
    row = Destination.objects.get(organization=synced, type="datadog")
    page.goto(f"/o/acme/observability/{row.uid}/edit/")
    page.get_by_role("group", name="Rule 2").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("group", name="Rule 2")).to_have_count(0)
    page.get_by_label("Sampling rate").fill("30")
    page.locator(".form-actions").get_by_role("button", name="Save destination").click()
    row.refresh_from_db()
    assert row.sampling_rate == 0.3
    assert len((row.filter_rules or {})["groups"][0]["rules"]) == 1
