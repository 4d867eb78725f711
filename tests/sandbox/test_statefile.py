"""The state file: what was acknowledged survives, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.statefile import write_whole
from tests.sandbox.conftest import NOON, Caller


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(keys=20, members=4, workspaces=3, state=tmp_path / "deep" / "state.json")


def opened(options: Options) -> tuple[Sandbox, Caller]:
    sandbox = Sandbox(options, now=lambda: NOON)
    return sandbox, Caller(sandbox, sandbox.management_key)


def test_everything_is_as_it_was_left(options: Options) -> None:
    sandbox, api = opened(options)
    rows = sandbox.every_key()
    api.post(
        "/keys", {"name": "new", "limit": 0.1, "limit_reset": "daily", "expires_at": "2027-01-01T00:00:00Z"}
    )
    api.patch(f"/keys/{rows[1]['hash']}", {"limit": 2, "limit_reset": "weekly"})
    api.delete(f"/keys/{rows[2]['hash']}")
    api.patch(f"/keys/{rows[3]['hash']}", {"workspace_id": api.data("/workspaces")[0]["id"]})
    api.post("/workspaces", {"name": "W", "slug": "w"})
    people = [member["id"] for member in api.data("/organization/members")]
    api.post("/workspaces/w/members/add", {"user_ids": people[1:3]})
    api.put("/workspaces/w/budgets/monthly", {"limit_usd": 12.5, "include_byok_in_budgets": True})
    api.put("/workspaces/w/budgets/lifetime", {"limit_usd": 99})
    api.delete("/workspaces/production/budgets/daily")
    sandbox.outside.change_model("openai/gpt-5.2", prompt="0.5", ends="2027-02-01")
    sandbox.outside.change_model("openai/gpt-5.1", listed=False)
    sandbox.outside.spend(rows[4]["hash"], usd=3)
    sandbox.outside.quiet_key(rows[5]["hash"])
    sandbox.outside.correct_day(rows[6]["hash"], date="2026-11-10", usd=-0.5, requests=-3)
    sandbox.outside.correct_day(date="2026-11-11", usd=0.25, requests=1)
    sandbox.outside.remove_member(next(iter(sandbox.account.members)).id)
    guardrail = api.post(
        "/guardrails", {"name": "G", "content_filters": [{"pattern": "x", "action": "block"}]}
    )
    path = f"/guardrails/{guardrail.json['data']['id']}"
    api.patch(path, {"limit_usd": 0.1, "reset_interval": "daily"})
    api.post(f"{path}/assignments/keys", {"key_hashes": [rows[7]["hash"]]})
    api.delete(f"/guardrails/{api.data('/guardrails')[0]['id']}")
    credential = api.post("/byok", {"provider": "openai", "key": "sk-of-a-provider-0123"}).json["data"]["id"]
    api.patch(f"/byok/{credential}", {"allowed_api_key_hashes": [rows[7]["hash"]]})
    hook = {
        "type": "webhook",
        "name": "W",
        "config": {"url": "https://x.test", "headers": {"A": "0123456789ab"}},
    }
    destination = (
        f"/observability/destinations/{api.post('/observability/destinations', hook).json['data']['id']}"
    )
    api.patch(destination, {"enabled": False, "api_key_hashes": [rows[7]["hash"]]})
    sandbox.advance(timedelta(days=3, seconds=0.5))
    again, its_api = opened(options)
    inside = [f"/workspaces/{slug}/{what}" for slug in ("w", "production") for what in ("budgets", "members")]
    held = ("/guardrails", "/guardrails/assignments/keys", "/guardrails/assignments/members", "/byok")
    more = ("/observability/destinations", destination)
    for path in (
        "/keys",
        "/workspaces",
        "/organization/members",
        "/credits",
        "/models",
        *inside,
        *held,
        *more,
    ):
        assert its_api.get(path).json == api.get(path).json
    assert its_api.data("/activity", group_by="workspace") == api.data("/activity", group_by="workspace")
    assert again.every_key() == sandbox.every_key()
    assert again.now() == sandbox.now()
    assert its_api.post("/keys", {"name": "x"}).json == api.post("/keys", {"name": "x"}).json


def test_a_change_is_written_before_its_answer(options: Options) -> None:
    _, api = opened(options)
    key = api.post("/keys", {"name": "kept"}).json["data"]["hash"]
    assert opened(options)[1].data(f"/keys/{key}")["name"] == "kept"


def test_no_secret_is_written(options: Options) -> None:
    sandbox, api = opened(options)
    secret = api.post("/keys", {"name": "x"}).json["key"]
    assert options.state is not None
    text = options.state.read_text()
    assert secret not in text
    assert sandbox.management_key not in text


def test_reading_writes_nothing(options: Options) -> None:
    _, api = opened(options)
    api.get("/keys")
    assert options.state is not None
    assert not options.state.exists()


def test_other_options_are_refused_loudly(options: Options) -> None:
    opened(options)[0].save()
    with pytest.raises(ValueError, match="delete it"):
        Sandbox(replace(options, seed=8))


def test_a_file_from_before_there_were_guardrails_gets_the_seeded_ones(options: Options) -> None:
    _, api = opened(options)
    guarded = [row["key_hash"] for row in api.data("/guardrails/assignments/keys", limit=100)]
    api.delete(f"/keys/{guarded[0]}")
    assert options.state is not None
    content = json.loads(options.state.read_text())
    for name in ("guardrails", "guarded_keys", "guarded_members"):
        del content[name]
    write_whole(options.state, json.dumps(content))
    _, its_api = opened(options)
    assert its_api.data("/guardrails") == api.data("/guardrails")
    shown = its_api.data("/guardrails/assignments/keys", limit=100)
    assert [row["key_hash"] for row in shown] == guarded[1:]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_a_file_of_something_else_is_refused(options: Options, content: str) -> None:
    assert options.state is not None
    write_whole(options.state, content)
    with pytest.raises(ValueError, match="state file"):
        Sandbox(options)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for text in ("one", "two"):
        write_whole(path, text)
        assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_from_before_there_were_budgets_is_taken_over(options: Options) -> None:
    sandbox, api = opened(options)
    gone = api.data("/workspaces/production/members")[0]["user_id"]
    sandbox.outside.remove_member(gone)
    key = api.post("/keys", {"name": "kept"}).json["data"]["hash"]
    assert options.state is not None
    content = json.loads(options.state.read_text())
    for name in ("memberships", "budgets", "models_changed"):
        del content[name]
    write_whole(options.state, json.dumps({**content, "format": 2}))
    _, its_api = opened(options)
    assert its_api.data(f"/keys/{key}")["name"] == "kept"
    assert its_api.data("/workspaces/production/budgets")
    assert its_api.data("/workspaces/production/members") == api.data("/workspaces/production/members")
    assert gone not in {row["user_id"] for row in its_api.data("/workspaces/production/members")}


def test_how_the_service_behaves_makes_no_other_account(options: Options) -> None:
    opened(options)[0].save()
    assert Sandbox(
        replace(
            options,
            analytics_per_minute=None,
            analytics_kept_for=0,
            budgets="absent",
            default_deletable=True,
            models=300,
        )
    )


def test_a_question_writes_nothing(options: Options) -> None:
    _, api = opened(options)
    assert api.post("/analytics/query", {"metrics": ["total_usage"]}).status_code == 200
    assert options.state is not None
    assert not options.state.exists()


def test_a_reset_is_kept_too(options: Options) -> None:
    sandbox, api = opened(options)
    api.post("/keys", {"name": "x"})
    sandbox.reset()
    assert len(opened(options)[0].every_key()) == 20
