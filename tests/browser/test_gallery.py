"""The frame and every component in a real browser: nothing blocked, nothing inaccessible, light enough."""

from __future__ import annotations

import gzip

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.axe import inaccessible
from tests.browser.conftest import NARROW, WIDE, OpenPage

pytestmark = [pytest.mark.urls("tests.browser.gallery"), pytest.mark.django_db(transaction=True)]
PATHS = (
    "/components/",
    "/o/acme/keys/",
    "/o/acme/keys/?q=nothing",
    "/o/acme/keys/new/",
    "/accounts/login/",
    "/nowhere/",
)


@pytest.mark.axe
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page("", viewport)
    for path in PATHS:
        page.goto(path)
        assert inaccessible(page) == [], path


@pytest.mark.axe
def test_axe_finds_nothing_in_what_opens(open_page: OpenPage) -> None:
    page = open_page("/o/acme/keys/")

    page.locator("[data-pick]").nth(1).check()
    page.get_by_label("Workspace: All workspaces").click()
    assert inaccessible(page) == []

    page.keyboard.press("Escape")
    page.get_by_role("link", name="Create key").click()
    page.locator("#dialog[open]").wait_for()
    assert inaccessible(page) == []

    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("e")
    page.get_by_role("option", name="agents-eu").wait_for()
    assert inaccessible(page) == []


def test_nothing_hangs_over_the_edge_of_a_telephone(open_page: OpenPage) -> None:
    page = open_page("", {"width": 375, "height": 700})
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path


def test_the_first_load_is_light(page: Page) -> None:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))

    page.goto("/o/acme/keys/", wait_until="networkidle")

    sizes = {
        answer.url.partition("?")[0].rpartition("/")[2]: len(gzip.compress(answer.body()))
        for answer in answers
    }
    assert len(sizes) == len(answers) <= 5, sizes
    assert sum(sizes.values()) <= 100_000, sizes


def test_an_idle_page_asks_twice_a_minute_and_a_hidden_one_never(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "freshness" in request.url else None)
    page.goto("/o/acme/keys/", wait_until="networkidle")

    for _ in range(2):
        page.locator("#freshness").evaluate("(element) => element.dataset.before = ''")
        with page.expect_response("**/freshness/"):
            page.clock.run_for(30_000)
        # The next half minute is counted from when the answer took the place of what asked.
        expect(page.locator("#freshness:not([data-before], .htmx-added)")).to_have_count(1)
    assert len(asked) == 2

    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.clock.run_for(120_000)
    assert len(asked) == 2


def test_it_works_without_javascript(open_page: OpenPage) -> None:
    page = open_page("/o/acme/keys/", java_script_enabled=False)

    page.get_by_role("link", name="Next page").first.click()
    expect(page).to_have_url("/o/acme/keys/?page=2")
    page.get_by_role("searchbox", name="Search name").fill("nothing")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No key matches")).to_be_visible()
    page.get_by_role("link", name="Create key").click()
    expect(page.get_by_label("Name", exact=True)).to_be_visible()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Nothing was saved")).to_be_visible()


def test_print_shows_the_list_alone(page: Page) -> None:
    page.goto("/o/acme/keys/")
    page.emulate_media(media="print")

    expect(page.get_by_role("table")).to_be_visible()
    for hidden in (".sidebar", ".topbar", ".filters", ".list-bar"):
        expect(page.locator(hidden).first).to_be_hidden()
