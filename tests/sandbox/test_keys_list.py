"""`GET /keys`: one workspace, 100 a page, newest first, and much hidden unless asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem

ALL = {"include_disabled": "true", "include_expired": "true"}


def walk(api: Caller, **query: str) -> list[str]:
    """Every hash, by the rule a client has: forward by what was received until a page is short."""
    hashes: list[str] = []
    while True:
        page = api.data("/keys", offset=len(hashes), **query)
        hashes += [key["hash"] for key in page]
        if len(page) < 100:
            return hashes


@settings(max_examples=12, deadline=None)
@given(count=st.integers(0, 330), workspaces=st.integers(1, 5))
def test_every_key_is_met_exactly_once(count: int, workspaces: int) -> None:
    sandbox = Sandbox(Options(keys=count, members=3, workspaces=workspaces), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    met: list[str] = []
    for workspace in api.data("/workspaces"):
        met += walk(api, workspace_id=workspace["id"], **ALL)
    assert len(met) == len(set(met)) == count
    assert set(met) == {key["hash"] for key in sandbox.every_key()}


def test_the_newest_comes_first(api: Caller) -> None:
    created = [key["created_at"][:19] for key in api.data("/keys", **ALL)]
    assert created == sorted(created, reverse=True)
    assert len(created) > 5


def test_without_a_workspace_it_is_the_default_one(api: Caller, default_workspace: str) -> None:
    assert {key["workspace_id"] for key in api.data("/keys", **ALL)} == {default_workspace}
    assert api.data("/keys", **ALL) == api.data("/keys", workspace_id=default_workspace, **ALL)


def test_disabled_and_expired_keys_are_hidden_until_asked_for(sandbox: Sandbox, api: Caller) -> None:
    disabled = sandbox.outside.create_key(name="off")
    sandbox.outside.update_key(disabled, disabled=True)
    expired = sandbox.outside.create_key(name="over", expires_at=NOON + timedelta(minutes=1))
    sandbox.advance(61)

    def shown(**query: str) -> set[str]:
        return {key["hash"] for key in api.data("/keys", **query)} & {disabled, expired}

    assert shown() == set()
    assert shown(include_disabled="true") == {disabled}
    assert shown(include_expired="true") == {expired}
    assert shown(**ALL) == {disabled, expired}
    assert shown(include_disabled="True", include_expired="1") == set()
    assert api.data(f"/keys/{expired}")["name"] == "over"


def test_a_limit_is_ignored_and_so_are_unknown_parameters(api: Caller) -> None:
    assert api.data("/keys", limit=1, colour="blue") == api.data("/keys")


@pytest.mark.parametrize("offset", ["-1", "x", "1.5", "", "null", "1e2", "٣"])
def test_a_wrong_offset_is_refused(api: Caller, offset: str) -> None:
    assert "offset" in problem(api.get("/keys", offset=offset), 400)


@pytest.mark.parametrize("workspace", ["default", "x", "", "00000000-0000-4000-8000-000000000000"])
def test_a_workspace_that_is_no_id_of_one_is_refused(api: Caller, workspace: str) -> None:
    assert "orkspace" in problem(api.get("/keys", workspace_id=workspace), 400)


def test_an_offset_beyond_the_end_is_an_empty_page(api: Caller) -> None:
    assert api.data("/keys", offset=5000) == []


def test_a_key_deleted_between_pages_shifts_the_rest(sandbox: Sandbox) -> None:
    """Pages are no snapshot: a client that trusts the offset misses a key."""
    big = Sandbox(Options(keys=150, workspaces=1), now=lambda: NOON)
    api = Caller(big, big.management_key)
    first = api.data("/keys", **ALL)
    big.outside.delete_key(first[0]["hash"])
    second = api.data("/keys", offset=100, **ALL)
    assert len({key["hash"] for key in first + second}) == 149
