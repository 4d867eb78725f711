"""The audit log, the sync page and a job as they change under one's eyes."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.services import Target
from orgadmin.inventory import services as inventory
from orgadmin.inventory.kinds import KINDS
from orgadmin.inventory.nouns import NOUNS
from orgadmin.inventory.services import request_all_pulls
from orgadmin.inventory.summary import refresh_summary
from tests.auditlog.acting import act
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import Bells, SignIn
from tests.sandbox_server import RunningSandbox
from tests.syncs.test_job_page import start, work

__all__ = ["work"]  # an autouse fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server: Any) -> Page:
    """An administrator's browser."""
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def test_a_sync_is_followed_while_it_runs_and_an_idle_page_is_silent(page: Page, bells: Bells) -> None:
    bells.pulls.clear()
    page.goto("/o/acme/sync/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)
    assert asked == []

    page.locator("#sync-now").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#nouns").get_by_text("Waiting").first).to_be_visible()
    bells.work()

    expect(page.locator("#nouns").get_by_text("Waiting")).to_have_count(0)
    runs = len(NOUNS) + sum(not kind.is_rare for kind in KINDS.values())
    expect(page.locator("#runs").get_by_text(f"1–{runs} of {runs} runs")).to_be_visible()
    expect(page.locator("#freshness").get_by_text("Synced now")).to_be_visible()


def test_a_job_is_followed_filtered_and_what_failed_tried_again(
    page: Page, synced: Organization, admin: User, bells: Bells
) -> None:
    job = start(synced, admin, bad=1)
    page.goto(f"/o/acme/sync/jobs/{job.pk}/")
    page.locator("#job-cancel").focus()
    page.wait_for_timeout(2600)
    assert page.evaluate("document.activeElement.id") == "job-cancel"
    bells.work()

    expect(page.locator("#job").get_by_text("Done, 1 failed")).to_be_visible()
    page.locator("select[name=state]").select_option("failed")
    expect(page.locator("#items").get_by_text("1–1 of 1 item")).to_be_visible()
    expect(page).to_have_url(f"/o/acme/sync/jobs/{job.pk}/?state=failed")
    page.get_by_text("Try the 1 again").click()
    expect(page.get_by_text("What failed is tried again.")).to_be_visible()


def test_the_log_is_searched_opened_and_left_with_the_keyboard(
    page: Page, synced: Organization, admin: User
) -> None:
    for number in range(60):
        act(
            synced,
            admin,
            target=Target("key", str(number), f"key {number}"),
            before={"limit": "1"},
            after={"limit": "2"},
        )
    page.goto("/o/acme/audit-log/")
    page.locator("input[name=target]").fill("key 1")
    expect(page.locator("#acts").get_by_text("1–11 of 11 changes")).to_be_visible()
    page.locator("input[name=since]").fill("2030-01-01")
    expect(page.get_by_text("No change matches")).to_be_visible()

    page.goto("/o/acme/audit-log/?page=2")
    page.locator("#acts tbody a.name").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("Edit key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(":focus")).to_have_text("Edit key")
    with page.expect_download() as download:
        page.get_by_text("CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_the_palette_opens_a_page_with_the_keyboard(page: Page) -> None:
    page.goto("/o/acme/keys/")
    page.keyboard.press("/")
    page.keyboard.type("audit")
    expect(page.locator("#palette [role=option]").first).to_be_visible()
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit-log/")


def test_a_secret_pasted_into_the_palette_is_not_sent(page: Page) -> None:
    secret = "sk-or-v1-" + "0123456789abcdef" * 4
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
    page.goto("/o/acme/keys/")
    page.keyboard.press("/")
    page.keyboard.insert_text(f"Bearer {secret}")

    expect(page.get_by_text("That looks like a secret")).to_be_visible()
    expect(page.locator("#palette-input")).to_have_value(hashlib.sha256(secret.encode()).hexdigest())
    assert not [one for one in sent if "0123456789abcdef" in one]

    page.locator("#palette-input").fill("audit")
    expect(page.locator("#palette").get_by_role("option", name="Audit log")).to_be_visible()
    expect(page.get_by_text("That looks like a secret")).to_be_hidden()


def test_the_first_sync_fills_the_whole_page(
    open_page: OpenPage,
    admin: User,
    organization: Organization,
    sign_in: SignIn,
    live_server: Any,
    bells: Bells,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = signed_in_page(open_page, sign_in, admin, live_server.url)
    page.goto("/o/acme/keys/?sort=-month")
    expect(page.locator("#nouns").get_by_text("Never synced").first).to_be_visible()
    expect(page.locator("#sidebar .count")).to_have_count(0)

    request_all_pulls(organization=organization)
    # The worker is slow between its last run and the counts.
    with monkeypatch.context() as slow:
        slow.setattr(inventory, "refresh_summary", lambda _: None)
        bells.work()
        page.wait_for_timeout(2500)
    refresh_summary(organization)

    expect(page.get_by_text("40 keys in 3 workspaces")).to_be_visible()
    expect(page.locator("#nouns")).to_have_count(0)
    expect(page.locator("#workspace-menu")).to_be_visible()
    expect(page).to_have_url("/o/acme/keys/?sort=-month")


def test_it_says_that_the_dashboard_cannot_be_reached(page: Page, problems: list[str]) -> None:
    page.goto("/o/acme/keys/", wait_until="networkidle")
    page.context.set_offline(True)
    page.get_by_role("link", name="Create key").click()

    expect(page.locator("#toasts").get_by_text("The dashboard cannot be reached.")).to_be_visible()
    page.context.set_offline(False)
    problems.clear()


def test_a_sync_that_fails_is_told_above_as_well(
    page: Page, bells: Bells, sandbox: RunningSandbox, synced: Organization
) -> None:
    page.goto("/o/acme/sync/")
    expect(page.locator("#freshness").get_by_text("Synced now")).to_be_visible()
    sandbox.sandbox.fault(kind="status", status=403, path="/keys", times=9, message="No.")
    page.locator("#sync-keys").click()
    expect(page.locator("#freshness").get_by_text("Syncing…").first).to_be_visible()
    bells.work()

    expect(page.locator("#nouns").get_by_text("Failed")).to_be_visible()
    expect(page.locator("#freshness").get_by_text("Synced now")).to_have_count(0)
    expect(page.locator("#freshness .dot.danger")).to_be_visible()
