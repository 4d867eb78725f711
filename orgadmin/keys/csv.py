"""The filtered keys as CSV, streamed: memory does not grow with their number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key
from orgadmin.pages import csv_of

HEADINGS = (
    "name",
    "label",
    "hash",
    "workspace",
    "owner",
    "owner_email",
    "state",
    "limit_usd",
    "limit_remaining_usd",
    "limit_reset",
    "include_byok_in_limit",
    "usage_usd",
    "usage_daily_usd",
    "usage_weekly_usd",
    "usage_monthly_usd",
    "byok_usage_usd",
    "byok_usage_monthly_usd",
    "created_at",
    "expires_at",
    "last_used_at",
)


def stream(keys: QuerySet[Key], organization: Organization) -> StreamingHttpResponse:
    """Every key of the query, one line each, times in UTC, money in US dollars with all digits."""
    rows = keys.select_related("workspace", "owner").defer("search_text", "extra").order_by("sort_name", "id")
    lines = (list(map(_text, _values(key))) for key in rows.iterator(chunk_size=1000))
    return csv_of("keys", organization.slug, HEADINGS, lines)


def _values(key: Key) -> tuple[Any, ...]:
    return (
        key.name,
        key.label,
        key.hash,
        key.workspace.name if key.workspace else key.workspace_uid,
        str(key.owner) if key.owner else (key.creator_user_id or ""),
        key.owner.email if key.owner else "",
        key.state,
        key.limit,
        key.limit_remaining,
        key.limit_reset,
        key.include_byok_in_limit,
        key.usage,
        key.usage_daily,
        key.usage_weekly,
        key.usage_monthly,
        key.byok_usage,
        key.byok_usage_monthly,
        key.created_at,
        key.expires_at,
        key.active_at,
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{value:f}" if hasattr(value, "as_tuple") else str(value)
