from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import responses

from orgadmin.openrouter import destinations, errors
from orgadmin.openrouter.destinations import DestinationChanges, FilterRule, FilterRules, RuleGroup
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.unset import UNSET
from tests.openrouter.cast import BASE, WORKSPACE, destination_row, refusal
from tests.openrouter.lists import last_query, sent_body, serve_counted

URL = f"{BASE}/observability/destinations"
ID = destination_row()["id"]
ONE = f"{URL}/{ID}"
RAW = "sk-lf-0123456789abcdef"
RULES: Any = {
    "enabled": False,
    "groups": [
        {
            "logic": "or",
            "rules": [
                {"field": "total_cost", "operator": "gt", "value": 0.05},
                {"field": "user_id", "operator": "exists", "because": "new"},
            ],
        },
        {"rules": []},
    ],
}


@pytest.fixture(autouse=True)
def upstream():
    with responses.mock:
        yield


def test_a_page_asks_once_and_knows_the_total(client):
    responses.get(URL, json={"data": [destination_row(1), destination_row(2)], "total_count": 7})
    page = destinations.page(client, workspace_id=WORKSPACE, offset=3, limit=2)
    assert (len(page.items), page.total_count) == (2, 7)
    assert last_query() == {"workspace_id": WORKSPACE, "offset": "3", "limit": "2"}


def test_a_walk_brings_each_once(client):
    serve_counted(URL, [destination_row(number) for number in range(130)])
    pages = list(destinations.walk(client, workspace_id=WORKSPACE))
    assert [len(page) for page in pages] == [100, 30]
    assert len({row.id for page in pages for row in page}) == 130


def test_every_field_is_read(client):
    row = destination_row(
        api_key_hashes=["a" * 64], filter_rules=RULES, sampling_rate=0.25, privacy_mode=True,
        broadcast_generation_cost=True, regions=["europe"], colour="blue",
    )  # fmt: skip
    responses.get(ONE, json={"data": row})
    read = destinations.get(client, destination_id=ID)
    assert (read.id, read.type, read.name, read.workspace_id) == (ID, "langfuse", "Destination 1", WORKSPACE)
    assert read.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert (read.sampling_rate, read.privacy_mode, read.enabled) == (Decimal("0.25"), True, True)
    assert (read.api_key_hashes, read.regions) == (("a" * 64,), ("europe",))
    assert (read.broadcast_generation_cost, read.broadcast_generation_identity) == (True, UNSET)
    assert dict(read.config) == row["config"]
    assert read.extra == {"colour": "blue"}
    assert isinstance(read.filter_rules, FilterRules)
    group, empty = read.filter_rules.groups
    assert (read.filter_rules.enabled, group.logic, empty.logic) == (False, "or", "and")
    assert (group.rules[0].value, group.rules[1].value) == (Decimal("0.05"), UNSET)
    assert group.rules[1].extra == {"because": "new"}
    assert read.filter_rules.body() == {
        "enabled": False,
        "groups": [RULES["groups"][0] | {"rules": [
            {"field": "total_cost", "operator": "gt", "value": Decimal("0.05")},
            {"field": "user_id", "operator": "exists", "because": "new"},
        ]}, {"logic": "and", "rules": []}],
    }  # fmt: skip


def test_what_a_server_does_not_know_and_what_nobody_can_read_are_told_apart(client):
    responses.get(ONE, json={"data": destination_row(filter_rules={"all": []}, type="raindrop", name=None)})
    read = destinations.get(client, destination_id=ID)
    assert (read.type, read.name, read.filter_rules) == ("raindrop", None, UNSET)
    assert read.extra == {"filter_rules": {"all": []}}
    assert read.regions is UNSET


def test_nothing_secret_is_in_a_repr(client):
    responses.get(ONE, json={"data": destination_row(config={"secretKey": RAW})})
    read = destinations.get(client, destination_id=ID)
    changes = DestinationChanges(config={"secretKey": Secret(RAW), "plain": RAW})
    for one in (read, changes):
        assert RAW not in repr(one)


def test_one_is_created_with_what_is_set(client):
    responses.post(URL, json={"data": destination_row()}, status=201)
    draft = DestinationChanges(
        name="D",
        config={"secretKey": Secret(RAW), "headers": {"A": Secret("b")}},
        sampling_rate=Decimal("0.5"),
        api_key_hashes=None,
        filter_rules=FilterRules(groups=(RuleGroup(rules=(FilterRule(field="model", operator="exists"),)),)),
    )
    made = destinations.create(client, kind="langfuse", draft=draft, workspace_id=WORKSPACE)
    assert made.id == ID
    assert sent_body() == {
        "type": "langfuse",
        "workspace_id": WORKSPACE,
        "name": "D",
        "config": {"secretKey": RAW, "headers": {"A": "b"}},
        "sampling_rate": Decimal("0.5"),
        "api_key_hashes": None,
        "filter_rules": {
            "enabled": True,
            "groups": [{"logic": "and", "rules": [{"field": "model", "operator": "exists"}]}],
        },
    }


@pytest.mark.parametrize("draft", [DestinationChanges(name="x"), DestinationChanges(config={})])
def test_a_draft_without_a_name_or_config_is_not_sent(client, draft):
    with pytest.raises(ValueError, match="has a name"):
        destinations.create(client, kind="langfuse", draft=draft)
    assert client.calls == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None}, {"enabled": None}, {"config": None}, {"api_key_hashes": ()}, {"regions": ()},
        {"privacy_mode": None}, {"sampling_rate": None}, {"sampling_rate": Decimal(0)},
        {"sampling_rate": Decimal("1.1")}, {"sampling_rate": Decimal("NaN")},
        {"sampling_rate": Decimal("0.00009")}, {"broadcast_generation_cost": None},
    ],
)  # fmt: skip
def test_what_upstream_refuses_is_not_made(wrong):
    with pytest.raises(ValueError, match=r"cannot|between"):
        DestinationChanges(**wrong)


def test_only_what_changed_is_sent(client):
    responses.patch(ONE, json={"data": destination_row(enabled=False)})
    destinations.update(
        client, destination_id=ID, changes=DestinationChanges(enabled=False, filter_rules=None)
    )
    assert sent_body() == {"enabled": False, "filter_rules": None}
    with pytest.raises(ValueError, match="nothing to change"):
        destinations.update(client, destination_id=ID, changes=DestinationChanges())


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, errors.InvalidRequest), (403, errors.Forbidden), (404, errors.NotFound), (409, errors.Conflict)],
)
def test_refusals_of_a_change_are_told_apart(client, status, kind):
    responses.patch(ONE, json=refusal("No", status), status=status)
    with pytest.raises(kind) as caught:
        destinations.update(client, destination_id=ID, changes=DestinationChanges(enabled=True))
    assert not caught.value.outcome_unknown


def test_a_create_is_never_repeated(client):
    responses.post(URL, body="<html>", status=502)
    with pytest.raises(errors.ServerFailure) as caught:
        destinations.create(client, kind="webhook", draft=DestinationChanges(name="x", config={"url": "u"}))
    assert caught.value.outcome_unknown
    assert client.calls == 1


def test_a_deletion_is_confirmed_and_one_that_is_gone_is_deleted(client):
    responses.delete(ONE, json={"deleted": True})
    destinations.delete(client, destination_id=ID)
    responses.replace(responses.DELETE, ONE, json=refusal("gone", 404), status=404)
    destinations.delete(client, destination_id=ID)
    responses.replace(responses.DELETE, ONE, json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        destinations.delete(client, destination_id=ID)
    assert caught.value.outcome_unknown
