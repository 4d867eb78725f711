"""Credentials: which key may call what, and what `GET /key` says of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from werkzeug.test import Client

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem

MANAGED = [
    ("GET", "/keys"), ("POST", "/keys"), ("GET", "/keys/x"), ("PATCH", "/keys/x"), ("DELETE", "/keys/x"),
    ("GET", "/workspaces"), ("POST", "/workspaces"), ("GET", "/workspaces/x"), ("PATCH", "/workspaces/x"),
    ("DELETE", "/workspaces/x"), ("GET", "/workspaces/x/budgets"), ("GET", "/workspaces/x/budgets/daily"),
    ("PUT", "/workspaces/x/budgets/daily"), ("DELETE", "/workspaces/x/budgets/daily"),
    ("GET", "/workspaces/x/members"), ("POST", "/workspaces/x/members/add"),
    ("POST", "/workspaces/x/members/remove"), ("GET", "/organization/members"), ("GET", "/credits"),
    ("GET", "/activity"), ("GET", "/analytics/meta"), ("POST", "/analytics/query"),
    ("GET", "/guardrails"), ("POST", "/guardrails"), ("GET", "/guardrails/x"), ("PATCH", "/guardrails/x"),
    ("DELETE", "/guardrails/x"), ("GET", "/guardrails/assignments/keys"),
    ("GET", "/guardrails/assignments/members"), ("GET", "/guardrails/x/assignments/keys"),
    ("POST", "/guardrails/x/assignments/keys"), ("POST", "/guardrails/x/assignments/keys/remove"),
    ("GET", "/guardrails/x/assignments/members"), ("POST", "/guardrails/x/assignments/members"),
    ("POST", "/guardrails/x/assignments/members/remove"),
    ("GET", "/byok"), ("POST", "/byok"), ("GET", "/byok/x"), ("PATCH", "/byok/x"), ("DELETE", "/byok/x"),
    ("GET", "/observability/destinations"), ("POST", "/observability/destinations"),
    ("GET", "/observability/destinations/x"), ("PATCH", "/observability/destinations/x"),
    ("DELETE", "/observability/destinations/x"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [*MANAGED, ("GET", "/key")])
def test_nobody_may_anything_without_a_key(sandbox: Sandbox, method: str, path: str) -> None:
    assert problem(Caller(sandbox, None)(method, path), 401) == "Missing Authentication header"
    problem(Caller(sandbox, "sk-or-v1-" + "0" * 64)(method, path), 401)


@pytest.mark.parametrize(("method", "path"), MANAGED)
def test_an_inference_key_is_of_the_wrong_kind(sandbox: Sandbox, method: str, path: str) -> None:
    message = problem(Caller(sandbox, sandbox.inference_key)(method, path), 403)
    assert message.startswith("Only management keys can ")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "sk-or-v1-x"])
def test_a_header_that_holds_no_bearer_key_is_refused(sandbox: Sandbox, header: str) -> None:
    assert Client(sandbox).get("/api/v1/key", headers={"Authorization": header}).status_code == 401


def test_deleted_disabled_and_expired_keys_are_refused(sandbox: Sandbox, api: Caller) -> None:
    def made(**fields: str) -> tuple[str, Caller]:
        response = api.post("/keys", {"name": "x", **fields})
        return response.json["data"]["hash"], Caller(sandbox, response.json["key"])

    deleted, as_deleted = made()
    disabled, as_disabled = made()
    _, as_expired = made(expires_at="2026-11-18T12:01:00Z")
    for caller in (as_deleted, as_disabled, as_expired):
        assert caller.get("/key").status_code == 200
    api.delete(f"/keys/{deleted}")
    api.patch(f"/keys/{disabled}", {"disabled": True})
    sandbox.advance(timedelta(minutes=1))
    for caller in (as_deleted, as_disabled, as_expired):
        problem(caller.get("/key"), 401)
    api.patch(f"/keys/{disabled}", {"disabled": False})
    assert as_disabled.get("/key").status_code == 200


def test_the_management_key_says_what_it_is(sandbox: Sandbox, api: Caller) -> None:
    data = api.data("/key")
    assert data["is_management_key"] is True
    assert data["is_provisioning_key"] is True
    assert data["organization_id"].startswith("org_")
    assert data["label"] == f"{sandbox.management_key[:12]}...{sandbox.management_key[-4:]}"
    assert sandbox.management_key not in api.get("/key").text


def test_an_inference_key_says_what_it_is(sandbox: Sandbox, api: Caller) -> None:
    response = api.post("/keys", {"name": "x", "limit": 5, "limit_reset": "daily"})
    sandbox.outside.spend(response.json["data"]["hash"], usd=2)
    data = Caller(sandbox, response.json["key"]).data("/key")
    assert data["is_management_key"] is False
    assert (data["limit"], data["limit_remaining"], data["usage"]) == (5, 3, 2)
    budget = data["effective_budget"]
    assert data["budgets"] == [budget]
    assert (budget["scope"], budget["spend_usd"], budget["resets_at"]) == (
        "key_limit",
        2,
        "2026-11-19T00:00:00Z",
    )


def test_the_keys_follow_from_the_seed(sandbox: Sandbox) -> None:
    again = Sandbox(Options(keys=1), now=lambda: NOON)
    other = Sandbox(Options(seed=8, keys=1), now=lambda: NOON)
    assert (again.management_key, again.inference_key) == (sandbox.management_key, sandbox.inference_key)
    assert other.management_key != sandbox.management_key
    for key in (sandbox.management_key, sandbox.inference_key):
        assert re.fullmatch(r"sk-or-v1-[0-9a-f]{64}", key)


@pytest.mark.parametrize("path", ["/nope", "/keys/", "/keys/a/b", "/models/a", "//keys", "/"])
def test_unknown_paths_are_not_found_in_the_envelope(api: Caller, path: str) -> None:
    problem(api.get(path), 404)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v2/keys", "/keys", "/favicon.ico"])
def test_paths_outside_the_api_are_not_found_either(sandbox: Sandbox, path: str) -> None:
    response = Client(sandbox).get(path)
    assert response.status_code == 404
    assert response.get_json()["error"]["code"] == 404


@pytest.mark.parametrize(("method", "path"), [
    ("PUT", "/keys"), ("POST", "/credits"), ("DELETE", "/organization/members"), ("HEAD", "/keys"),
])  # fmt: skip
def test_other_methods_are_not_allowed(api: Caller, method: str, path: str) -> None:
    assert api(method, path).status_code == 405


def test_a_huge_body_is_too_large(api: Caller) -> None:
    problem(api("POST", "/keys", data=b"x" * 1_000_001), 413)
