from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from orgadmin.openrouter import errors
from orgadmin.openrouter import guardrail_assignments as assignments
from tests.openrouter.cast import BASE, guardrail_row, key_assignment_row, member_assignment_row, refusal
from tests.openrouter.lists import last_query, sent_body, serve_counted

ID = guardrail_row()["id"]
ALL = f"{BASE}/guardrails/assignments"
ONE = f"{BASE}/guardrails/{ID}/assignments"

# What acts, its argument, where it goes, what it sends and what it counts.
BULK: list[tuple[Any, ...]] = [
    (assignments.assign_keys, "key_hashes", "keys", "key_hashes", "assigned_count"),
    (assignments.unassign_keys, "key_hashes", "keys/remove", "key_hashes", "unassigned_count"),
    (assignments.assign_members, "user_ids", "members", "member_user_ids", "assigned_count"),
    (assignments.unassign_members, "user_ids", "members/remove", "member_user_ids", "unassigned_count"),
]


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


@pytest.mark.parametrize(("guardrail_id", "url"), [(None, ALL), (ID, ONE)])
def test_a_page_of_keys_is_of_one_guardrail_or_of_all(client, guardrail_id, url):
    responses.get(f"{url}/keys", json={"data": [key_assignment_row(colour="blue")], "total_count": 9})
    page = assignments.key_page(client, guardrail_id=guardrail_id, offset=4, limit=5)
    (row,) = page.items
    assert page.total_count == 9
    assert last_query() == {"offset": "4", "limit": "5"}
    assert (row.guardrail_id, row.key_hash, row.key_name) == (ID, f"{1:064x}", "Key 1")
    assert (row.key_label, row.assigned_by, row.extra) == (
        "sk-or-v1-0e6...1c96",
        "user_1",
        {"colour": "blue"},
    )
    assert row.created_at == datetime(2025, 8, 24, 10, 30, 0, 363244, tzinfo=UTC)


@pytest.mark.parametrize(("guardrail_id", "url"), [(None, ALL), (ID, ONE)])
def test_a_page_of_members_is_of_one_guardrail_or_of_all(client, guardrail_id, url):
    responses.get(f"{url}/members", json={"data": [member_assignment_row()], "total_count": 1})
    (row,) = assignments.member_page(client, guardrail_id=guardrail_id).items
    assert (row.guardrail_id, row.user_id, row.organization_id) == (ID, f"user_{1:026d}", "org_1")
    assert (row.assigned_by, row.created_at) == (None, datetime(2025, 8, 24, 10, 30, tzinfo=UTC))
    assert last_query() == {"offset": "0", "limit": "100"}


def test_walks_bring_each_assignment_once(client):
    serve_counted(f"{ALL}/keys", [key_assignment_row(number) for number in range(230)])
    serve_counted(f"{ONE}/members", [member_assignment_row(number) for number in range(120)])
    keys = list(assignments.key_walk(client))
    members = list(assignments.member_walk(client, guardrail_id=ID))
    assert [len(page) for page in keys] == [100, 100, 30]
    assert [len(page) for page in members] == [100, 20]
    assert len({row.key_hash for page in keys for row in page}) == 230
    assert client.calls == 5


@pytest.mark.parametrize("ask", [assignments.key_page, assignments.member_page])
def test_a_window_upstream_refuses_is_not_asked_for(client, ask):
    with pytest.raises(ValueError, match="offset"):
        ask(client, limit=101)
    assert client.calls == 0


def test_an_unknown_guardrail_is_not_found(client):
    responses.get(f"{ONE}/keys", status=404, json=refusal("Guardrail not found", 404))
    with pytest.raises(errors.NotFound):
        assignments.key_page(client, guardrail_id=ID)


@pytest.mark.parametrize(("act", "argument", "tail", "sent", "count"), BULK)
class TestInBulk:
    def test_few_go_in_one_call_each_once(self, client, act, argument, tail, sent, count):
        responses.post(f"{ONE}/{tail}", json={count: 1})
        assert act(client, guardrail_id=ID, **{argument: ["a", "b", "a"]}) == 1
        assert sent_body() == {sent: ["a", "b"]}
        assert client.calls == 1

    def test_many_go_by_the_hundred(self, client, act, argument, tail, sent, count):
        responses.post(f"{ONE}/{tail}", json={count: 90})
        ids = [f"id {number}" for number in range(201)]
        assert act(client, guardrail_id=ID, **{argument: iter(ids)}) == 270
        bodies = [json.loads(call.request.body or "")[sent] for call in responses.calls]
        assert bodies == [ids[:100], ids[100:200], ids[200:]]

    def test_nobody_is_not_asked_for(self, client, act, argument, tail, sent, count):
        for ids in ([], ["a", ""]):
            with pytest.raises(ValueError, match="id"):
                act(client, guardrail_id=ID, **{argument: ids})
        assert client.calls == 0

    def test_a_call_is_never_repeated(self, client, act, argument, tail, sent, count):
        responses.post(f"{ONE}/{tail}", status=503, json=refusal("busy", 503))
        with pytest.raises(errors.ServerFailure) as caught:
            act(client, guardrail_id=ID, **{argument: ["a"]})
        assert client.calls == 1
        assert caught.value.outcome_unknown

    def test_a_refusal_is_certain_until_something_was_done(self, client, act, argument, tail, sent, count):
        responses.post(f"{ONE}/{tail}", json={count: 100})
        responses.post(f"{ONE}/{tail}", status=404, json=refusal("Guardrail not found", 404))
        with pytest.raises(errors.NotFound) as late:
            act(client, guardrail_id=ID, **{argument: [str(number) for number in range(300)]})
        assert late.value.outcome_unknown
        assert client.calls == 2
        with pytest.raises(errors.NotFound) as early:
            act(client, guardrail_id=ID, **{argument: ["a"]})
        assert not early.value.outcome_unknown

    def test_an_answer_without_a_count_is_in_doubt(self, client, act, argument, tail, sent, count):
        responses.post(f"{ONE}/{tail}", json={"ok": True})
        with pytest.raises(errors.UnreadableAnswer, match=count) as caught:
            act(client, guardrail_id=ID, **{argument: ["a"]})
        assert caught.value.outcome_unknown
