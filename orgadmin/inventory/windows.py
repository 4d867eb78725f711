"""When limits refill: 00:00 UTC of the next day, Monday or first of the month (FACTS 1.8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

RESETS = {"daily": "day", "weekly": "week", "monthly": "month"}


def next_reset(limit_reset: str | None, now: datetime) -> datetime | None:
    """The moment a window ends; None for a lifetime cap and for a window we do not know."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if limit_reset == "daily":
        return day + timedelta(days=1)
    if limit_reset == "weekly":
        return day + timedelta(days=7 - day.weekday())
    if limit_reset == "monthly":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return None
