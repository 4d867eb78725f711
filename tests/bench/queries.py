"""How many SQL queries a page makes, session and user included."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.bench.pages import Target


def queries(target: Target, session: str) -> int:
    """Asked in this process, with the same session, after the page was shown once."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    client.get(target.path, headers=target.headers)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(target.path, headers=target.headers)
    assert response.status_code == 200, (target.path, response.status_code)
    return len(captured)
