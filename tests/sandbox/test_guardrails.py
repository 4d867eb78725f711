"""`/guardrails`: what they may be made of, where they are filed, and the workspaces' default ones."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Sandbox
from tests.sandbox.conftest import Caller, problem

ZDR = ("anthropic", "openai", "google", "xai", "other")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def workspace(sandbox: Sandbox) -> str:
    """One that is not the default, whose default guardrail nobody has configured."""
    return sandbox.account.workspaces.get("research").id


@pytest.fixture
def default_guardrail(sandbox: Sandbox) -> str:
    """The id of that workspace's default guardrail."""
    return sandbox.account.workspaces.get("research").default_guardrail_id


def make(api: Caller, **fields: Any) -> dict[str, Any]:
    response = api.post("/guardrails", {"name": "G", **fields})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json["data"]
    return made


def change(api: Caller, guardrail: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = api.patch(f"/guardrails/{guardrail['id']}", fields)
    assert response.status_code == 200, response.text
    changed: dict[str, Any] = response.json["data"]
    return changed


def test_a_guardrail_is_made_with_what_it_is_given(api: Caller, workspace: str) -> None:
    given = {
        "description": "d", "workspace_id": workspace, "limit_usd": 12.5, "reset_interval": "weekly",
        "include_byok_in_budgets": True, "ignored_providers": ["azure", "xai"], "enforce_zdr_openai": True,
        "enforce_zdr_xai": False, "enable_free_model_training": False, "allowed_data_regions": ["europe"],
        "allow_safety_retention_google": False,
    }  # fmt: skip
    made = make(api, **given)
    assert {name: made[name] for name in given} == given
    assert (made["name"], made["updated_at"]) == ("G", None)
    assert api.data(f"/guardrails/{made['id']}") == made
    assert api.data(f"/guardrails/{made['id'].upper()}") == made


def test_what_is_not_given_says_nothing(api: Caller, default_workspace: str) -> None:
    made = make(api)
    assert made.pop("workspace_id") == default_workspace
    assert made.pop("include_byok_in_budgets") is False
    for name in ("id", "name", "created_at"):
        assert made.pop(name)
    assert set(made.values()) == {None}


def test_equal_names_are_two_guardrails(api: Caller) -> None:
    assert make(api)["id"] != make(api)["id"]


@pytest.mark.parametrize("fields", [
    {"name": ""}, {"name": "x" * 201}, {"name": None}, {"name": 1}, {"description": "x" * 1001},
    {"workspace_id": "production"}, {"workspace_id": NOBODY}, {"workspace_id": None},
    {"include_byok_in_budgets": None}, {"enforce_zdr_openai": "yes"}, {"enable_paid_model_training": 1},
    {"allowed_models": []}, {"ignored_models": []}, {"allowed_providers": []}, {"ignored_providers": []},
    {"allowed_data_regions": []}, {"allowed_data_regions": ["mars"]}, {"allowed_models": "openai/gpt-5.2"},
    {"allowed_models": ["openai/gpt-9"]}, {"allowed_models": [""]}, {"ignored_models": [None]},
    {"allowed_providers": ["OpenAI"]}, {"ignored_providers": ["nobody"]},
])  # fmt: skip
def test_a_wrong_guardrail_is_refused(api: Caller, fields: dict[str, Any]) -> None:
    before = api.get("/guardrails").json
    problem(api.post("/guardrails", {"name": "G", **fields}), 400)
    assert api.get("/guardrails").json == before


def test_a_guardrail_has_a_name(api: Caller) -> None:
    problem(api.post("/guardrails", {"description": "x"}), 400)


def test_the_longest_words_are_taken(api: Caller) -> None:
    made = make(api, name="n" * 200, description="d" * 1000)
    assert (len(made["name"]), len(made["description"])) == (200, 1000)


@pytest.mark.parametrize("budget", [
    {"limit_usd": 5}, {"reset_interval": "daily"}, {"limit_usd": 5, "reset_interval": None},
    {"limit_usd": None, "reset_interval": "daily"}, {"limit_usd": None}, {"reset_interval": None},
    {"limit_usd": 0, "reset_interval": "daily"}, {"limit_usd": -1, "reset_interval": "daily"},
    {"limit_usd": "5", "reset_interval": "daily"}, {"limit_usd": 5, "reset_interval": "lifetime"},
    {"limit_usd": 5, "reset_interval": "yearly"},
])  # fmt: skip
def test_half_a_budget_and_a_wrong_one_are_refused_always(api: Caller, budget: dict[str, Any]) -> None:
    made = make(api, limit_usd=9, reset_interval="monthly")
    problem(api.post("/guardrails", {"name": "x", **budget}), 400)
    problem(api.patch(f"/guardrails/{made['id']}", budget), 400)
    assert api.data(f"/guardrails/{made['id']}") == made


def test_a_budget_is_set_and_cleared_whole(api: Caller) -> None:
    made = make(api)
    changed = change(api, made, limit_usd=0.5, reset_interval="daily")
    assert (changed["limit_usd"], changed["reset_interval"]) == (0.5, "daily")
    changed = change(api, made, limit_usd=None, reset_interval=None)
    assert (changed["limit_usd"], changed["reset_interval"]) == (None, None)


def test_models_are_answered_by_their_canonical_slugs_each_once(api: Caller) -> None:
    asked = ["openai/gpt-5.2", "openai/gpt-5.2-20251211", "upstage/solar-pro-3:free"]
    made = make(api, allowed_models=asked, ignored_models=["z-ai/glm-4.7"])
    assert made["allowed_models"] == ["openai/gpt-5.2-20251211", "upstage/solar-pro-3:free"]
    assert made["ignored_models"] == ["z-ai/glm-4.7-20251222"]
    assert (
        change(api, made, allowed_models=made["allowed_models"])["allowed_models"] == made["allowed_models"]
    )


def test_models_that_have_left_the_catalog_and_aliases_are_models_still(
    api: Caller, sandbox: Sandbox
) -> None:
    alias = next(row for row in api.data("/models") if row["id"].startswith("~"))
    sandbox.outside.change_model("openai/gpt-5.2", listed=False)
    assert "openai/gpt-5.2" not in {row["id"] for row in api.data("/models")}
    made = make(api, ignored_models=["openai/gpt-5.2", alias["id"]], ignored_providers=["siliconflow"])
    assert made["ignored_models"] == ["openai/gpt-5.2-20251211", alias["canonical_slug"]]


def test_every_model_of_the_catalog_can_be_allowed(api: Caller) -> None:
    rows = api.data("/models", output_modalities="all")
    for name in ("id", "canonical_slug"):
        made = make(api, allowed_models=[row[name] for row in rows])
        plain = {slug.partition(":")[0] for slug in made["allowed_models"]}
        assert plain == {row["canonical_slug"] for row in rows}


def test_the_old_switch_is_copied_into_what_was_not_sent(api: Caller) -> None:
    made = make(api, enforce_zdr=True, enforce_zdr_xai=False, enforce_zdr_google=None)
    switches = {group: made[f"enforce_zdr_{group}"] for group in ZDR}
    assert switches == {"anthropic": True, "openai": True, "google": None, "xai": False, "other": True}
    changed = change(api, made, enforce_zdr=None, enforce_zdr_other=True)
    assert [changed[f"enforce_zdr_{group}"] for group in ZDR] == [None, None, None, None, True]
    assert changed["enforce_zdr"] is None


@pytest.mark.parametrize("name", [
    *(f"enforce_zdr_{group}" for group in ZDR), "enable_paid_model_training", "enable_free_model_training",
    "enable_free_model_publication", "allow_safety_retention_google", "allow_safety_retention_other",
])  # fmt: skip
def test_a_switch_is_on_off_or_silent(api: Caller, name: str) -> None:
    made = make(api)
    for value in (True, False, None):
        assert change(api, made, **{name: value})[name] is value


def test_a_change_leaves_alone_what_it_does_not_name_and_clears_with_null(api: Caller) -> None:
    made = make(api, description="d", allowed_providers=["openai"], enforce_zdr_openai=True)
    changed = change(api, made, name="H", allowed_providers=None)
    assert changed.pop("updated_at") is not None
    assert changed == {
        **{name: value for name, value in made.items() if name != "updated_at"},
        "name": "H",
        "allowed_providers": None,
    }


def test_lists_are_replaced_whole(api: Caller) -> None:
    made = make(api, allowed_providers=["openai", "azure"])
    assert change(api, made, allowed_providers=["xai"])["allowed_providers"] == ["xai"]


@pytest.mark.parametrize("body", [
    {}, {"colour": 1}, {"workspace_id": NOBODY}, {"name": None}, {"name": ""}, {"allowed_models": []},
    {"include_byok_in_budgets": None}, {"content_filters": [{"pattern": "(", "action": "block"}]}, [], None,
])  # fmt: skip
def test_a_wrong_change_is_refused(api: Caller, body: Any) -> None:
    made = make(api)
    problem(api.patch(f"/guardrails/{made['id']}", body), 400)
    assert api.data(f"/guardrails/{made['id']}") == made


def test_a_change_of_nothing_says_so(api: Caller) -> None:
    message = problem(api.patch(f"/guardrails/{make(api)['id']}", {"colour": 1}), 400)
    assert message == "No update fields provided"


@pytest.mark.parametrize("guardrail", [NOBODY, "nope", "assignments"])
def test_an_unknown_guardrail_is_not_found(api: Caller, guardrail: str) -> None:
    problem(api.get(f"/guardrails/{guardrail}"), 404)
    problem(api.patch(f"/guardrails/{guardrail}", {"name": "x"}), 404)
    problem(api.delete(f"/guardrails/{guardrail}"), 404)


def test_a_guardrail_is_deleted_once(api: Caller) -> None:
    made = make(api)
    assert api.delete(f"/guardrails/{made['id']}").json == {"deleted": True}
    problem(api.get(f"/guardrails/{made['id']}"), 404)
    problem(api.delete(f"/guardrails/{made['id']}"), 404)


# Lists.


def test_a_list_is_of_one_workspace_the_default_one_unless_named(
    api: Caller, workspace: str, default_workspace: str
) -> None:
    made = make(api, workspace_id=workspace)
    unnamed = api.get("/guardrails").json
    assert unnamed == api.get("/guardrails", workspace_id=default_workspace).json
    assert {row["workspace_id"] for row in unnamed["data"]} == {default_workspace}
    named = api.get("/guardrails", workspace_id=workspace).json
    assert made in named["data"]
    assert named["total_count"] == len(named["data"]) < 12


def test_a_list_is_walked_by_offset_and_limit(api: Caller) -> None:
    for number in range(60):
        make(api, name=f"n{number}")
    first = api.get("/guardrails").json
    assert len(first["data"]) == 50
    second = api.get("/guardrails", offset=50, limit=100).json
    assert first["total_count"] == second["total_count"] == 50 + len(second["data"])
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}
    assert api.get("/guardrails", offset=1000).json["data"] == []


