"""Chromium for every browser test, and the rule that no page may break: no console error, no blocked
content, no missing file. A test that provokes a failure removes it from ``problems``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

# Playwright's own loop runs in the thread of the test, which Django would take for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`blocked: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""

# A refused form is an answer and not a broken page (missing files are caught by their response), and htmx
# reports a search that a newer one replaced as an error.
EXPECTED = ("Failed to load resource", "htmx:afterRequest", "htmx:sendAbort")

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one the test is skipped, or fails where CI=true."""
    if not CHROMIUM or not Path(CHROMIUM).exists():
        reason = "No chromium found: install Debian's package `chromium`, or set CHROMIUM to one."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What went wrong in the pages of this test so far; must be empty at its end."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, problems: list[str]) -> Iterator[OpenPage]:
    """``open_page(path="", viewport=WIDE, **context)``: a light page in a browser of its own."""
    contexts: list[BrowserContext] = []

    def open_one(path: str = "", viewport: Any = WIDE, **options: Any) -> Page:
        context = chromium.new_context(
            viewport=viewport,
            color_scheme="light",
            base_url=live_server.url,
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(REPORT_VIOLATIONS)
        page = context.new_page()
        watch(page, problems)
        if path:
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A wide, light page, signed out."""
    return open_page()


def watch(page: Page, problems: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(EXPECTED):
            problems.append(message.text)

    def on_response(response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            problems.append(f"{response.status} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", on_response)
