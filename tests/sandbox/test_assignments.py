"""Which keys and members hold a guardrail."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from tests.sandbox.conftest import NOON, Caller, problem

NOBODY = "00000000-0000-4000-8000-000000000000"
BOTH = [("keys", "key_hashes", "key_hash"), ("members", "member_user_ids", "user_id")]


class Side:
    """Assigning one kind of subject; `ids` are some of them."""

    def __init__(self, api: Caller, kind: str, field: str, shown: str, ids: list[str]) -> None:
        self.api, self.kind, self.field, self.shown, self.ids = api, kind, field, shown, ids

    def assign(self, guardrail: str, ids: Any) -> Any:
        return self.api.post(f"/guardrails/{guardrail}/assignments/{self.kind}", {self.field: ids})

    def unassign(self, guardrail: str, ids: Any) -> Any:
        return self.api.post(f"/guardrails/{guardrail}/assignments/{self.kind}/remove", {self.field: ids})

    def rows(self, guardrail: str | None = None) -> list[dict[str, Any]]:
        place = f"/guardrails/{guardrail}/assignments" if guardrail else "/guardrails/assignments"
        answer = self.api.get(f"{place}/{self.kind}", limit=100).json
        assert answer["total_count"] == len(answer["data"])
        rows: list[dict[str, Any]] = answer["data"]
        return rows

    def holders(self, guardrail: str | None = None) -> list[str]:
        return [row[self.shown] for row in self.rows(guardrail)]


@pytest.fixture
def sandbox() -> Sandbox:
    """Nobody holds anything yet."""
    return Sandbox(Options(keys=8, members=6, workspaces=2, guardrails=0), now=lambda: NOON)


@pytest.fixture(params=BOTH, ids=["keys", "members"])
def side(request: pytest.FixtureRequest, api: Caller, sandbox: Sandbox) -> Side:
    keys = [key["hash"] for key in sandbox.every_key()]
    people = [member.id for member in sandbox.account.members]
    kind, field, shown = request.param
    return Side(api, kind, field, shown, keys if kind == "keys" else people)


@pytest.fixture
def one(sandbox: Sandbox) -> str:
    return sandbox.outside.create_guardrail(name="one")


@pytest.fixture
def other(sandbox: Sandbox) -> str:
    return sandbox.outside.create_guardrail(name="other")


def test_subjects_are_assigned_and_freed(side: Side, one: str) -> None:
    assert side.assign(one, side.ids[:3]).json == {"assigned_count": 3}
    assert side.holders(one) == side.ids[:3]
    assert side.unassign(one, side.ids[:2]).json == {"unassigned_count": 2}
    assert side.holders(one) == side.holders() == [side.ids[2]]


def test_an_assignment_moves_its_subject(side: Side, one: str, other: str) -> None:
    side.assign(one, side.ids[:3])
    assert side.assign(other, side.ids[1:2]).json == {"assigned_count": 1}
    assert side.holders(one) == [side.ids[0], side.ids[2]]
    assert side.holders(other) == [side.ids[1]]
    assert len(side.holders()) == 3


def test_the_same_again_counts_and_changes_nothing(side: Side, one: str) -> None:
    side.assign(one, side.ids[:2])
    before = side.rows()
    assert side.assign(one, side.ids[:2]).json == {"assigned_count": 2}
    assert side.rows() == before


def test_counts_leave_out_strangers_and_repetitions(side: Side, one: str) -> None:
    assert side.assign(one, [side.ids[0], "x" * 64, side.ids[0]]).json == {"assigned_count": 1}
    assert side.holders() == [side.ids[0]]
    assert side.assign(one, ["nobody"]).json == {"assigned_count": 0}


def test_only_who_holds_this_guardrail_is_freed(side: Side, one: str, other: str) -> None:
    side.assign(one, side.ids[:1])
    side.assign(other, side.ids[1:2])
    assert side.unassign(one, side.ids[:3]).json == {"unassigned_count": 1}
    assert side.holders() == [side.ids[1]]


@pytest.mark.parametrize("ids", [[], None, "x", [""], [1], [None]])
def test_a_wrong_list_is_refused(side: Side, one: str, ids: Any) -> None:
    problem(side.assign(one, ids), 400)
    problem(side.unassign(one, ids), 400)


def test_a_list_has_to_be_there(side: Side, one: str) -> None:
    for tail in ("", "/remove"):
        problem(side.api.post(f"/guardrails/{one}/assignments/{side.kind}{tail}", {"ids": ["x"]}), 400)


@pytest.mark.parametrize("guardrail", [NOBODY, "nope"])
def test_an_unknown_guardrail_is_not_found(side: Side, guardrail: str) -> None:
    problem(side.assign(guardrail, side.ids), 404)
    problem(side.unassign(guardrail, side.ids), 404)
    problem(side.api.get(f"/guardrails/{guardrail}/assignments/{side.kind}"), 404)


def test_a_deleted_guardrail_frees_its_subjects(side: Side, one: str, other: str) -> None:
    side.assign(one, side.ids[:2])
    side.assign(other, side.ids[2:3])
    side.api.delete(f"/guardrails/{one}")
    assert side.holders() == [side.ids[2]]


def test_lists_are_walked_by_offset_and_limit(side: Side, one: str) -> None:
    side.assign(one, side.ids[:5])
    walked = []
    for offset in (0, 2, 4, 6):
        answer = side.api.get(f"/guardrails/assignments/{side.kind}", offset=offset, limit=2).json
        assert answer["total_count"] == 5
        walked += [row[side.shown] for row in answer["data"]]
    assert walked == side.ids[:5]


def test_a_row_names_its_key_as_it_is_called_now(api: Caller, sandbox: Sandbox, one: str) -> None:
    key = sandbox.every_key()[0]
    api.post(f"/guardrails/{one}/assignments/keys", {"key_hashes": [key["hash"]]})
    api.patch(f"/keys/{key['hash']}", {"name": "Renamed"})
    (row,) = api.data(f"/guardrails/{one}/assignments/keys")
    assert row.pop("id")
    assert row == {
        "guardrail_id": one,
        "key_hash": key["hash"],
        "key_name": "Renamed",
        "key_label": key["label"],
        "assigned_by": next(iter(sandbox.account.members)).id,
        "created_at": "2026-11-18T12:00:00.000000+00:00",
    }


def test_a_row_names_the_member_and_the_organization(api: Caller, sandbox: Sandbox, one: str) -> None:
    member = next(iter(sandbox.account.members)).id
    api.post(f"/guardrails/{one}/assignments/members", {"member_user_ids": [member]})
    (row,) = api.data("/guardrails/assignments/members")
    assert (row["guardrail_id"], row["user_id"]) == (one, member)
    assert row["organization_id"] == sandbox.account.organization_id
    assert set(row) == {"id", "guardrail_id", "user_id", "organization_id", "assigned_by", "created_at"}


def test_a_disabled_key_keeps_its_guardrail_and_a_deleted_one_loses_it(
    api: Caller, sandbox: Sandbox, one: str
) -> None:
    first, second, third = (key["hash"] for key in sandbox.every_key()[:3])
    api.post(f"/guardrails/{one}/assignments/keys", {"key_hashes": [first, second, third]})
    api.patch(f"/keys/{first}", {"disabled": True})
    api.delete(f"/keys/{second}")
    sandbox.outside.delete_key(third)
    assert [row["key_hash"] for row in api.data("/guardrails/assignments/keys")] == [first]


def test_a_member_who_leaves_holds_nothing(api: Caller, sandbox: Sandbox, one: str) -> None:
    member = next(iter(sandbox.account.members)).id
    sandbox.outside.assign_guardrail(one, members=[member])
    sandbox.outside.remove_member(member)
    assert api.data("/guardrails/assignments/members") == []


def test_a_personal_account_has_nobody_to_assign_to() -> None:
    sandbox = Sandbox(Options(keys=1, personal=True), now=lambda: NOON)
    api = Caller(sandbox, sandbox.management_key)
    guardrail = sandbox.outside.create_guardrail(name="x")
    path = f"/guardrails/{guardrail}/assignments/members"
    problem(api.post(path, {"member_user_ids": ["user_x"]}), 404)
    assert api.get(path).json == {"data": [], "total_count": 0}
