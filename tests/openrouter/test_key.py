from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import responses

from orgadmin.openrouter import errors, key
from tests.openrouter.cast import BASE, WORKSPACE, current_key_row, refusal

URL = f"{BASE}/key"


@responses.activate
def test_it_says_who_it_is(client):
    responses.get(URL, json={"data": current_key_row(rate_limit={"requests": -1})})
    current = key.current(client)
    assert current.is_management_key
    assert current.label == "sk-or-v1-0e6...1c96"
    assert (current.limit, current.limit_remaining) == (Decimal(100), Decimal("74.5"))
    assert current.expires_at == datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert current.rate_limit == {"requests": -1}
    assert (current.organization_id, current.budgets, current.extra) == (None, None, {})


@responses.activate
def test_it_reads_what_newer_servers_add(client):
    budget = {
        "scope": "workspace",
        "limit_usd": 50,
        "spend_usd": 12.5,
        "remaining_usd": 37.5,
        "reset_interval": "weekly",
        "resets_at": "2026-07-06T00:00:00Z",
        "include_byok": False,
        "guardrail_id": None,
        "budget_id": "595d5849-7e86-51fd-a7c0-705c34e4afff",
    }
    row = current_key_row(
        organization_id="org_1",
        workspace_id=WORKSPACE,
        budgets=[budget],
        effective_budget=budget,
        allowed_data_regions=["europe"],
        free_model_daily_requests={"limit": 1000, "remaining": 998, "used": 2},
    )
    responses.get(URL, json={"data": row})
    current = key.current(client)
    assert current.organization_id == "org_1"
    assert current.budgets == (current.effective_budget,)
    assert current.effective_budget is not None
    assert current.effective_budget.remaining_usd == Decimal("37.5")
    assert current.allowed_data_regions == ("europe",)
    assert current.free_model_daily_requests == key.FreeModelRequests(limit=1000, remaining=998, used=2)


@responses.activate
@pytest.mark.parametrize("gone", ["is_provisioning_key", "expires_at"])
def test_it_does_not_need_what_upstream_may_drop(client, gone):
    row = current_key_row()
    del row[gone]
    responses.get(URL, json={"data": row})
    assert getattr(key.current(client), gone) is None


@responses.activate
def test_a_dead_key_is_unauthorized(client):
    responses.get(URL, status=401, json=refusal("User not found.", 401))
    with pytest.raises(errors.Unauthorized, match="User not found"):
        key.current(client)
