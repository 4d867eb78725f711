"""The guardrails there are from the start, and changes of them behind a client's back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem


def test_there_is_a_guardrail_of_every_kind() -> None:
    sandbox = Sandbox(now=lambda: NOON)
    rows = [sandbox.guardrail(row.id) for row in sandbox.account.guardrails]
    held = {row.guardrail_id for row in sandbox.account.guardrails.keys}
    assert len(rows) == 13
    legacy = next(row for row in rows if row["workspace_id"] is None)
    assert legacy["id"] in held
    assert legacy["id"] in {row.guardrail_id for row in sandbox.account.guardrails.members}
    assert len({row["name"] for row in rows}) < len(rows)
    assert {row["reset_interval"] for row in rows} == {"daily", "weekly", "monthly", None}
    assert [row["name"] for row in rows if row["id"] not in held and not row["name"].startswith("Workspace")]
    words = ("block", "redact", "flag")
    assert {f["action"] for row in rows for f in row["content_filter_builtins"] or ()} == set(words)
    account = sandbox.account
    for given in account.guardrails.keys:
        made = account.guardrails.get(given.guardrail_id).created_at
        assert max(made, account.keys.get(given.subject).created_at) <= given.created_at <= NOON


def test_guardrails_change_neither_keys_nor_use() -> None:
    with_them = Sandbox(Options(keys=30), now=lambda: NOON)
    without = Sandbox(Options(keys=30, guardrails=0), now=lambda: NOON)
    assert with_them.every_key() == without.every_key()
    assert (len(without.account.guardrails), list(without.account.guardrails.keys)) == (0, [])


def test_there_are_as_many_as_asked_and_the_same_every_time() -> None:
    options = Options(keys=50, guardrails=200)
    first, second = Sandbox(options, now=lambda: NOON), Sandbox(options, now=lambda: NOON)
    api = Caller(first, first.management_key)
    ids = [row.id for row in first.account.guardrails]
    assert len(set(ids)) == 201
    rows = [first.guardrail(guardrail) for guardrail in ids]
    assert rows == [second.guardrail(guardrail) for guardrail in ids]
    assert all((row["limit_usd"] is None) == (row["reset_interval"] is None) for row in rows)
    assert api.get("/guardrails").json["total_count"] > 20


def test_one_workspace_and_nobody_have_guardrails_too() -> None:
    sandbox = Sandbox(Options(keys=2, workspaces=1, personal=True), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    assert api.get("/guardrails").json["total_count"] == 11
    assert api.get("/guardrails/assignments/members").json == {"data": [], "total_count": 0}


def test_they_change_from_outside(api: Caller, sandbox: Sandbox) -> None:
    default_guardrail = sandbox.account.workspaces.get("research").default_guardrail_id
    guardrail = sandbox.outside.create_guardrail(name="Out", enforce_zdr_openai=True)
    key, member = sandbox.every_key()[0]["hash"], next(iter(sandbox.account.members)).id
    sandbox.outside.assign_guardrail(guardrail, keys=[key], members=[member])
    assert [row["key_hash"] for row in api.data(f"/guardrails/{guardrail}/assignments/keys")] == [key]
    sandbox.advance(timedelta(minutes=1))
    old = [{"pattern": "(?=a)", "action": "block", "label": None}]
    sandbox.outside.update_guardrail(guardrail, content_filters=old, limit_usd=3, reset_interval="daily")
    shown = api.data(f"/guardrails/{guardrail}")
    assert (shown["content_filters"], shown["limit_usd"], shown["enforce_zdr_openai"]) == (old, 3, True)
    assert shown["updated_at"] is not None
    sandbox.outside.unassign_guardrail(members=[member])
    assert api.data(f"/guardrails/{guardrail}/assignments/members") == []
    sandbox.outside.update_guardrail(default_guardrail, description="now it is")
    assert api.data(f"/guardrails/{default_guardrail}")["description"] == "now it is"
    for gone in (guardrail, default_guardrail):
        sandbox.outside.delete_guardrail(gone)
        problem(api.get(f"/guardrails/{gone}"), 404)
    with pytest.raises(ValueError, match="colour"):
        sandbox.outside.update_guardrail(guardrail, colour=1)


def test_they_change_through_the_door_too(api: Caller, sandbox: Sandbox) -> None:
    def outside(**changes: Any) -> Any:
        response = Client(sandbox).post("/_sandbox/outside", json=changes)
        assert response.status_code == 200, response.text
        return response.get_json()["made"][0]

    key = sandbox.every_key()[0]["hash"]
    guardrail = outside(create_guardrail={"name": "Out", "limit_usd": 5, "reset_interval": "daily"})
    outside(update_guardrail={"id": guardrail, "name": "Renamed"})
    outside(assign_guardrail={"id": guardrail, "keys": [key]})
    shown = api.data(f"/guardrails/{guardrail}")
    assert (shown["name"], shown["limit_usd"]) == ("Renamed", 5)
    assert api.data(f"/guardrails/{guardrail}/assignments/keys")[0]["key_hash"] == key
    outside(unassign_guardrail={"keys": [key]})
    assert api.data(f"/guardrails/{guardrail}/assignments/keys") == []
    outside(delete_guardrail=guardrail)
    problem(api.get(f"/guardrails/{guardrail}"), 404)
    assert sandbox.requests().count("POST /guardrails") == 0
