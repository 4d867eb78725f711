"""What axe finds on a page, in both themes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

Theme = Literal["light", "dark"]
# The light one last, which is the one that pages are opened in.
THEMES: tuple[Theme, ...] = ("dark", "light")

# Only the violations come over: what axe found in order is most of its answer, and megabytes of it.
_RUN = "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"


def inaccessible(page: Page, themes: Sequence[Theme] = THEMES) -> list[str]:
    """One line a rule and theme, with the first element it found. The page is one that follows the browser's
    wish for a theme, without a word of ours; it is left light."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = []
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        violations: list[dict[str, Any]] = page.evaluate(_RUN)
        found += [
            f"{theme}: {rule['id']}: {rule['nodes'][0]['html']} {rule['nodes'][0]['failureSummary']}"
            for rule in violations
        ]
    return found
