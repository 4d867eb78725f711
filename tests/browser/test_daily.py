"""The daily record as it is used: another dimension, another metric, a range, a file and back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orgadmin.accounts.models import Organization, User
from orgadmin.usage.models import Harvest
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
    """A reader's browser, a month harvested."""
    pulled("harvest")
    return signed_in_page(open_page, sign_in, viewer, live_server.url)


def test_choices_change_the_figures_the_address_and_the_file(page: Page) -> None:
    page.goto("/o/acme/analytics/")
    page.get_by_role("link", name="Daily record").click()
    daily = page.locator("#daily")
    expect(daily).to_contain_text("Everything together")
    page.get_by_label("Broken down by").select_option("provider")
    expect(daily.get_by_role("heading", name="Requests by provider")).to_be_visible()
    page.get_by_label("Metric").select_option("p90_latency")
    expect(daily.get_by_role("heading", name="P90 latency by provider")).to_be_visible()
    page.locator("#ranges").get_by_role("link", name="All").click()
    expect(page).to_have_url("/o/acme/analytics/daily/?by=provider&metric=p90_latency&range=all")
    expect(page.locator("#ranges [aria-current]")).to_have_text("All")
    expect(daily.get_by_role("heading", name="P90 latency by provider")).to_be_visible()

    page.get_by_label("Broken down by").select_option("finish_reason")
    expect(daily.get_by_role("heading", name="Requests by finish reason")).to_be_visible()
    expect(page).to_have_url(re.compile("by=finish_reason"))
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    lines = Path(started.value.path()).read_text().splitlines()
    assert lines[0] == "Day (UTC),Finish reason,Requests"
    assert len(lines) - 1 == Harvest.objects.filter(dimension="finish_reason").count()

    page.go_back()
    expect(daily.get_by_role("heading", name="P90 latency by provider")).to_be_visible()


def test_the_chart_says_a_missing_day_is_none(page: Page) -> None:
    gone = sorted(set(Harvest.objects.values_list("day", flat=True)))[-2]
    Harvest.objects.filter(day=gone).delete()
    for metric, said in (("p90_latency", "No figure"), ("request_count", "—")):
        page.goto(f"/o/acme/analytics/daily/?by=provider&metric={metric}")
        page.locator("[data-chart][data-ready]").wait_for()
        page.locator("[data-chart-plot]").focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("[data-chart-tip]")).to_have_text(f"{gone.day} {gone:%b %Y}{said}")
