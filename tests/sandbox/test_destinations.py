"""`/observability/destinations`: what they may be made of, their secrets, and how many there may be."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Sandbox
from orgadmin.sandbox.wire.destination_fields import KINDS
from tests.sandbox.conftest import Caller, problem

PATH = "/observability/destinations"
NOBODY = "00000000-0000-4000-8000-000000000000"
SECRET = "sk-lf-0123456789abcdefAbCd"
CONFIG = {"secretKey": SECRET, "publicKey": "pk-lf-0123456789EfGh"}
RULES = {"groups": [{"rules": [{"field": "model", "operator": "equals", "value": "openai/gpt-5.2"}]}]}


@pytest.fixture
def workspace(sandbox: Sandbox) -> str:
    return sandbox.account.workspaces.get("research").id


def body(**fields: Any) -> dict[str, Any]:
    return {"type": "langfuse", "name": "D", "config": CONFIG, **fields}


def make(api: Caller, **fields: Any) -> dict[str, Any]:
    response = api.post(PATH, body(**fields))
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json["data"]
    return made


def change(api: Caller, made: dict[str, Any], **fields: Any) -> dict[str, Any]:
    response = api.patch(f"{PATH}/{made['id']}", fields)
    assert response.status_code == 200, response.text
    changed: dict[str, Any] = response.json["data"]
    return changed


def test_one_is_made_with_what_it_is_given(api: Caller, sandbox: Sandbox, workspace: str) -> None:
    key = sandbox.every_key()[0]["hash"]
    given = {
        "workspace_id": workspace, "enabled": False, "privacy_mode": True, "sampling_rate": 0.25,
        "api_key_hashes": [key], "broadcast_generation_cost": True, "broadcast_generation_identity": True,
        "broadcast_generation_request_context": True, "broadcast_generation_cost_allocation": True,
    }  # fmt: skip
    made = make(api, **given, regions=["eu", "us"], filter_rules=RULES)
    assert {name: made[name] for name in given} == given
    assert made["regions"] == ["europe", "us"]
    assert made["filter_rules"] == {
        "enabled": True,
        "groups": [{"logic": "and", **RULES["groups"][0]}],
    }
    assert api.data(f"{PATH}/{made['id'].upper()}") == made


def test_what_is_not_given_is_the_default(api: Caller, default_workspace: str) -> None:
    made = make(api)
    assert (made["workspace_id"], made["enabled"], made["privacy_mode"]) == (default_workspace, True, False)
    assert (made["sampling_rate"], made["api_key_hashes"], made["filter_rules"]) == (1, None, None)
    assert made["regions"] == ["global"]
    assert made["config"]["baseUrl"] == "https://us.cloud.langfuse.com"


def test_secrets_are_answered_as_masks_and_kept_nowhere(api: Caller, sandbox: Sandbox) -> None:
    made = make(api, config={**CONFIG, "headers": {"X-Token": "Bearer 0123456789"}})
    assert made["config"] == {
        "secretKey": "sk-l...AbCd",
        "publicKey": "pk-l...EfGh",
        "baseUrl": "https://us.cloud.langfuse.com",
        "headers": {"X-Token": "Bear...6789"},
    }
    assert SECRET not in repr(sandbox.account.destinations.get(made["id"]))


def test_a_config_is_merged_key_by_key_and_masks_change_nothing(api: Caller) -> None:
    made = make(api, config={**CONFIG, "headers": {"A": "0123456789abcdef", "B": "b"}})
    changed = change(
        api,
        made,
        config={
            "secretKey": made["config"]["secretKey"],
            "baseUrl": "https://eu.example",
            "headers": {"A": made["config"]["headers"]["A"], "C": "c"},
        },
    )
    assert changed["config"] == {
        **made["config"],
        "baseUrl": "https://eu.example",
        "headers": {"A": "0123...cdef", "C": "..."},
    }
    assert change(api, made, config={"secretKey": "sk-lf-another-secret-ZyXw"})["config"]["secretKey"] == (
        "sk-l...ZyXw"
    )


def test_a_mask_that_was_touched_is_kept_as_garbage(api: Caller) -> None:
    made = make(api)
    assert change(api, made, config={"secretKey": "sk-l...AbCdE"})["config"]["secretKey"] == "sk-l...bCdE"


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_says_what_it_needs(api: Caller, kind: str) -> None:
    spec = KINDS[kind]
    right = dict.fromkeys(spec.needed, "x-0123456789-y")
    right |= {"dsn": "https://0123456789@o1.ingest.example/42"} if "dsn" in right else {}
    for name in spec.needed:
        without = {key: value for key, value in right.items() if key != name}
        assert name in problem(api.post(PATH, body(type=kind, config=without)), 400)
        problem(api.post(PATH, body(type=kind, config={**right, name: ""})), 400)
        problem(api.post(PATH, body(type=kind, config={**right, name: 5})), 400)
    made = make(api, type=kind, config=right)
    assert made["config"].keys() == {*spec.needed, *spec.given}
    for name in spec.secret & right.keys():
        assert "..." in made["config"][name]
    problem(api.patch(f"{PATH}/{made['id']}", {"config": {"headers": {"x": 1}}}), 400)


@pytest.mark.parametrize("fields", [
    {"type": "bigquery"}, {"type": None}, {"name": None}, {"name": 5}, {"config": None}, {"config": []},
    {"workspace_id": "production"}, {"workspace_id": NOBODY}, {"enabled": None}, {"privacy_mode": "yes"},
    {"sampling_rate": 0}, {"sampling_rate": 0.00001}, {"sampling_rate": 1.01}, {"sampling_rate": "1"},
    {"api_key_hashes": []}, {"api_key_hashes": [5]}, {"regions": []}, {"regions": ["mars"]},
    {"broadcast_generation_cost": None}, {"filter_rules": {}}, {"filter_rules": {"groups": [{}]}},
    {"filter_rules": {"groups": [{"logic": "xor", "rules": []}]}},
    {"filter_rules": {"groups": [{"rules": [{"field": "colour", "operator": "equals"}]}]}},
    {"filter_rules": {"groups": [{"rules": [{"field": "model", "operator": "like"}]}]}},
    {"filter_rules": {"groups": [{"rules": [{"field": "model", "operator": "equals", "value": True}]}]}},
    {"type": "sentry", "config": {"otlpEndpoint": "x", "dsn": "not a dsn"}},
    {"type": "snowflake", "config": {"token": "x", "account": "a b"}},
    {"type": "newrelic", "config": {"licenseKey": "x", "region": "mars"}},
    {"type": "webhook", "config": {"url": "x", "method": "GET"}},
    {
        "type": "s3",
        "config": {"bucketName": "b", "accessKeyId": "a", "secretAccessKey": "s", "endpoint": "x"},
    },
])  # fmt: skip
def test_a_wrong_one_is_refused(api: Caller, fields: dict[str, Any]) -> None:
    before = api.get(PATH).json
    problem(api.post(PATH, body(**fields)), 400)
    assert api.get(PATH).json == before


@pytest.mark.parametrize("missing", ["type", "name", "config"])
def test_what_every_one_has(api: Caller, missing: str) -> None:
    problem(api.post(PATH, {name: value for name, value in body().items() if name != missing}), 400)


def test_five_of_a_type_in_a_workspace_are_the_most(api: Caller, workspace: str) -> None:
    for number in range(5):
        make(api, name=f"D{number}", workspace_id=workspace)
    message = problem(api.post(PATH, body(name="D5", workspace_id=workspace)), 409)
    assert "at most 5" in message
    assert make(api, name="D5")["name"] == "D5", "another workspace"
    make(api, type="posthog", config={"apiKey": "x"}, workspace_id=workspace)


def test_two_of_a_type_have_not_one_name(api: Caller) -> None:
    made = make(api)
    problem(api.post(PATH, body()), 409)
    other = make(api, name="E")
    problem(api.patch(f"{PATH}/{other['id']}", {"name": "D"}), 409)
    assert change(api, made, name="D")["name"] == "D"


def test_type_and_workspace_are_fixed_and_a_change_of_nothing_is_refused(api: Caller, workspace: str) -> None:
    made = make(api)
    problem(api.patch(f"{PATH}/{made['id']}", {"type": "posthog", "workspace_id": workspace}), 400)
    changed = change(api, made, workspace_id=workspace, api_key_hashes=None, filter_rules=None)
    assert changed["workspace_id"] == made["workspace_id"]


def test_it_is_deleted_once(api: Caller) -> None:
    made = make(api)
    assert api.delete(f"{PATH}/{made['id']}").json == {"deleted": True}
    for method in ("GET", "DELETE"):
        problem(api(method, f"{PATH}/{made['id']}"), 404)
    problem(api.patch(f"{PATH}/{made['id']}", {"name": "x"}), 404)


def test_types_that_are_not_documented_are_in_no_list(api: Caller, sandbox: Sandbox) -> None:
    outside = sandbox.outside
    hidden = outside.create_destination(kind="bigquery", name="H", config={"table": "t"}, hidden=True)
    shown = outside.create_destination(kind="raindrop", name="R", config={"write_key": "w...w", "lanes": 3})
    assert shown in {row["id"] for row in api.data(PATH)}
    problem(api.get(f"{PATH}/{hidden}"), 404)
    changed = change(api, {"id": shown}, config={"write_key": "w...w", "lanes": 4})
    assert changed["config"] == {"write_key": "w...w", "lanes": 4}
    outside.update_destination(shown, enabled=False, config={"lanes": 5})
    assert (sandbox.destination(shown)["enabled"], sandbox.destination(shown)["config"]["lanes"]) == (
        False,
        5,
    )
    outside.delete_destination(shown)
    problem(api.get(f"{PATH}/{shown}"), 404)


def test_the_end_of_a_workspace_switches_its_destinations_off(api: Caller, sandbox: Sandbox) -> None:
    workspace = sandbox.account.workspaces.get("research").id
    made = make(api, workspace_id=workspace)
    sandbox.outside.delete_workspace(workspace)
    assert api.data(f"{PATH}/{made['id']}")["enabled"] is False
    problem(api.get(PATH, workspace_id=workspace), 400)


def test_the_seeded_ones_are_of_several_workspaces_and_types(api: Caller, sandbox: Sandbox) -> None:
    rows = [row for place in sandbox.account.workspaces for row in api.data(PATH, workspace_id=place.id)]
    assert len(rows) == len(sandbox.account.destinations) == 6
    assert len({row["type"] for row in rows}) >= 4
    assert len({row["workspace_id"] for row in rows}) >= 3
    assert any(row["api_key_hashes"] for row in rows)
    assert any(row["filter_rules"] for row in rows)
    for row in rows:
        assert all("..." in row["config"][name] for name in KINDS[row["type"]].secret & row["config"].keys())
        assert all("..." in value for value in row["config"].get("headers", {}).values())
