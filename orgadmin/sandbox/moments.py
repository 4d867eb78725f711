"""Time as the service counts it: UTC, weeks from Monday, and two spellings of a timestamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DAY = 86_400
HOUR = 3_600
RESETS = ("daily", "weekly", "monthly")


def utc_now() -> datetime:
    return datetime.now(tz=UTC)


def seconds_of(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return int(moment.timestamp() // 1)


def moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def window_start(reset: str, seconds: int) -> int:
    """The first second of the UTC day, week (Monday) or month that holds `seconds`."""
    midnight = seconds - seconds % DAY
    if reset == "daily":
        return midnight
    if reset == "weekly":
        # 1 January 1970 was a Thursday, three days after a Monday.
        return midnight - ((midnight // DAY + 3) % 7) * DAY
    return midnight - (moment_of(midnight).day - 1) * DAY


def window_end(reset: str, seconds: int) -> int:
    """The first second of the window after the one that holds `seconds`."""
    start = window_start(reset, seconds)
    if reset == "daily":
        return start + DAY
    if reset == "weekly":
        return start + 7 * DAY
    return window_start("monthly", start + 31 * DAY)


def spell_short(moment: datetime) -> str:
    """`2025-08-24T10:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spell_long(moment: datetime) -> str:
    """`2025-02-19T20:52:27.363244+00:00`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def spell(moment: datetime, *, long: bool) -> str:
    """One of the two spellings that occur in the service's answers."""
    return spell_long(moment) if long else spell_short(moment)


def midnight_before(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def days(count: float) -> timedelta:
    return timedelta(days=count)
