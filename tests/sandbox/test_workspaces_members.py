"""`/workspaces/{id}/members`."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.wire.workspace_members import MOST_AT_ONCE
from tests.sandbox.conftest import NOON, Answered, Caller, problem


@pytest.fixture
def empty(api: Caller) -> str:
    """A new workspace, which has nobody."""
    return str(api.post("/workspaces", {"name": "New", "slug": "new"}).json["data"]["id"])


@pytest.fixture
def people(api: Caller) -> list[str]:
    return [row["id"] for row in api.data("/organization/members")]


def add(api: Caller, *user_ids: str, to: str = "new") -> Answered:
    return api.post(f"/workspaces/{to}/members/add", {"user_ids": list(user_ids)})


def remove(api: Caller, *user_ids: str, of: str = "new") -> Answered:
    return api.post(f"/workspaces/{of}/members/remove", {"user_ids": list(user_ids)})


def members(api: Caller, workspace: str = "new") -> list[str]:
    return [row["user_id"] for row in api.data(f"/workspaces/{workspace}/members")]


def test_everybody_is_in_the_default_workspace(
    api: Caller, people: list[str], default_workspace: str
) -> None:
    answer = api.get("/workspaces/default/members", limit=5).json
    assert answer["total_count"] == len(people)
    assert [row["user_id"] for row in answer["data"]] == people[:5]
    assert {row["workspace_id"] for row in answer["data"]} == {default_workspace}
    assert answer == api.get(f"/workspaces/{default_workspace}/members", limit=5).json


def test_who_made_a_key_in_a_workspace_is_in_it(api: Caller, sandbox: Sandbox, people: list[str]) -> None:
    for workspace in api.data("/workspaces"):
        makers = {key["creator_user_id"] for key in sandbox.every_key(workspace["id"])} & set(people)
        assert makers <= set(members(api, workspace["id"]))


def test_the_role_is_the_organizations_in_the_workspaces_word(
    api: Caller, empty: str, people: list[str]
) -> None:
    answer = add(api, people[0], people[-1]).json
    assert [row["role"] for row in answer["data"]] == ["admin", "member"]
    assert {row["workspace_id"] for row in answer["data"]} == {empty}
    assert answer["added_count"] == 2
    assert api.data("/workspaces/new/members") == answer["data"]


@pytest.mark.usefixtures("empty")
def test_adding_somebody_again_counts_and_renews_the_role(
    api: Caller, sandbox: Sandbox, people: list[str]
) -> None:
    (before,) = add(api, people[-1]).json["data"]
    sandbox.outside.update_member(people[-1], role="org:admin")
    answer = add(api, people[-1]).json
    assert answer == {"added_count": 1, "data": [{**before, "role": "admin"}]}


@pytest.mark.usefixtures("empty")
def test_strangers_and_repetitions_make_the_count_smaller(api: Caller, people: list[str]) -> None:
    answer = add(api, people[1], "user_stranger", people[1], people[2]).json
    assert (answer["added_count"], len(answer["data"])) == (2, 2)
    assert members(api) == people[1:3]
    assert add(api, "user_stranger").json == {"added_count": 0, "data": []}
    assert remove(api, people[1], people[3], "user_stranger").json == {"removed_count": 1}
    assert members(api) == [people[2]]


def test_active_keys_stand_in_the_way_of_removal_and_nobody_is_removed(
    api: Caller, sandbox: Sandbox, empty: str, people: list[str]
) -> None:
    add(api, *people[:3])
    key = sandbox.outside.create_key(name="x", workspace_id=empty, creator_user_id=people[1])
    assert people[1] in problem(remove(api, *people[:3]), 400)
    assert members(api) == people[:3]
    api.patch(f"/keys/{key}", {"disabled": True})
    assert remove(api, *people[:3]).json == {"removed_count": 3}


@pytest.mark.usefixtures("empty")
def test_keys_in_other_workspaces_do_not_matter(api: Caller, sandbox: Sandbox, people: list[str]) -> None:
    add(api, people[1])
    sandbox.outside.create_key(name="x", creator_user_id=people[1])
    assert remove(api, people[1]).json == {"removed_count": 1}


def test_the_identity_providers_members_are_not_removed_here(api: Caller, sandbox: Sandbox) -> None:
    managed = [row for row in sandbox.account.memberships if row.managed]
    assert managed
    for row in managed:
        for key in sandbox.every_key(row.workspace_id):
            sandbox.outside.delete_key(key["hash"])
        assert "identity provider" in problem(remove(api, row.user_id, of=row.workspace_id), 403)
        assert row.user_id in {
            listed["user_id"] for listed in api.data(f"/workspaces/{row.workspace_id}/members", limit=100)
        }


@pytest.mark.parametrize("act", [add, remove])
def test_nobody_is_put_into_or_taken_out_of_the_default_workspace(
    api: Caller, people: list[str], act: Any
) -> None:
    problem(act(api, people[0], **{"to" if act is add else "of": "default"}), 400)
    assert len(members(api, "default")) == len(people)


@pytest.mark.parametrize("verb", ["add", "remove"])
@pytest.mark.parametrize("body", [
    {}, {"user_ids": []}, {"user_ids": None}, {"user_ids": "user_1"}, {"user_ids": [1]}, {"user_ids": [""]},
    {"user_ids": [f"user_{number}" for number in range(MOST_AT_ONCE + 1)]},
])  # fmt: skip
@pytest.mark.usefixtures("empty")
def test_a_wrong_list_is_refused(api: Caller, verb: str, body: dict[str, Any]) -> None:
    problem(api.post(f"/workspaces/new/members/{verb}", body), 400)
    problem(api.post(f"/workspaces/nowhere/members/{verb}", body), 404)


@pytest.mark.usefixtures("empty")
def test_a_hundred_at_once_are_taken(api: Caller) -> None:
    assert add(api, *(f"user_{number}" for number in range(MOST_AT_ONCE))).json["added_count"] == 0


@pytest.mark.usefixtures("empty")
def test_who_leaves_the_organization_leaves_its_workspaces(
    api: Caller, sandbox: Sandbox, people: list[str]
) -> None:
    add(api, *people[:2])
    sandbox.outside.remove_member(people[1])
    assert members(api) == people[:1]
    assert people[1] not in members(api, "default")


def test_the_list_is_paged(api: Caller, people: list[str]) -> None:
    pages = [api.get("/workspaces/default/members", offset=at, limit=3).json for at in range(0, 9, 3)]
    assert [row["user_id"] for page in pages for row in page["data"]] == people
    assert {page["total_count"] for page in pages} == {len(people)}
    problem(api.get("/workspaces/default/members", limit=101), 400)
    problem(api.get("/workspaces/nowhere/members"), 404)


def test_a_personal_account_has_no_members_anywhere() -> None:
    sandbox = Sandbox(Options(keys=1, personal=True), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    problem(api.get("/workspaces/production/members"), 404)
    problem(add(api, "user_x", to="production"), 404)
    problem(remove(api, "user_x", of="production"), 404)
