"""What the scripts add: dialogs, the palette, selection, toasts, themes, and a form that is sent once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NARROW, OpenPage

pytestmark = [pytest.mark.urls("tests.browser.gallery"), pytest.mark.django_db(transaction=True)]
KEYS = "/o/acme/keys/"


def open_create(page: Page) -> None:
    page.goto(KEYS)
    page.get_by_role("link", name="Create key").click()
    expect(page.locator("#dialog")).to_be_visible()


def test_a_dialog_takes_the_focus_and_gives_it_back(page: Page) -> None:
    open_create(page)
    expect(page.get_by_label("Name", exact=True)).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.get_by_role("link", name="Create key")).to_be_focused()
    expect(page.locator("#dialog")).to_be_empty()


def test_a_refused_form_stays_open_with_what_was_typed(page: Page) -> None:
    open_create(page)
    page.get_by_role("spinbutton", name="Limit").fill("-12.5")

    page.locator("#dialog").get_by_role("button", name="Create key").click()

    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_role("spinbutton", name="Limit")).to_have_value("-12.5")
    page.get_by_role("link", name="Name: This field is required.").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_a_refused_form_on_its_own_page_answers_in_its_place(page: Page) -> None:
    page.goto(KEYS + "new/")

    page.get_by_role("button", name="Create key").click()

    expect(page.locator("main .error-summary")).to_be_visible()
    expect(page.locator("#dialog")).to_be_hidden()


def test_a_form_is_sent_once(page: Page, problems: list[str]) -> None:
    open_create(page)
    sent: list[Route] = []
    page.route("**/keys/new/", lambda route: sent.append(route))
    button = page.locator("#dialog").get_by_role("button", name=re.compile("Creat"))

    button.click()
    expect(button).to_have_text("Creating…")
    button.dispatch_event("click")
    page.get_by_label("Name", exact=True).press("Enter")

    expect(button).to_have_attribute("aria-disabled", "true")
    assert len(sent) == 1
    sent[0].abort()
    expect(button).to_have_text("Create key")
    expect(page.locator(".toast")).to_contain_text("cannot be reached")
    assert all(problem.startswith("htmx:") for problem in problems)
    problems.clear()


def test_a_secret_is_guarded_until_it_is_stored(page: Page) -> None:
    open_create(page)
    page.get_by_label("Name", exact=True).fill("reveal")
    page.locator("#dialog").get_by_role("button", name="Create key").click()
    secret = page.get_by_label("Your new key")
    expect(secret).to_have_value(re.compile("^sk-or-v1-"))

    page.on("dialog", lambda question: question.dismiss())
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Close").click()
    for _ in range(2):
        with page.expect_event("dialog"):
            page.keyboard.press("Escape")
    expect(secret).to_be_visible()

    page.get_by_role("link", name="I have stored it").click()
    expect(page.locator("[data-secret-value]")).to_have_count(0)
    assert "sk-or-v1-0123456789abcdef" not in page.content()


def test_copying_says_so(open_page: OpenPage) -> None:
    page = open_page(KEYS + "new/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name", exact=True).fill("reveal")
    page.get_by_role("button", name="Create key").click()

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("sk-or-v1-")


def test_search_keeps_the_last_answer_and_the_address(page: Page) -> None:
    page.goto(KEYS)
    search = page.get_by_role("searchbox", name="Search name")

    search.press_sequentially("nothing", delay=20)

    expect(page.get_by_text("No key matches")).to_be_visible()
    expect(search).to_be_focused()
    expect(page).to_have_url(KEYS + "?q=nothing&sort=name")
    page.go_back()
    expect(page.get_by_text("No key matches")).to_have_count(0)
    expect(page).to_have_url(KEYS)
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()


def test_a_late_answer_does_not_overwrite_a_newer_one(page: Page) -> None:
    page.goto(KEYS)
    held: list[Route] = []
    page.route(
        "**/keys/?q=not*",
        lambda route: route.continue_() if "nothing" in route.request.url else held.append(route),
    )
    search = page.get_by_role("searchbox", name="Search name")

    search.fill("not")
    expect(page.locator("#list")).to_have_class(re.compile("htmx-request"))
    search.fill("nothing")
    expect(page.get_by_text("No key matches")).to_be_visible()

    assert len(held) == 1
    expect(page).to_have_url(KEYS + "?q=nothing&sort=name")


def test_sorting_and_paging_change_the_list_and_the_address(page: Page) -> None:
    page.goto(KEYS)

    page.get_by_role("link", name="Name").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("link", name="Name")).to_be_focused()
    page.get_by_role("link", name="Next page").first.click()

    expect(page.locator(".pager").first).to_contain_text("51–100")
    expect(page.get_by_role("link", name="Next page").first).to_be_focused()
    expect(page.locator("#announcement")).to_have_text("51–100 of 10,213 keys")
    expect(page).to_have_url(KEYS + "?sort=-name&page=2")


def test_selecting_rows_counts_them(page: Page) -> None:
    page.goto(KEYS)
    rows, bar = page.locator("[data-pick]"), page.locator(".action-bar")
    expect(bar).to_be_hidden()

    rows.nth(0).check()
    expect(bar).to_contain_text("1 selected")
    rows.nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("5 selected")
    page.get_by_label("select all 10,213").check()
    expect(bar).to_contain_text("All selected")
    rows.nth(2).uncheck()
    expect(bar).to_contain_text("49 selected")
    expect(page.get_by_label("select all 10,213")).not_to_be_checked()
    page.get_by_label("Select every row of this page").check()
    page.get_by_label("Select every row of this page").uncheck()
    expect(bar).to_be_hidden()


def test_the_palette_is_walked_with_arrows(page: Page) -> None:
    page.goto(KEYS)

    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search everything")).to_be_focused()
    page.keyboard.type("a")
    expect(page.get_by_role("option", name="agents-eu")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="batch-etl")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("combobox", name="Search everything")).to_have_attribute(
        "aria-activedescendant", "palette-hit-2"
    )
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()

    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search everything").fill("demo")
    expect(page.locator("#palette").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/demo-day/")


def test_shortcuts_jump_and_are_listed(page: Page) -> None:
    page.goto(KEYS)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Audit log")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")

    page.wait_for_url("**/auditlog/")


def test_a_letter_typed_at_once_after_g_is_not_lost(page: Page) -> None:
    page.goto(KEYS)

    page.evaluate("""() => {
        for (const key of "ga") {
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
        }
    }""")

    page.wait_for_url("**/auditlog/")


def test_typing_is_not_a_shortcut(page: Page) -> None:
    page.goto(KEYS)

    page.get_by_role("searchbox", name="Search name").press_sequentially("g/?")

    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_theme_changes_at_once_and_stays(page: Page) -> None:
    page.goto(KEYS)
    page.get_by_label("Theme: auto").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Dark").click()

    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 15, 18)")
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", "rgb(15, 15, 18)")


def test_a_toast_leaves_by_itself_unless_looked_at(page: Page) -> None:
    page.clock.install()
    page.goto(KEYS + "?toast=1")
    toast = page.locator(".toast")
    expect(toast).to_have_attribute("data-watched", "")

    toast.hover()
    page.clock.run_for(20_000)
    expect(toast).to_be_visible()
    page.mouse.move(10, 10)
    page.clock.run_for(6_100)
    expect(toast).to_have_count(0)


def test_an_error_is_said_and_stays(page: Page, problems: list[str]) -> None:
    open_create(page)
    page.route("**/keys/new/", lambda route: route.fulfill(status=503, body="no"))

    page.locator("#dialog").get_by_role("button", name="Create key").click()

    expect(page.locator(".toast")).to_contain_text("could not do that (error 503)")
    expect(page.locator("#dialog")).to_be_visible()
    assert all("503" in problem for problem in problems)
    problems.clear()


def test_the_drawer_opens_and_closes(open_page: OpenPage) -> None:
    page = open_page(KEYS, NARROW)
    entry = page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit log")
    expect(entry).to_be_hidden()

    page.get_by_role("button", name="Pages").click()
    expect(entry).to_be_visible()
    page.keyboard.press("Escape")
    expect(entry).to_be_hidden()


def test_a_menu_closes_with_escape_and_outside_clicks(page: Page) -> None:
    page.goto(KEYS)
    menu = page.locator("#user-menu")

    page.get_by_label("Account: Mia Kurz").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(page.get_by_label("Account: Mia Kurz")).to_be_focused()

    page.get_by_label("Account: Mia Kurz").click()
    page.get_by_role("heading", name="Keys").click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_freshness_answers_sync_now(page: Page) -> None:
    page.goto(KEYS)

    with page.expect_response("**/syncs/run/") as answer:
        page.get_by_role("button", name=re.compile("Sync now")).click()

    assert answer.value.request.method == "POST"
    expect(page.locator("#freshness")).to_have_count(1)
