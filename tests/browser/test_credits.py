"""The line of the credits page in a browser: with the mouse, and with the keyboard alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from orgadmin.accounts.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_keys import signed_in_page
from tests.conftest import SignIn
from tests.credits.balances import read

pytestmark = pytest.mark.django_db(transaction=True)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_line_is_read_with_the_arrow_keys(
    open_page: OpenPage, organization: Organization, admin: User, sign_in: SignIn, live_server: Any
) -> None:
    read(organization, until=datetime.now(UTC), span=5 * DAY, every=HOUR, purchases={2 * HOUR: "250"})
    page = signed_in_page(open_page, sign_in, admin, live_server.url)
    page.goto("/o/acme/credits/?range=7d")
    plot, said, tip = (page.locator(f"[data-chart-{part}]") for part in ("plot", "said", "tip"))
    page.locator("[data-chart][data-ready]").wait_for()
    plot.focus()
    plot.press("End")
    expect(said).to_contain_text("$600.00")
    plot.press("ArrowLeft")
    plot.press("ArrowLeft")
    expect(said).to_contain_text("Bought $250.00")
    expect(tip).to_be_visible()
    expect(page.locator("[data-chart-cursor]")).to_have_attribute("x1", plot_place(page))
    plot.press("Home")
    expect(said).to_contain_text("$470.00")
    plot.press("Escape")
    expect(tip).to_be_hidden()


def test_the_mouse_finds_the_nearest_reading(
    open_page: OpenPage, organization: Organization, admin: User, sign_in: SignIn, live_server: Any
) -> None:
    """Two readings are far apart: the place decides, and not how many there are on either side."""
    now = datetime.now(UTC)
    read(organization, until=now - 4 * DAY, span=2 * DAY, every=HOUR, spent="300")
    read(organization, until=now, span=timedelta(0), every=HOUR, spent="400")
    page = signed_in_page(open_page, sign_in, admin, live_server.url)
    page.goto("/o/acme/credits/?range=7d")
    box = page.locator("[data-chart-plot]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 50)
    expect(page.locator("[data-chart-tip]")).to_contain_text("$600.00")
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 50)
    expect(page.locator("[data-chart-tip]")).to_contain_text("$700.00")


def plot_place(page: Any) -> Any:
    """Where the cursor should be: at the row that was read last but two."""
    place = page.evaluate(
        """() => {
            const rows = [...document.querySelectorAll("[data-chart-rows] tr")];
            const plot = document.querySelector("[data-chart-plot]");
            return (Number(rows.at(-3).dataset.across) / 100) * plot.clientWidth;
        }"""
    )
    return str(place)
