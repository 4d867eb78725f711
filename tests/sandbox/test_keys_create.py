"""`POST /keys`: the secret is shown once, and what is wrong is refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from orgadmin.sandbox.app import Sandbox
from tests.sandbox.conftest import Caller, problem


def test_a_name_is_enough(api: Caller, sandbox: Sandbox, default_workspace: str) -> None:
    response = api.post("/keys", {"name": "nightly"})
    assert response.status_code == 201
    key, secret = response.json["data"], response.json["key"]
    assert set(response.json) == {"data", "key"}
    assert len(secret) == len("sk-or-v1-") + 64
    assert key["hash"] == sha256(secret.encode()).hexdigest()
    assert key["label"] == f"{secret[:12]}...{secret[-4:]}"
    assert key["workspace_id"] == default_workspace
    assert (key["limit"], key["limit_remaining"], key["limit_reset"]) == (None, None, None)
    assert (key["disabled"], key["include_byok_in_limit"], key["usage"]) == (False, False, 0)
    assert (key["updated_at"], key["expires_at"], key["last_used_at"]) == (None, None, None)
    assert api.data(f"/keys/{key['hash']}") == key
    assert api.data("/keys")[0] == key


def test_every_field_is_kept(api: Caller, sandbox: Sandbox) -> None:
    member = api.data("/organization/members")[4]["id"]
    workspace = api.data("/workspaces")[0]["id"]
    wanted = {
        "name": "Übersetzer 🔬",
        "limit": 12.5,
        "limit_reset": "weekly",
        "include_byok_in_limit": True,
        "expires_at": "2027-01-31T10:20:30Z",
        "creator_user_id": member,
        "workspace_id": workspace,
    }
    key = api.post("/keys", wanted).json["data"]
    assert {name: key[name] for name in wanted} == wanted
    assert key["limit_remaining"] == 12.5


def test_the_secret_works_at_once_and_is_never_shown_again(api: Caller, sandbox: Sandbox) -> None:
    secret = api.post("/keys", {"name": "one"}).json["key"]
    assert Caller(sandbox, secret).data("/key")["is_management_key"] is False
    assert secret not in api.get("/keys").text
    assert secret not in repr(sandbox.account.keys.__dict__)


def test_two_keys_never_share_a_secret(api: Caller) -> None:
    assert api.post("/keys", {"name": "a"}).json["key"] != api.post("/keys", {"name": "a"}).json["key"]


@pytest.mark.parametrize("body", [
    {}, {"name": None}, {"name": ""}, {"name": 5}, {"name": ["x"]},
    {"name": "x", "limit": -0.01}, {"name": "x", "limit": "5"}, {"name": "x", "limit": True},
    {"name": "x", "limit_reset": "yearly"}, {"name": "x", "limit_reset": ""}, {"name": "x", "limit_reset": 1},
    {"name": "x", "include_byok_in_limit": None}, {"name": "x", "include_byok_in_limit": "yes"},
    {"name": "x", "expires_at": "2027-01-31T10:20Z"}, {"name": "x", "expires_at": "2027-01-31"},
    {"name": "x", "expires_at": "2027-01-31T10:20:30+02:00"},
    {"name": "x", "expires_at": "2027-01-31T10:20:30"},
    {"name": "x", "expires_at": "2027-02-31T10:20:30Z"}, {"name": "x", "expires_at": "2026-11-18T12:00:00Z"},
    {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, {"name": "x", "expires_at": 1900000000},
    {"name": "x", "creator_user_id": "user_nobody"}, {"name": "x", "creator_user_id": ""},
    {"name": "x", "workspace_id": None}, {"name": "x", "workspace_id": "default"},
    {"name": "x", "workspace_id": "00000000-0000-4000-8000-000000000000"},
    {"name": "x", "external": {}}, {"name": "x", "external": {"user": "u", "api_key": "short"}},
])  # fmt: skip
def test_what_is_wrong_is_refused_and_changes_nothing(api: Caller, body: dict[str, Any]) -> None:
    before = api.data("/keys")
    problem(api.post("/keys", body), 400)
    assert api.data("/keys") == before


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b'"x"', b"null", b"\xff", b"[" * 5000,
    b'{"name": "x", "limit": NaN}', b'{"name": "x", "limit": Infinity}', b'{"name": "x", "limit": 1e999}',
])  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(api: Caller, raw: bytes) -> None:
    problem(api("POST", "/keys", data=raw, content_type="application/json"), 400)


def test_null_means_without_for_fields_that_allow_it(api: Caller) -> None:
    body = {"name": "x", "limit": None, "limit_reset": None, "expires_at": None, "creator_user_id": None}
    assert api.post("/keys", body).status_code == 201


def test_unknown_fields_are_ignored(api: Caller) -> None:
    key = api.post("/keys", {"name": "x", "colour": "blue", "disabled": True}).json["data"]
    assert "colour" not in key
    assert key["disabled"] is False


def test_fractions_of_a_second_are_allowed_in_an_expiry(api: Caller) -> None:
    body = {"name": "x", "expires_at": "2027-01-31T10:20:30.250Z"}
    assert api.post("/keys", body).json["data"]["expires_at"].startswith("2027-01-31T10:20:30")


def test_a_reseller_may_bring_its_own_secret(api: Caller, sandbox: Sandbox) -> None:
    secret = "r" * 32
    response = api.post("/keys", {"name": "x", "external": {"user": "end-user-9", "api_key": secret}})
    assert response.json["data"]["external_user"] == "end-user-9"
    assert response.json["key"] == secret
    assert Caller(sandbox, secret).get("/key").status_code == 200
    problem(api.post("/keys", {"name": "y", "external": {"user": "u", "api_key": secret}}), 400)