@pytest.mark.parametrize("path", ["/guardrails", "/guardrails/assignments/keys"])
@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "x"}])
def test_a_wrong_window_is_refused(api: Caller, path: str, query: dict[str, Any]) -> None:
    problem(api.get(path, **query), 400)


@pytest.mark.parametrize("workspace_id", ["default", NOBODY, ""])
def test_a_list_of_no_workspace_is_refused(api: Caller, workspace_id: str) -> None:
    problem(api.get("/guardrails", workspace_id=workspace_id), 400)


def test_without_a_default_workspace_it_has_to_be_named(
    api: Caller, sandbox: Sandbox, workspace: str
) -> None:
    sandbox.outside.delete_workspace("default")
    problem(api.get("/guardrails"), 400)
    problem(api.post("/guardrails", {"name": "x"}), 400)
    assert make(api, workspace_id=workspace)


# The guardrail that governs a workspace.


def test_a_default_guardrail_is_not_there_until_it_is_first_changed(
    api: Caller, workspace: str, default_guardrail: str
) -> None:
    before = api.get("/guardrails", workspace_id=workspace).json["total_count"]
    problem(api.get(f"/guardrails/{default_guardrail}"), 404)
    problem(api.patch(f"/guardrails/{default_guardrail}", {}), 400)
    problem(api.patch(f"/guardrails/{default_guardrail}", {"allowed_models": []}), 400)
    problem(api.get(f"/guardrails/{default_guardrail}"), 404)
    made = api.patch(f"/guardrails/{default_guardrail}", {"enforce_zdr_openai": True}).json["data"]
    assert (made["id"], made["workspace_id"]) == (default_guardrail, workspace)
    assert made["name"] == f"Workspace {workspace} Default"
    assert (made["enforce_zdr_openai"], made["updated_at"]) == (True, None)
    assert api.data(f"/guardrails/{default_guardrail}") == made
    listed = api.get("/guardrails", workspace_id=workspace).json
    assert listed["total_count"] == before + 1
    assert made in listed["data"]


