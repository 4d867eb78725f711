"""The client's destinations against the sandbox, which was written without looking at it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orgadmin.openrouter import destinations, errors, workspaces
from orgadmin.openrouter.destinations import DestinationChanges, FilterRule, FilterRules, RuleGroup
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.openrouter.unset import UNSET
from orgadmin.sandbox.app import Options
from tests.sandbox_server import RunningSandbox, running_sandbox

CONFIG = {"secretKey": Secret("sk-lf-0123456789abcdefAbCd"), "publicKey": Secret("pk-lf-0123456789EfGh")}


@pytest.fixture(scope="module")
def running():
    with running_sandbox(Options(keys=10, members=4, workspaces=4, days=10)) as running:
        yield running


@pytest.fixture
def client(running: RunningSandbox, session) -> OpenRouter:
    running.sandbox.reset()
    key = Secret(running.sandbox.management_key)
    return OpenRouter(base_url=running.url, key=key, session=session)


def listed(client: OpenRouter) -> dict[str, destinations.Destination]:
    places = [row.id for page in workspaces.walk(client) for row in page]
    walks = (destinations.walk(client, workspace_id=place) for place in places)
    return {row.id: row for walk in walks for page in walk for row in page}


def test_every_destination_is_found_and_read_whole(client, running):
    found = listed(client)
    assert found.keys() == {row.id for row in running.sandbox.account.destinations}
    for row in found.values():
        assert row.extra == {}
        assert UNSET not in (row.regions, row.broadcast_generation_cost, row.filter_rules)


def test_growth_of_the_api_breaks_nothing(client, running):
    before = listed(client)
    for kind in ("extra_field", "unknown_enum"):
        running.sandbox.fault(kind=kind, path="/observability*", times=10)
        assert listed(client).keys() == before.keys()
        running.sandbox.clear_faults()


def test_one_is_made_changed_and_deleted(client):
    rules = FilterRules(
        groups=(RuleGroup(rules=(FilterRule(field="total_cost", operator="gt", value=Decimal("0.5")),)),)
    )
    draft = DestinationChanges(name="D", config=CONFIG, sampling_rate=Decimal("0.5"), filter_rules=rules)
    made = destinations.create(client, kind="langfuse", draft=draft)
    assert (made.name, made.sampling_rate, made.config["secretKey"]) == ("D", Decimal("0.5"), "sk-l...AbCd")
    assert made.filter_rules == rules
    changed = destinations.update(
        client, destination_id=made.id, changes=DestinationChanges(enabled=False, filter_rules=None)
    )
    assert (changed.enabled, changed.filter_rules) == (False, None)
    assert destinations.get(client, destination_id=made.id) == changed
    destinations.delete(client, destination_id=made.id)
    destinations.delete(client, destination_id=made.id)
    with pytest.raises(errors.NotFound):
        destinations.get(client, destination_id=made.id)


def test_the_sixth_of_a_type_is_a_conflict(client):
    for number in range(destinations.MOST_OF_A_TYPE):
        draft = DestinationChanges(name=f"D{number}", config={"apiKey": Secret("x")})
        destinations.create(client, kind="posthog", draft=draft)
    with pytest.raises(errors.Conflict):
        destinations.create(
            client, kind="posthog", draft=DestinationChanges(name="D5", config={"apiKey": Secret("x")})
        )
