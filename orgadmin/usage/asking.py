"""Questions to analytics whose answer must be whole: what is cut short is asked for again in halves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from orgadmin.inventory.leases import Holding
from orgadmin.openrouter import analytics
from orgadmin.openrouter.analytics import Query, Row
from orgadmin.openrouter.errors import TooSlow, UnreadableAnswer
from orgadmin.openrouter.transport import OpenRouter
from orgadmin.usage.clock import midnight

MOST_ROWS = 10_000
# What an account lacks that OpenRouter refuses to tell analytics.
ANALYTICS = "analytics"


def days(since: date, until: date) -> tuple[datetime, datetime]:
    """The moments between which these days lie, both included."""
    return midnight(since), midnight(until + timedelta(days=1))


def whole(
    client: OpenRouter, held: Holding, query: Query, *, left_out: list[datetime] | None = None
) -> Iterator[Row]:
    """Every row of the range, by the day or by the hour; it must begin where a day or an hour does.

    Whether upstream's range includes its end is not said, so rows at or after it are dropped. Where even a
    single day or hour does not fit into an answer, it is added to ``left_out``; without such a list,
    UnreadableAnswer is raised. Raises TooSlow for a single one that takes too long: later it may not.
    """
    assert query.start is not None
    assert query.end is not None
    held.renew()
    middle = _middle(query.start, query.end, is_hourly=query.granularity == "hour")
    splits = query.start < middle < query.end
    try:
        answer = analytics.query(client, replace(query, limit=MOST_ROWS))
    except TooSlow:
        if not splits:
            raise
    else:
        if not answer.truncated:
            yield from (row for row in answer.rows if row.moment is None or row.moment < query.end)
            return
    if splits:
        yield from whole(client, held, replace(query, end=middle), left_out=left_out)
        yield from whole(client, held, replace(query, start=middle), left_out=left_out)
    elif left_out is None:
        raise UnreadableAnswer(f"OpenRouter's analytics give only part of a single {query.granularity}.")
    else:
        left_out.append(query.start)


def _middle(start: datetime, end: datetime, *, is_hourly: bool) -> datetime:
    """The edge nearest before the middle: midnight as long as there is one between, else a full hour."""
    moment = start + (end - start) / 2
    middle = midnight(moment.date())
    if is_hourly and not start < middle < end:
        middle = moment.replace(minute=0, second=0, microsecond=0)
        # Of an hour and a bit, the middle lies in the first.
        middle += timedelta(hours=1) if middle <= start else timedelta(0)
    return middle
