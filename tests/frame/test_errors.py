"""The pages for what went wrong."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views import defaults
from django.views.csrf import csrf_failure

pytestmark = pytest.mark.urls("tests.browser.gallery")


def test_nothing_there(client: Client, db: None) -> None:
    response = client.get("/nowhere/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_forbidden_says_why() -> None:
    response = defaults.permission_denied(
        RequestFactory().get("/"), PermissionDenied("Viewers change nothing.")
    )

    html = response.content.decode()
    assert response.status_code == 403
    assert "Viewers change nothing." in html
    assert "<html" in html


def test_forbidden_for_a_fragment_is_a_fragment() -> None:
    request = RequestFactory().get("/", headers={"HX-Request": "true"})

    html = defaults.permission_denied(request, PermissionDenied("Viewers change nothing.")).content.decode()

    assert "Viewers change nothing." in html
    assert "<html" not in html


def test_a_bad_request_and_a_stale_form() -> None:
    assert b"could not be understood" in defaults.bad_request(RequestFactory().get("/"), ValueError()).content
    assert b"open for too long" in csrf_failure(RequestFactory().post("/")).content


def test_a_broken_page_needs_no_context() -> None:
    response = defaults.server_error(RequestFactory().get("/"))

    html = response.content.decode()
    assert response.status_code == 500
    assert "Something broke here" in html
    assert "css/app" in html
