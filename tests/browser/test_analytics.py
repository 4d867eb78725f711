"""Analytics by keyboard alone, and what happens when an answer takes too long."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.analytics import services
from orgadmin.accounts.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import Bells, SignIn
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANALYTICS = "/o/acme/analytics/"


@pytest.fixture
def page(open_page: OpenPage, admin: User, synced: Organization, sign_in: SignIn, live_server: Any) -> Page:
    """An administrator's browser."""
    return signed_in_page(open_page, sign_in, admin, live_server.url)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_back_to(page: Page, wanted: str) -> None:
    tab_to(page, wanted, "Shift+Tab")


def tab_to(page: Page, wanted: str, key: str = "Tab") -> None:
    """Tab until the focus is on what matches; nothing is ever out of reach."""
    for _ in range(120):
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} cannot be reached with Tab")


def choose(page: Page, menu: str, word: str) -> None:
    """Focus a menu and type the beginning of what is wanted."""
    tab_to(page, menu)
    with page.expect_response(re.compile("/analytics/builder/")):
        page.keyboard.type(word)
        press(page, "Enter")


def test_a_question_is_put_together_run_and_saved_with_the_keyboard(page: Page) -> None:
    page.goto("/o/acme/keys/")
    press(page, "g", "y")
    page.wait_for_url(re.compile(ANALYTICS))
    expect(page.get_by_text("choose at least one")).to_be_visible()

    tab_to(page, "input[value=total_usage]")
    press(page, "Space")
    expect(page.locator("#question-metrics")).to_have_text("Total spend")
    tab_to(page, "input[value=p90_latency]")
    press(page, "Space")
    expect(page.get_by_text("for 31 days only")).to_be_visible()

    choose(page, "#question-by-0", "Model")
    # The part of the form around it came anew, and the focus is where it was.
    expect(page.locator("#question-by-0")).to_be_focused()
    tab_to(page, "#question-add")
    press(page, "Enter")
    expect(page.locator("#question-f0")).to_be_visible()
    fill_filter(page)

    tab_to(page, "#question-run")
    press(page, "Enter")
    expect(page.locator("#answer h2").first).to_have_text("Total spend, P90 latency by Model")
    expect(page).to_have_url(re.compile("run=1"))
    expect(page).to_have_url(re.compile("f0=variant"))

    # Their module came with the first chart.
    page.locator("#answer-chart-2[data-ready]").wait_for()
    tab_to(page, "#answer-chart-1 [data-chart-plot]")
    press(page, "End")
    expect(page.locator("#answer-chart-1 [data-chart-tip]")).to_be_visible()
    tab_to(page, "#answer-chart-2 [data-chart-plot]")
    press(page, "Home")
    expect(page.locator("#answer-chart-2 [data-chart-said]")).to_contain_text(":")

    tab_back_to(page, "#answer-save")
    press(page, "Enter")
    expect(page.locator("#dialog")).to_be_visible()
    tab_to(page, "#id_name")
    page.keyboard.type("Standard models")
    press(page, "Enter")
    expect(page.get_by_text("Saved as “Standard models”.")).to_be_visible()
    expect(page.locator(".shelf").get_by_text("Standard models")).to_be_visible()
    # The page of that address fetched its answer by itself.
    expect(page.locator("#answer h2").first).to_have_text("Total spend, P90 latency by Model")


def fill_filter(page: Page) -> None:
    tab_back_to(page, "#question-f0")
    choose(page, "#question-f0", "Variant")
    tab_to(page, "#question-v0")
    page.keyboard.type("standard")


def test_a_slow_question_goes_on_in_the_background(
    page: Page, sandbox: RunningSandbox, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PATIENCE", replace(services.PATIENCE, seconds=1, read_timeout=0.5))
    page.goto(f"{ANALYTICS}?metric=total_usage&by=model&every=none")
    page.locator("#question-run").wait_for()
    sandbox.sandbox.fault(kind="delay", path="/analytics/query", seconds=1.5, times=5)
    page.locator("#question-run").click()
    expect(page.get_by_text("No answer within 10 seconds")).to_be_visible()

    page.locator("#answer-job").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    page.wait_for_url(re.compile("/analytics/asked/"))
    sandbox.sandbox.clear_faults()
    bells.work()
    expect(page.get_by_text("kept here for a day")).to_be_visible()

    # Whoever left finds it on the page.
    page.goto(ANALYTICS)
    page.locator(".shelf").get_by_text("Ask: Total spend by Model").click()
    expect(page.get_by_text("kept here for a day")).to_be_visible()


def test_a_refusal_takes_the_focus_next_to_the_form(page: Page, sandbox: RunningSandbox) -> None:
    page.goto(f"{ANALYTICS}?metric=total_usage")
    page.locator("#question-run").wait_for()
    sandbox.sandbox.fault(kind="status", status=400, path="/analytics/query", message="Not like this")
    page.locator("#question-run").click()
    expect(page.locator("#question-said")).to_contain_text("Not like this.")
    page.locator("#question-run").click()
    expect(page.locator("#answer h2").first).to_have_text("Total spend")
    expect(page.locator("#question-said")).to_be_empty()
    page.go_back()
    expect(page.locator("#question-metrics")).to_have_text("Total spend")