def test_a_default_guardrail_keeps_its_name(api: Caller, workspace: str, default_guardrail: str) -> None:
    path = f"/guardrails/{default_guardrail}"
    name = f"Workspace {workspace} Default"
    problem(api.patch(path, {"name": "Mine"}), 400)
    problem(api.get(path), 404)
    assert api.patch(path, {"name": name, "description": "x"}).json["data"]["name"] == name
    problem(api.patch(path, {"name": "Mine"}), 400)
    changed = api.patch(path, {"description": None}).json["data"]
    assert (changed["description"], changed["updated_at"]) == (None, changed["created_at"])


def test_a_default_guardrail_is_neither_deleted_nor_assigned(
    api: Caller, sandbox: Sandbox, default_guardrail: str
) -> None:
    path = f"/guardrails/{default_guardrail}"
    api.patch(path, {"description": "x"})
    problem(api.delete(path), 403)
    problem(api.post(f"{path}/assignments/keys", {"key_hashes": [sandbox.every_key()[0]["hash"]]}), 400)
    assert api.get(path).status_code == 200


def test_a_workspace_takes_its_guardrails_with_it(api: Caller, sandbox: Sandbox) -> None:
    workspace = api.post("/workspaces", {"name": "x", "slug": "x"}).json["data"]
    default = f"/guardrails/{workspace['default_guardrail_id']}"
    api.patch(default, {"description": "x"})
    made = make(api, workspace_id=workspace["id"])
    key = sandbox.every_key()[0]["hash"]
    api.post(f"/guardrails/{made['id']}/assignments/keys", {"key_hashes": [key]})
    assert api.delete("/workspaces/x").status_code == 200
    problem(api.get(f"/guardrails/{made['id']}"), 404)
    problem(api.patch(default, {"description": "y"}), 404)
    assert key not in {row["key_hash"] for row in api.data("/guardrails/assignments/keys", limit=100)}


def test_a_key_that_moves_takes_its_guardrail_along(api: Caller, sandbox: Sandbox, workspace: str) -> None:
    key = sandbox.outside.create_key(name="mover")
    guardrail = make(api)["id"]
    api.post(f"/guardrails/{guardrail}/assignments/keys", {"key_hashes": [key]})
    assert api.patch(f"/keys/{key}", {"workspace_id": workspace}).status_code == 200
    assert [row["key_hash"] for row in api.data(f"/guardrails/{guardrail}/assignments/keys")] == [key]
