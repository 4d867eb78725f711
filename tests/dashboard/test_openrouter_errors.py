"""An error of OpenRouter that no view has an answer to: a page that says so, or a toast, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.keys import views
from orgadmin.openrouter.errors import AnswerLost, OpenRouterError, RateLimited, ServerFailure
from tests.conftest import SignIn


@pytest.fixture
def browser(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: OpenRouterError) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(views, "keys_page", fail)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ServerFailure("The kitchen is on fire", status=500), 502, "Nothing was changed."),
        (RateLimited("Slow down", status=429), 429, "Nothing was changed."),
        (AnswerLost("Nobody knows", outcome_unknown=True), 502, "it may have been done"),
    ],
)
def test_a_page_says_what_openrouter_said(
    browser: Client, monkeypatch: pytest.MonkeyPatch, error: OpenRouterError, status: int, words: str
) -> None:
    fail_with(monkeypatch, error)
    response = browser.get("/o/acme/keys/")
    page = response.content.decode()
    assert response.status_code == status
    assert f"{error.message}." in page
    assert words in page


def test_a_fragment_becomes_a_toast_and_replaces_nothing(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, ServerFailure("The kitchen is on fire", status=500))
    response = browser.get("/o/acme/keys/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Reswap"]) == (200, "none")
    assert "The kitchen is on fire" in response.content.decode()
