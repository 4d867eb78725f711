from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orgadmin.openrouter.reading import read_data
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBudget:
    """One cap that applies to the credential, in US dollars. `reset_interval` None means it never resets."""

    scope: str
    limit_usd: Decimal
    spend_usd: Decimal
    remaining_usd: Decimal
    reset_interval: str | None
    resets_at: datetime | None
    include_byok: bool
    guardrail_id: str | None = None
    budget_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeModelRequests:
    """Requests to free models, of the whole account, in the current UTC day."""

    limit: int
    remaining: int
    used: int
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentKey:
    """The credential the call was made with. Money in US dollars; days, weeks (from Monday) and months are
    UTC.

    `is_management_key` is the only way to tell the two kinds of key apart.
    """

    is_management_key: bool
    is_free_tier: bool
    label: str
    creator_user_id: str | None
    limit: Decimal | None
    limit_remaining: Decimal | None
    limit_reset: str | None
    include_byok_in_limit: bool
    usage: Decimal
    usage_daily: Decimal
    usage_weekly: Decimal
    usage_monthly: Decimal
    byok_usage: Decimal
    byok_usage_daily: Decimal
    byok_usage_weekly: Decimal
    byok_usage_monthly: Decimal
    expires_at: datetime | None = None
    organization_id: str | None = None
    workspace_id: str | None = None
    budgets: tuple[KeyBudget, ...] | None = None
    effective_budget: KeyBudget | None = None
    allowed_data_regions: tuple[str, ...] | None = None
    free_model_daily_requests: FreeModelRequests | None = None
    # Both deprecated upstream: optional here, so that their end does not break the connection test.
    is_provisioning_key: bool | None = None
    rate_limit: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def current(client: OpenRouter) -> CurrentKey:
    """`GET /key`: who am I. Works for both kinds of key; Unauthorized for a dead one."""
    return read_data(CurrentKey, client.request("GET", "/key"))
