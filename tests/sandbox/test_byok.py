"""`/byok`."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.wire.byok import PROVIDERS
from tests.sandbox.conftest import NOON, Caller, problem

SECRET = "sk-proj-0123456789abcdefAbCd"


@pytest.fixture
def bare() -> Caller:
    """An account with workspaces and no credentials."""
    sandbox = Sandbox(Options(keys=5, members=3, workspaces=3, credentials=0), now=lambda: NOON)
    return Caller(sandbox, sandbox.management_key)


def make(api: Caller, **fields: Any) -> dict[str, Any]:
    answer = api.post("/byok", {"provider": "openai", "key": SECRET, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json["data"])


def test_a_list_is_of_one_workspace_and_says_its_size(bare: Caller) -> None:
    places = [row["id"] for row in bare.data("/workspaces")]
    for number in range(3):
        make(bare, workspace_id=places[0], name=f"n{number}")
    make(bare, workspace_id=places[1])
    answer = bare.get("/byok", workspace_id=places[0], limit=2, offset=2).json
    assert (answer["total_count"], len(answer["data"])) == (3, 1)
    problem(bare.get("/byok", limit=101), 400)
    problem(bare.get("/byok", workspace_id="x"), 400)


def test_a_list_can_be_of_one_provider(bare: Caller) -> None:
    make(bare, provider="mistral")
    make(bare)
    assert [row["provider"] for row in bare.data("/byok", provider="mistral")] == ["mistral"]
    problem(bare.get("/byok", provider="nobody"), 400)


@pytest.mark.parametrize("everywhere", [True, False])
def test_those_of_all_workspaces_are_in_each_list_or_in_one(everywhere: bool) -> None:
    sandbox = Sandbox(Options(keys=5, workspaces=3, credentials=0), now=lambda: NOON)
    sandbox.account.credentials.listed_everywhere = everywhere
    made = sandbox.outside.create_credential(provider="xai", workspace_id=None)
    api = Caller(sandbox, sandbox.management_key)
    places = [row["id"] for row in api.data("/workspaces")]
    met = [[row["id"] for row in api.data("/byok", workspace_id=place)] for place in places]
    assert [made] in met
    assert met.count([made]) == (3 if everywhere else 1)
    assert api.data(f"/byok/{made}")["workspace_id"] is None


def test_the_providers_key_is_shown_by_no_call(bare: Caller) -> None:
    made = make(bare)
    assert made["label"] == "sk-...AbCd"
    for text in (bare.get("/byok").text, bare.get(f"/byok/{made['id']}").text):
        assert SECRET not in text


def test_a_key_that_is_json_or_short_shows_nothing(bare: Caller) -> None:
    assert make(bare, key='{"accessKeyId": "x", "secretAccessKey": "y"}')["label"] == "..."
    assert make(bare, key="short")["label"] == "..."


def test_what_is_left_out_has_its_default(bare: Caller) -> None:
    made = make(bare)
    default = bare.data("/workspaces/default")["id"]
    assert made["workspace_id"] == default
    assert (made["name"], made["disabled"], made["is_fallback"]) == (None, False, False)
    assert {made[name] for name in ("allowed_models", "allowed_api_key_hashes", "allowed_user_ids")} == {None}


def test_a_new_one_is_the_last_of_its_provider_in_its_workspace(bare: Caller) -> None:
    orders = [make(bare)["sort_order"], make(bare)["sort_order"], make(bare, provider="xai")["sort_order"]]
    assert orders == [0, 1, 0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "nobody"}, {"key": ""}, {"key": None}, {"key": 5}, {"name": "x" * 256},
        {"disabled": None},
        {"is_fallback": "yes"}, {"allowed_models": ["x"] * 101}, {"allowed_models": "x"},
        {"allowed_api_key_hashes": []}, {"allowed_api_key_hashes": ["X" * 64]},
        {"allowed_api_key_hashes": ["0" * 64]}, {"workspace_id": "x"}, {"declared_region": "mars"},
        {"is_fallback": True, "is_byok_only": True},
    ],
)  # fmt: skip
def test_what_it_refuses(bare: Caller, wrong: dict[str, Any]) -> None:
    problem(bare.post("/byok", {"provider": "openai", "key": SECRET, **wrong}), 400)
    assert bare.data("/byok") == []


@pytest.mark.parametrize("lacking", ["provider", "key"])
def test_what_it_needs(bare: Caller, lacking: str) -> None:
    body = {"provider": "openai", "key": SECRET}
    del body[lacking]
    assert lacking in problem(bare.post("/byok", body), 400)


def test_a_change_leaves_alone_what_it_does_not_name(bare: Caller) -> None:
    key = bare.data("/keys")[0]["hash"]
    made = make(bare, name="n", allowed_models=["m"])
    path = f"/byok/{made['id']}"
    changed = bare.patch(path, {"allowed_api_key_hashes": [key], "disabled": True}).json["data"]
    assert changed == {**made, "allowed_api_key_hashes": [key], "disabled": True}
    cleared = bare.patch(path, {"allowed_api_key_hashes": None, "allowed_models": None, "name": None})
    assert cleared.json["data"] == {**made, "disabled": True, "allowed_models": None, "name": None}
    problem(bare.patch(path, {}), 400)
    problem(bare.patch(path, {"provider": "xai", "workspace_id": None}), 400)
    problem(bare.patch(path, {"allowed_api_key_hashes": ["f" * 64]}), 400)


def test_a_key_is_rotated_in_place(bare: Caller) -> None:
    made = make(bare)
    rotated = bare.patch(f"/byok/{made['id']}", {"key": "sk-another-key-9876"}).json["data"]
    assert rotated == {**made, "label": "sk-...9876"}


def test_only_what_goes_together_is_taken_by_a_change(bare: Caller) -> None:
    path = f"/byok/{make(bare, is_fallback=True)['id']}"
    problem(bare.patch(path, {"is_byok_only": True}), 400)
    assert bare.patch(path, {"is_byok_only": True, "is_fallback": False}).status_code == 200


def test_what_is_deleted_is_gone(bare: Caller) -> None:
    path = f"/byok/{make(bare)['id']}"
    assert bare.delete(path).json == {"deleted": True}
    for answer in (bare.get(path), bare.patch(path, {"disabled": True}), bare.delete(path)):
        problem(answer, 404)


def test_credentials_go_with_their_workspace(bare: Caller) -> None:
    place = bare.post("/workspaces", {"name": "W", "slug": "w"}).json["data"]["id"]
    made = make(bare, workspace_id=place)
    bare.delete("/workspaces/w")
    problem(bare.get(f"/byok/{made['id']}"), 404)


def test_the_seeded_ones_are_of_every_kind(api: Caller, sandbox: Sandbox) -> None:
    rows = list(sandbox.account.credentials)
    assert {row.provider for row in rows} <= set(PROVIDERS)
    for name in ("disabled", "is_fallback", "allowed_models", "allowed_api_key_hashes", "allowed_user_ids"):
        assert any(getattr(row, name) for row in rows), name
    assert any(row.workspace_id is None for row in rows)
    assert any(row.name is None for row in rows)
