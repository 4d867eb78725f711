"""What the tests of this slice share: addresses, and what OpenRouter was asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.test import Client

from tests.sandbox_server import RunningSandbox

PAGE = "/o/acme/analytics/"
HTMX = {"HX-Request": "true"}


def text_of(response: Any) -> str:
    """On one line; every kind of space is a plain one."""
    return " ".join(response.content.decode().split())


def query(**params: Any) -> str:
    """``by=["user", "model"]`` is repeated."""
    return urlencode(params, doseq=True)


def run(browser: Client, **params: Any) -> str:
    """What a press of Run shows."""
    response = browser.get(f"{PAGE}run/?{query(**params)}", headers=HTMX)
    assert response.status_code == 200
    return text_of(response)


def asked(sandbox: RunningSandbox) -> list[Any]:
    """The bodies of the questions OpenRouter received, in their order."""
    return [seen.body for seen in sandbox.sandbox.requests().last if seen.path.endswith("/analytics/query")]


def calls(sandbox: RunningSandbox, path: str) -> int:
    return sum(seen.path.endswith(path) for seen in sandbox.sandbox.requests().last)
