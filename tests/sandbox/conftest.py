"""A small account whose clock stands still, and a caller that holds its management key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from werkzeug.test import Client

from orgadmin.sandbox.app import Options, Sandbox

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
"""A Wednesday."""


@dataclass(frozen=True)
class Answered:
    """An answer; `json` is None when the body is none."""

    status_code: int
    json: Any
    text: str
    headers: Mapping[str, str]


class Caller:
    """Calls a sandbox in this process with one key (or none)."""

    def __init__(self, sandbox: Sandbox, key: str | None) -> None:
        self._client = Client(sandbox)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method: str, path: str, **kw: Any) -> Answered:
        response = self._client.open(f"/api/v1{path}", method=method, headers=self._headers, **kw)
        body = response.get_json(silent=True)
        return Answered(response.status_code, body, response.text, dict(response.headers))

    def get(self, path: str, **query: Any) -> Answered:
        return self("GET", path, query_string=query)

    def data(self, path: str, **query: Any) -> Any:
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        return response.json["data"]

    def post(self, path: str, body: Any) -> Answered:
        return self("POST", path, json=body)

    def put(self, path: str, body: Any) -> Answered:
        return self("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Answered:
        return self("PATCH", path, json=body)

    def delete(self, path: str) -> Answered:
        return self("DELETE", path)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(Options(keys=40, members=8, workspaces=4), now=lambda: NOON)


@pytest.fixture
def api(sandbox: Sandbox) -> Caller:
    return Caller(sandbox, sandbox.management_key)


@pytest.fixture
def default_workspace(sandbox: Sandbox) -> str:
    assert sandbox.account.workspaces.default_id is not None
    return sandbox.account.workspaces.default_id


def problem(response: Answered, status: int) -> str:
    """The message of an error answer, whose envelope is checked on the way."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/json"
    error = response.json["error"]
    assert error["code"] == status
    assert set(response.json) == {"error"}
    message = error["message"]
    assert isinstance(message, str)
    assert message
    return message
