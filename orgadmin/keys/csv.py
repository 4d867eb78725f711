"""The filtered keys as CSV, streamed: memory does not grow with their number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key
from orgadmin.pages import spreadsheet_safe

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


class _Line:
    """What csv.writer writes to: hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def stream(keys: QuerySet[Key], organization: Organization) -> StreamingHttpResponse:
    """Every key of the query, one line each, times in UTC, money in US dollars with all digits."""
    name = f"keys-{organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    response = StreamingHttpResponse(_lines(keys), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(keys: QuerySet[Key]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(HEADINGS)
    rows = keys.select_related("workspace", "owner").defer("search_text", "extra").order_by("sort_name", "id")
    for key in rows.iterator(chunk_size=1000):
        yield writer.writerow([spreadsheet_safe(_text(value)) for value in _values(key)])


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
