from __future__ import annotations

import pytest
import responses

from orgadmin.openrouter import errors, members
from tests.openrouter.cast import BASE, member_row, refusal
from tests.openrouter.lists import last_query, serve_counted

URL = f"{BASE}/organization/members"


@responses.activate
def test_a_member_is_read_with_a_role_nobody_has_heard_of(client):
    responses.get(
        URL, json={"data": [member_row(role="org:auditor", last_name="Lovelace")], "total_count": 1}
    )
    (member,) = members.page(client).items
    assert (member.email, member.first_name, member.last_name) == ("person1@example.com", "Ada", "Lovelace")
    assert member.role == "org:auditor"
    assert last_query() == {"offset": "0", "limit": "100"}


@responses.activate
def test_a_walk_brings_each_member_once(client):
    serve_counted(URL, [member_row(number) for number in range(101)])
    assert [len(page) for page in members.walk(client)] == [100, 1]


@responses.activate
def test_a_server_that_gives_fewer_than_asked_is_walked_to_its_end(client):
    serve_counted(URL, [member_row(number) for number in range(101)], most=50)
    assert [len(page) for page in members.walk(client)] == [50, 50, 1]


@responses.activate
def test_an_empty_organization_is_one_empty_page(client):
    serve_counted(URL, [])
    assert list(members.walk(client)) == [()]


@responses.activate
def test_a_personal_account_has_no_members_to_ask_for(client):
    responses.get(URL, status=404, json=refusal("Not found", 404))
    with pytest.raises(errors.NotFound):
        list(members.walk(client))
