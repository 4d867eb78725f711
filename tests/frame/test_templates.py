"""Rules that every template keeps, whoever wrote it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboard.env import BASE_DIR

ROOT = BASE_DIR / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))
# What the Content-Security-Policy blocks, and what htmx would have to evaluate.
FORBIDDEN = {
    "an inline style": r"\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline handler": r"\son[a-z]+\s*=\s*['\"]",
    "an inline script": r"<script(?![^>]*(\ssrc=|type=\"application/json\"))",
    "hx-on": r"\bhx-on\b",
    "a js: value": r"hx-(vals|headers)\s*=\s*['\"]js:",
    "a trigger filter": r"hx-trigger\s*=\s*\"[^\"]*\[",
    "an address elsewhere": r"(src|href)\s*=\s*\"https?://",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_opens_with_its_context_and_has_nothing_blocked(path: Path) -> None:
    text = path.read_text()

    assert text.startswith("{#"), "a template opens with a comment that names its context"
    found = [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)]
    assert found == []


# How forms are written: as HTML, by our component, by the package's.
FORMS = {
    "a form": r"<form\b.*?</form>",
    "a call of the component": r"\{% call open_form\(.*?%\}",
    "an element of the package": r"\{% element form .*?\{% slot actions %\}",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_form_that_posts_carries_the_token(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    forms = [form for pattern in FORMS.values() for form in re.findall(pattern, text, re.DOTALL)]
    posting = [form for form in forms if 'method="post"' in form or "open_form" in form]
    assert [form for form in posting if not re.search(r"csrf_input|csrf_token", form)] == []
    # None is written in another way.
    assert text.count('method="post"') == sum('method="post"' in form for form in posting)


def test_every_icon_exists() -> None:
    sprite = (BASE_DIR / "static" / "icons.svg").read_text()
    symbols = set(re.findall(r'<symbol id="([a-z]+)"', sprite))
    used = {
        name
        for path in TEMPLATES
        for name in re.findall(r"(?:\bicon\(|icon_name=|icon_link\([^)]*?, )\"([a-z]+)\"", path.read_text())
    }

    assert used - symbols == set()
