"""`/key`: what the credential of the call is."""

from __future__ import annotations

from typing import Any

from orgadmin.sandbox.moments import moment_of, seconds_of, spell_short, window_end
from orgadmin.sandbox.state.keys import KeyRow
from orgadmin.sandbox.wire.keys import spending
from orgadmin.sandbox.wire.request import Call, Endpoint, Reply

_NO_SPENDING: dict[str, Any] = {
    "limit": None,
    "limit_remaining": None,
    "limit_reset": None,
    "include_byok_in_limit": False,
    "usage": 0,
    "usage_daily": 0,
    "usage_weekly": 0,
    "usage_monthly": 0,
    "byok_usage": 0,
    "byok_usage_daily": 0,
    "byok_usage_weekly": 0,
    "byok_usage_monthly": 0,
}


def current_key(call: Call) -> Reply:
    own = _of_inference(call, call.caller) if call.caller else _of_management(call)
    return Reply({"data": {**own, **_of_account(call)}})


def _of_management(call: Call) -> dict[str, Any]:
    return {
        "label": call.account.management_label,
        "is_management_key": True,
        "is_provisioning_key": True,
        "creator_user_id": call.account.manager_id,
        "expires_at": None,
        "workspace_id": None,
        **_NO_SPENDING,
        "budgets": [],
        "effective_budget": None,
    }


def _of_inference(call: Call, row: KeyRow) -> dict[str, Any]:
    figures = spending(row, call.now)
    budget = _limit_as_budget(call, row, figures)
    return {
        "label": row.label,
        "is_management_key": False,
        "is_provisioning_key": False,
        "creator_user_id": row.creator_user_id,
        "expires_at": spell_short(row.expires_at) if row.expires_at else None,
        "workspace_id": row.workspace_id,
        **figures,
        "budgets": [budget] if budget else [],
        "effective_budget": budget,
    }


def _limit_as_budget(call: Call, row: KeyRow, figures: dict[str, Any]) -> dict[str, Any] | None:
    """The key's own cap is the last of the budget layers."""
    if row.limit is None:
        return None
    resets_at = None
    if row.limit_reset is not None:
        resets_at = spell_short(moment_of(window_end(row.limit_reset, seconds_of(call.now))))
    return {
        "scope": "key_limit",
        "limit_usd": row.limit,
        "spend_usd": row.limit - figures["limit_remaining"],
        "remaining_usd": figures["limit_remaining"],
        "reset_interval": row.limit_reset,
        "resets_at": resets_at,
        "include_byok": row.include_byok_in_limit,
        "guardrail_id": None,
        "budget_id": None,
    }


def _of_account(call: Call) -> dict[str, Any]:
    return {
        "is_free_tier": False,
        "organization_id": call.account.organization_id,
        "allowed_data_regions": ["global", "europe", "us"],
        "free_model_daily_requests": {"limit": 1000, "remaining": 1000, "used": 0},
        "rate_limit": {
            "interval": "10s",
            "note": "deprecated",
            "requests": -1,
        },
    }


ENDPOINTS = (Endpoint("GET", "/key", current_key, inference=True),)
