from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from orgadmin.openrouter import errors, workspace_budgets
from orgadmin.openrouter.workspace_budgets import INTERVALS, Step, misordered, steps
from tests.openrouter.cast import BASE, WORKSPACE, budget_row, refusal
from tests.openrouter.lists import sent_body

URL = f"{BASE}/workspaces/{WORKSPACE}/budgets"


def dollars(**limits: int) -> dict[str, Decimal]:
    return {interval: Decimal(limit) for interval, limit in limits.items()}


@responses.activate
def test_every_field_is_read_and_null_is_for_a_lifetime(client):
    rows = [budget_row(), budget_row(None, limit_usd=5000, novelty=1)]
    responses.get(URL, json={"data": rows, "include_byok_in_budgets": True})
    found = workspace_budgets.get_all(client, workspace_id=WORKSPACE)
    monthly, lifetime = found.budgets
    assert found.include_byok_in_budgets is True
    assert (monthly.interval, monthly.limit_usd, monthly.workspace_id) == (
        "monthly",
        Decimal("100.5"),
        WORKSPACE,
    )
    assert monthly.created_at == datetime(2025, 8, 24, 10, 30, tzinfo=UTC)
    assert monthly.updated_at == datetime(2025, 8, 24, 15, 45, 0, 363244, tzinfo=UTC)
    assert (lifetime.interval, lifetime.reset_interval, lifetime.extra) == ("lifetime", None, {"novelty": 1})
    assert (found.of("lifetime"), found.of("daily")) == (lifetime, None)


@responses.activate
@pytest.mark.parametrize("more", [{}, {"include_byok_in_budgets": None}, {"include_byok_in_budgets": "some"}])
def test_an_older_server_does_not_say_what_counts(client, more):
    responses.get(URL, json={"data": [budget_row("hourly")], **more})
    found = workspace_budgets.get_all(client, workspace_id=WORKSPACE)
    assert found.include_byok_in_budgets is None
    assert found.budgets[0].interval == "hourly"


@responses.activate
def test_one_budget_is_read(client):
    responses.get(f"{URL}/lifetime", json={"data": budget_row(None), "include_byok_in_budgets": False})
    budget = workspace_budgets.get(client, workspace_id=WORKSPACE, interval="lifetime")
    assert budget is not None
    assert (budget.interval, client.calls) == ("lifetime", 1)


@responses.activate
@pytest.mark.parametrize("status", [404, 405])
def test_the_list_answers_where_one_budget_cannot_be_read(client, status):
    responses.get(f"{URL}/monthly", status=status, json=refusal("Not found", status))
    responses.get(URL, json={"data": [budget_row("daily"), budget_row()]})
    budget = workspace_budgets.get(client, workspace_id=WORKSPACE, interval="monthly")
    assert budget is not None
    assert budget.interval == "monthly"


@responses.activate
def test_a_budget_that_is_not_there_is_none(client):
    responses.get(f"{URL}/monthly", status=404, json=refusal("Not found", 404))
    responses.get(URL, json={"data": [budget_row("daily")]})
    assert workspace_budgets.get(client, workspace_id=WORKSPACE, interval="monthly") is None


@responses.activate
def test_a_workspace_that_is_not_there_is_not_found(client):
    for url in (URL, f"{URL}/monthly"):
        responses.get(url, status=404, json=refusal("Workspace not found", 404))
    with pytest.raises(errors.NotFound, match="Workspace not found"):
        workspace_budgets.get(client, workspace_id=WORKSPACE, interval="monthly")


@responses.activate
def test_a_refusal_of_one_budget_is_not_hidden_by_the_list(client):
    responses.get(f"{URL}/monthly", status=401, json=refusal("No", 401))
    with pytest.raises(errors.Unauthorized):
        workspace_budgets.get(client, workspace_id=WORKSPACE, interval="monthly")
    assert client.calls == 1


@responses.activate
def test_put_sends_the_limit_and_the_switch_only_when_asked(client):
    responses.put(f"{URL}/weekly", json={"data": budget_row("weekly")})
    budget = workspace_budgets.put(
        client, workspace_id=WORKSPACE, interval="weekly", limit_usd=Decimal("100.50")
    )
    assert (budget.interval, sent_body()) == ("weekly", {"limit_usd": Decimal("100.50")})
    workspace_budgets.put(
        client,
        workspace_id=WORKSPACE,
        interval="weekly",
        limit_usd=Decimal(7),
        include_byok_in_budgets=False,
    )
    assert sent_body() == {"limit_usd": 7, "include_byok_in_budgets": False}


