from __future__ import annotations

from datetime import UTC, datetime, timedelta


def parse_timestamp(text: str) -> datetime | None:
    """Either of upstream's two spellings (`…Z`, or microseconds with an offset) as an aware UTC datetime.

    A text without a zone is read as UTC, which is what upstream documents for all of them: an expiry we
    refused to read would be shown as "never". None when it is no timestamp at all.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def timestamp_text(moment: datetime) -> str:
    """What upstream accepts: UTC, with seconds, `2027-12-31T23:59:59Z`. Fractions are dropped.

    Raises ValueError for a naive datetime or another zone: converting is the caller's decision, not ours.
    """
    if moment.utcoffset() != timedelta(0):
        raise ValueError("A moment that is sent must be in UTC.")
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
