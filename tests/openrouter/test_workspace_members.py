from __future__ import annotations

from datetime import UTC, datetime

import pytest
import responses

from orgadmin.openrouter import errors, workspace_members
from tests.openrouter.cast import BASE, WORKSPACE, refusal, workspace_member_row, workspace_row
from tests.openrouter.lists import last_query, sent_body, serve_counted

URL = f"{BASE}/workspaces/{WORKSPACE}/members"


@responses.activate
def test_a_member_is_read_with_a_role_nobody_has_heard_of(client):
    row = workspace_member_row(role="owner", novelty=1)
    responses.get(URL, json={"data": [row], "total_count": 9})
    page = workspace_members.page(client, workspace_id=WORKSPACE, offset=3, limit=1)
    (member,) = page.items
    assert (member.id, member.user_id, member.workspace_id) == (row["id"], row["user_id"], WORKSPACE)
    assert (member.role, member.extra, page.total_count) == ("owner", {"novelty": 1}, 9)
    assert member.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert last_query() == {"offset": "3", "limit": "1"}


@responses.activate
def test_everyone_is_every_page_each_once(client):
    serve_counted(URL, [workspace_member_row(number) for number in range(230)])
    everyone = workspace_members.everyone(client, workspace_id=WORKSPACE)
    assert everyone is not None
    assert len({member.user_id for member in everyone}) == len(everyone) == 230
    assert client.calls == 3


@responses.activate
def test_a_workspace_of_nobody_is_known_to_have_nobody(client):
    serve_counted(URL, [])
    assert workspace_members.everyone(client, workspace_id=WORKSPACE) == ()


@responses.activate
def test_a_server_that_does_not_say_who_is_in_a_workspace_leaves_it_unknown(client):
    responses.get(URL, status=404, json=refusal("Not Found", 404))
    responses.get(f"{BASE}/workspaces/{WORKSPACE}", json={"data": workspace_row()})
    assert workspace_members.everyone(client, workspace_id=WORKSPACE) is None


@responses.activate
def test_a_workspace_that_is_not_there_is_not_found(client):
    responses.get(URL, status=404, json=refusal("Not Found", 404))
    responses.get(f"{BASE}/workspaces/{WORKSPACE}", status=404, json=refusal("Workspace not found", 404))
    with pytest.raises(errors.NotFound, match="Workspace not found"):
        workspace_members.everyone(client, workspace_id=WORKSPACE)


@responses.activate
def test_add_tells_who_was_added_and_how_many(client):
    row = workspace_member_row()
    responses.post(f"{URL}/add", json={"data": [row], "added_count": 1})
    added = workspace_members.add(client, workspace_id=WORKSPACE, user_ids=(row["user_id"], "user_2"))
    assert (added.added_count, [member.user_id for member in added.members]) == (1, [row["user_id"]])
    assert sent_body() == {"user_ids": [row["user_id"], "user_2"]}


@responses.activate
def test_remove_tells_how_many(client):
    responses.post(f"{URL}/remove", json={"removed_count": 1})
    assert workspace_members.remove(client, workspace_id=WORKSPACE, user_ids=["user_1", "user_2"]) == 1
    assert sent_body() == {"user_ids": ["user_1", "user_2"]}


ACTS = pytest.mark.parametrize(
    ("act", "verb"), [(workspace_members.add, "add"), (workspace_members.remove, "remove")]
)


@ACTS
@responses.activate
def test_it_is_not_repeated_and_in_doubt_when_the_server_failed(client, act, verb):
    responses.post(f"{URL}/{verb}", status=503)
    with pytest.raises(errors.ServerFailure) as caught:
        act(client, workspace_id=WORKSPACE, user_ids=["user_1"])
    assert (client.calls, caught.value.outcome_unknown) == (1, True)


@ACTS
@responses.activate
@pytest.mark.parametrize("answer", [{}, {"added_count": "1", "removed_count": None}])
def test_an_answer_we_cannot_read_is_in_doubt(client, act, verb, answer):
    responses.post(f"{URL}/{verb}", json={"data": [], **answer})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        act(client, workspace_id=WORKSPACE, user_ids=["user_1"])
    assert caught.value.outcome_unknown


@ACTS
@responses.activate
@pytest.mark.parametrize(("status", "kind"), [(400, errors.InvalidRequest), (403, errors.Forbidden)])
def test_upstreams_words_reach_the_caller(client, act, verb, status, kind):
    responses.post(f"{URL}/{verb}", status=status, json=refusal("It has active keys", status))
    with pytest.raises(kind, match="It has active keys"):
        act(client, workspace_id=WORKSPACE, user_ids=["user_1"])


@ACTS
@pytest.mark.parametrize("user_ids", [[], [f"user_{number}" for number in range(101)], ["user_1", ""]])
def test_a_list_upstream_would_refuse_is_not_sent(client, act, verb, user_ids):
    with pytest.raises(ValueError, match="1 to 100"):
        act(client, workspace_id=WORKSPACE, user_ids=user_ids)
    assert client.calls == 0
