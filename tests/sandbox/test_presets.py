"""`/presets`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem

KINDS = ("chat/completions", "messages", "responses")


@pytest.fixture
def key(sandbox: Sandbox) -> Caller:
    """An ordinary key of the default workspace."""
    return Caller(sandbox, sandbox.inference_key)


def of_workspace(sandbox: Sandbox, api: Caller, slug: str) -> Caller:
    workspace = api.data(f"/workspaces/{slug}")["id"]
    return Caller(sandbox, api.post("/keys", {"name": "x", "workspace_id": workspace}).json["key"])


def live(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["designated_version"]


def test_a_key_sees_the_presets_of_its_workspace_newest_first(
    sandbox: Sandbox, api: Caller, key: Caller, default_workspace: str
) -> None:
    rows = key.data("/presets")
    assert [row["slug"] for row in rows] == ["old-greeting", "summaries", "support-bot"]
    assert {row["workspace_id"] for row in rows} == {default_workspace}
    others = of_workspace(sandbox, api, "production").data("/presets")
    assert {row["slug"] for row in others} == {"support-bot", "extractor"}
    assert not {row["id"] for row in rows} & {row["id"] for row in others}
    problem(key.get("/presets/extractor"), 404)


def test_a_management_key_is_refused_unless_the_account_lets_it(
    sandbox: Sandbox, api: Caller, default_workspace: str
) -> None:
    assert not problem(api.get("/presets"), 403).startswith("Only management keys")
    sandbox.account.presets_for_managers = 401
    problem(api.get("/presets"), 401)
    sandbox.account.presets_for_managers = 200
    assert {row["workspace_id"] for row in api.data("/presets")} == {default_workspace}


def test_lists_are_paged(key: Caller) -> None:
    page = key.get("/presets", offset=1, limit=1).json
    assert ([row["slug"] for row in page["data"]], page["total_count"]) == (["summaries"], 3)
    page = key.get("/presets/support-bot/versions", offset=1, limit=5).json
    assert ([row["version"] for row in page["data"]], page["total_count"]) == ([2, 3], 3)
    problem(key.get("/presets", limit=101), 400)


def test_a_preset_shows_the_version_that_is_served(sandbox: Sandbox, api: Caller, key: Caller) -> None:
    row = key.data("/presets/support-bot")
    assert row["designated_version"] == key.data("/presets/support-bot/versions/3")
    assert row["designated_version"]["id"] == row["designated_version_id"]
    held_back = of_workspace(sandbox, api, "production").data("/presets/support-bot")
    assert held_back["designated_version"]["version"] == 1


@pytest.mark.parametrize("number", ["0", "4", "x", "1.0", "-1", "99999999999"])
def test_a_version_there_is_not_is_not_found(key: Caller, number: str) -> None:
    problem(key.get(f"/presets/support-bot/versions/{number}"), 404)


@pytest.mark.parametrize(("kind", "body"), [
    ("chat/completions", {"messages": [{"role": "system", "content": "Be kind."}]}),
    ("chat/completions", {"messages": [{"role": "system", "content": [{"text": "Be kind."}]}]}),
    ("messages", {"model": "m/x", "messages": [{"role": "user", "content": "hi"}], "system": "Be kind."}),
    ("messages", {"model": "m/x", "messages": None, "system": [{"type": "text", "text": "Be kind."}]}),
    ("responses", {"instructions": "Be kind.", "input": "hi", "prompt": {"id": "x"}}),
])  # fmt: skip
def test_each_kind_gives_its_prompt_and_keeps_what_presets_have(
    key: Caller, kind: str, body: dict[str, Any]
) -> None:
    more = {"model": "m/x", "temperature": 0.25, "stream": True, "user": "u", "top_p": None, "novelty": 1}
    made = live(key.post(f"/presets/new-one/{kind}", {**body, **more}))
    assert made["system_prompt"] == "Be kind."
    assert made["config"] == {"model": "m/x", "temperature": 0.25}
    assert made["version"] == 1
    assert key.data("/presets")[0]["slug"] == "new-one"


def test_a_known_slug_makes_a_version_that_is_served_at_once(key: Caller) -> None:
    before = key.data("/presets/support-bot")
    made = key.post("/presets/support-bot/responses", {"model": "m/y"}).json["data"]
    assert (made["id"], made["designated_version"]["version"]) == (before["id"], 4)
    assert made["designated_version"]["system_prompt"] is None
    assert key.data("/presets/support-bot") == made
    assert made["name"] == before["name"]


@pytest.mark.parametrize(("kind", "body"), [
    ("chat/completions", {}), ("chat/completions", {"messages": []}), ("chat/completions", {"messages": "x"}),
    ("messages", {"messages": []}), ("messages", {"model": "m"}), ("responses", {"model": 1}),
    ("responses", {"temperature": "hot"}), ("responses", {"temperature": 3}), ("responses", {"tools": {}}),
    ("responses", {"instructions": 5}), ("responses", []), ("responses", {"provider": "x"}),
])  # fmt: skip
def test_a_wrong_body_is_refused_and_makes_nothing(key: Caller, kind: str, body: Any) -> None:
    problem(key.post(f"/presets/support-bot/{kind}", body), 400)
    assert key.data("/presets/support-bot")["designated_version"]["version"] == 3


def test_a_slug_with_other_letters_is_refused(key: Caller) -> None:
    problem(key.post("/presets/ä ö/responses", {}), 400)


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_nothing_takes_a_preset_back(key: Caller, method: str) -> None:
    assert key(method, "/presets/support-bot").status_code == 405


def test_what_the_web_page_does(sandbox: Sandbox, key: Caller) -> None:
    preset = key.data("/presets/support-bot")["id"]
    outside = sandbox.outside
    outside.designate_preset_version(preset, 1)
    assert key.data("/presets/support-bot")["designated_version"]["version"] == 1
    outside.create_preset_version("support-bot", config={"model": "m/z"}, designate=False)
    row = key.data("/presets/support-bot")
    assert row["designated_version"]["version"] == 1
    assert key.get("/presets/support-bot/versions").json["total_count"] == 4
    outside.update_preset(preset, status="disabled", description="Off")
    row = key.data("/presets/support-bot")
    assert (row["status"], row["description"]) == ("disabled", "Off")
    assert row["status_updated_at"] is not None
    outside.designate_preset_version(preset, None)
    assert key.data("/presets/support-bot")["designated_version"] is None
    outside.delete_preset(preset)
    problem(key.get("/presets/support-bot"), 404)


def test_presets_go_with_their_workspace(sandbox: Sandbox, api: Caller) -> None:
    sandbox.outside.delete_workspace(api.data("/workspaces/production")["id"])
    assert len(list(sandbox.account.presets)) == 4


def test_presets_survive_the_process(tmp_path: Path) -> None:
    options = Options(keys=2, workspaces=3, state=tmp_path / "state.json")
    sandbox = Sandbox(options, now=lambda: NOON)
    key = Caller(sandbox, sandbox.inference_key)
    key.post("/presets/support-bot/responses", {"model": "m/y", "tools": [{"$": "x", "a": 0.1}]})
    key.post("/presets/new-one/responses", {"instructions": "Be kind."})
    again = Caller(Sandbox(options, now=lambda: NOON), sandbox.inference_key)
    assert again.get("/presets").json == key.get("/presets").json
    for path in ("/presets/support-bot", "/presets/support-bot/versions", "/presets/new-one"):
        assert again.data(path) == key.data(path)
    assert (
        Caller(Sandbox(replace(options, state=None, presets=False)), sandbox.inference_key).data("/presets")
        == []
    )
