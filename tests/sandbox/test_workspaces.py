"""`/workspaces`."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem


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


def test_a_workspace_takes_its_budgets_and_memberships_along(api: Caller) -> None:
    def make() -> str:
        return str(api.post("/workspaces", {"name": "x", "slug": "x"}).json["data"]["id"])

    person = api.data("/organization/members")[0]["id"]
    first = make()
    api.post("/workspaces/x/members/add", {"user_ids": [person]})
    api.put("/workspaces/x/budgets/daily", {"limit_usd": 1})
    assert api.delete(f"/workspaces/{first}").json == {"deleted": True}
    problem(api.get(f"/workspaces/{first}/budgets"), 404)
    problem(api.get(f"/workspaces/{first}/members"), 404)
    problem(api.delete(f"/workspaces/{first}"), 404)
    assert make() != first
    assert api.data("/workspaces/x/budgets") == []
    assert api.data("/workspaces/x/members") == []


def test_expired_keys_do_not_stand_in_the_way_of_deletion(api: Caller, sandbox: Sandbox) -> None:
    workspace = api.post("/workspaces", {"name": "x", "slug": "x"}).json["data"]["id"]
    api.post("/keys", {"name": "k", "workspace_id": workspace, "expires_at": "2026-11-18T13:00:00Z"})
    problem(api.delete("/workspaces/x"), 400)
    sandbox.advance(3600)
    assert api.delete("/workspaces/x").status_code == 200


def test_an_account_that_may_delete_its_default_workspace_has_to_say_so_twice() -> None:
    sandbox = Sandbox(Options(keys=3, workspaces=2, default_deletable=True), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    problem(api.delete("/workspaces/default"), 400)
    confirmed = "/workspaces/default?confirm_default_workspace_deletion=true"
    problem(api.delete(confirmed), 400)
    for key in sandbox.every_key():
        sandbox.outside.delete_key(key["hash"])
    assert api.delete(confirmed).json == {"deleted": True}
    problem(api.get("/keys"), 400)


@pytest.mark.parametrize(("fields", "kept"), [
    ({"description": "d"}, {"description": "d"}),
    ({"description": None}, {"description": None}),
    ({"default_text_model": "openai/gpt-5"}, {"default_text_model": "openai/gpt-5"}),
    ({"default_image_model": "a/b", "default_provider_sort": "exacto"}, {"default_image_model": "a/b"}),
    ({"is_observability_broadcast_enabled": True}, {"is_observability_broadcast_enabled": True}),
    ({"is_observability_io_logging_enabled": True}, {"is_observability_io_logging_enabled": True}),
    ({"io_logging_sampling_rate": 0.0001}, {"io_logging_sampling_rate": 0.0001}),
    ({"io_logging_api_key_ids": [7, 8]}, {"io_logging_api_key_ids": [7, 8]}),
    ({"is_data_discount_logging_enabled": True}, {"is_data_discount_logging_enabled": True}),
    ({"disabled_server_tools": ["openrouter:bash"]}, {"disabled_server_tools": ["openrouter:bash"]}),
    ({"disabled_server_tools": []}, {"disabled_server_tools": None}),
])  # fmt: skip
def test_every_field_can_be_changed_and_the_rest_stays(
    api: Caller, fields: dict[str, Any], kept: dict[str, Any]
) -> None:
    before = api.data("/workspaces/production")
    changed = api.patch("/workspaces/production", fields).json["data"]
    assert {name: changed[name] for name in kept} == kept
    for name in set(before) - set(fields) - {"updated_at"}:
        assert changed[name] == before[name]


@pytest.mark.parametrize("body", [
    {"disabled_server_tools": ["web_search"]}, {"io_logging_sampling_rate": 1.1},
    {"is_observability_broadcast_enabled": None}, {"slug": None}, {"io_logging_api_key_ids": [1.5]},
    {"include_byok_in_budgets": True},
])  # fmt: skip
def test_what_cannot_be_set_is_refused(api: Caller, body: dict[str, Any]) -> None:
    problem(api.patch("/workspaces/production", body), 400)
