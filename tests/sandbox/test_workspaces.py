"""`/workspaces`."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Sandbox
from tests.sandbox.conftest import Caller, problem


def test_a_workspace_is_found_by_id_and_by_slug(api: Caller, default_workspace: str) -> None:
    assert api.data("/workspaces/default") == api.data(f"/workspaces/{default_workspace}")
    assert api.data("/workspaces/default")["name"] == "Default"


def test_nothing_says_which_is_the_default(api: Caller, default_workspace: str) -> None:
    rows = api.data("/workspaces")
    assert rows[0]["id"] != default_workspace
    assert default_workspace in {row["id"] for row in rows}
    assert not any("is_default" in name for name in rows[0])


@pytest.mark.parametrize("name", ["nope", "00000000-0000-4000-8000-000000000000", "DEFAULT"])
def test_an_unknown_workspace_is_not_found(api: Caller, name: str) -> None:
    problem(api.get(f"/workspaces/{name}"), 404)


def test_a_workspace_is_made_changed_and_deleted(api: Caller) -> None:
    response = api.post("/workspaces", {"name": "New", "slug": "new-one", "description": None})
    assert response.status_code == 201
    made = response.json["data"]
    assert (made["updated_at"], made["io_logging_sampling_rate"]) == (None, 1)
    changed = api.patch("/workspaces/new-one", {"slug": "newer", "default_provider_sort": "price"}).json[
        "data"
    ]
    assert (changed["slug"], changed["default_provider_sort"], changed["id"]) == (
        "newer",
        "price",
        made["id"],
    )
    assert changed["updated_at"] is not None
    assert api.delete(f"/workspaces/{made['id']}").json == {"deleted": True}
    problem(api.get("/workspaces/newer"), 404)


@pytest.mark.parametrize("body", [
    {}, {"name": "x"}, {"slug": "x"}, {"name": "", "slug": "x"}, {"name": "x" * 101, "slug": "x"},
    {"name": "x", "slug": "Upper"}, {"name": "x", "slug": "a--b"}, {"name": "x", "slug": "x" * 51},
    {"name": "x", "slug": "default"}, {"name": "x", "slug": "x", "description": "y" * 501},
    {"name": "x", "slug": "x", "io_logging_sampling_rate": 0},
    {"name": "x", "slug": "x", "default_provider_sort": "?"},
    {"name": "x", "slug": "x", "io_logging_api_key_ids": ["1"]}, {"name": None, "slug": "x"},
])  # fmt: skip
def test_a_wrong_workspace_is_refused(api: Caller, body: dict[str, Any]) -> None:
    before = api.data("/workspaces")
    problem(api.post("/workspaces", body), 400)
    assert api.data("/workspaces") == before


@pytest.mark.parametrize("body", [{}, {"colour": 1}, {"slug": "production"}, {"name": None}])
def test_a_wrong_change_is_refused(api: Caller, body: dict[str, Any]) -> None:
    problem(api.patch("/workspaces/default", body), 400)


def test_active_keys_and_the_default_stand_in_the_way_of_deletion(api: Caller, sandbox: Sandbox) -> None:
    problem(api.delete("/workspaces/default"), 403)
    workspace = api.post("/workspaces", {"name": "x", "slug": "x"}).json["data"]["id"]
    key = api.post("/keys", {"name": "k", "workspace_id": workspace}).json["data"]["hash"]
    problem(api.delete("/workspaces/x"), 400)
    api.patch(f"/keys/{key}", {"disabled": True})
    assert api.delete("/workspaces/x").status_code == 200
    problem(api.get(f"/keys/{key}"), 404)


def test_without_a_default_workspace_it_has_to_be_named(api: Caller, sandbox: Sandbox) -> None:
    there = next(row["id"] for row in api.data("/workspaces") if row["slug"] != "default")
    sandbox.outside.delete_workspace("default")
    problem(api.get("/keys"), 400)
    problem(api.post("/keys", {"name": "x"}), 400)
    assert api.get("/keys", workspace_id=there).status_code == 200