@responses.activate
def test_put_is_repeated_when_the_server_failed(client):
    responses.put(f"{URL}/weekly", status=503)
    responses.put(f"{URL}/weekly", json={"data": budget_row("weekly")})
    workspace_budgets.put(client, workspace_id=WORKSPACE, interval="weekly", limit_usd=Decimal(1))
    assert client.calls == 2


@responses.activate
def test_upstreams_words_about_the_order_reach_the_caller(client):
    message = "The weekly budget ($5.00) must be less than the monthly budget ($5.00)"
    responses.put(f"{URL}/weekly", status=400, json=refusal(message))
    with pytest.raises(errors.InvalidRequest) as caught:
        workspace_budgets.put(client, workspace_id=WORKSPACE, interval="weekly", limit_usd=Decimal(5))
    assert caught.value.message == message


@responses.activate
@pytest.mark.parametrize("status", [403, 404])
def test_a_plan_without_budgets_is_told_apart_from_a_wrong_key(client, status):
    responses.put(f"{URL}/weekly", status=status, json=refusal("Not on your plan", status))
    with pytest.raises(errors.OpenRouterError) as caught:
        workspace_budgets.put(client, workspace_id=WORKSPACE, interval="weekly", limit_usd=Decimal(5))
    assert errors.lacks_feature(caught.value)


@pytest.mark.parametrize(("interval", "limit"), [
    ("weekly", "0"), ("weekly", "-1"), ("weekly", "NaN"), ("weekly", "Infinity"), ("yearly", "1"), ("", "1"),
])  # fmt: skip
def test_a_budget_upstream_would_refuse_is_not_sent(client, interval, limit):
    with pytest.raises(ValueError, match=r".+"):
        workspace_budgets.put(client, workspace_id=WORKSPACE, interval=interval, limit_usd=Decimal(limit))
    assert client.calls == 0


@responses.activate
def test_an_answer_to_put_we_cannot_read_is_in_doubt(client):
    responses.put(f"{URL}/weekly", json={"data": None})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        workspace_budgets.put(client, workspace_id=WORKSPACE, interval="weekly", limit_usd=Decimal(1))
    assert caught.value.outcome_unknown


@responses.activate
def test_delete(client):
    responses.delete(f"{URL}/lifetime", json={"deleted": True})
    workspace_budgets.delete(client, workspace_id=WORKSPACE, interval="lifetime")
    assert client.calls == 1
    responses.delete(f"{URL}/daily", json={"deleted": False})
    with pytest.raises(errors.UnreadableAnswer) as caught:
        workspace_budgets.delete(client, workspace_id=WORKSPACE, interval="daily")
    assert caught.value.outcome_unknown
    with pytest.raises(ValueError, match="yearly"):
        workspace_budgets.delete(client, workspace_id=WORKSPACE, interval="yearly")


@pytest.mark.parametrize(("limits", "found"), [
    ({}, None), ({"daily": 1, "lifetime": 2}, None), ({"daily": 5, "weekly": 5}, ("daily", "weekly")),
    ({"daily": 5, "monthly": 4}, ("daily", "monthly")),
    ({"daily": 1, "weekly": 9, "monthly": 8, "lifetime": 7}, ("weekly", "monthly")),
])  # fmt: skip
def test_the_pair_that_is_out_of_order_is_named(limits, found):
    assert misordered(dollars(**limits)) == found


def test_steps_grow_from_the_widest_and_shrink_from_the_narrowest():
    low, high = dollars(daily=1, weekly=2, monthly=3), dollars(daily=10, weekly=20, monthly=30)
    assert [step.interval for step in steps(low, high)] == ["monthly", "weekly", "daily"]
    assert [step.interval for step in steps(high, low)] == ["daily", "weekly", "monthly"]
    assert steps(low, low) == ()
    assert steps(low, dollars(daily=1, monthly=3)) == (Step("weekly", None),)
    with pytest.raises(ValueError, match="daily budget must be less than the weekly"):
        steps({}, dollars(daily=2, weekly=1))


ordered = st.dictionaries(st.sampled_from(INTERVALS), st.integers(1, 40).map(Decimal)).filter(
    lambda limits: misordered(limits) is None
)


@given(current=ordered, wanted=ordered)
def test_every_step_is_one_upstream_accepts_and_the_last_one_arrives(current, wanted):
    limits = dict(current)
    for step in steps(current, wanted):
        if step.limit_usd is None:
            del limits[step.interval]
        else:
            limits[step.interval] = step.limit_usd
        assert misordered(limits) is None
    assert limits == wanted
