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


def whole(client: OpenRouter, held: Holding, query: Query) -> Iterator[Row]:
    """Every row of the range, which must begin and end at midnight or be shorter than a day.

    Whether upstream's range includes its end is not said, so rows at or after it are dropped. Raises
    UnreadableAnswer when even a single day does not fit into an answer.
    """
    assert query.start is not None
    assert query.end is not None
    held.renew()
    try:
        answer = analytics.query(client, replace(query, limit=MOST_ROWS))
    except TooSlow:
        pass
    else:
        if not answer.truncated:
            yield from (row for row in answer.rows if row.moment is None or row.moment < query.end)
            return
    middle = midnight((query.start + (query.end - query.start) / 2).date())
    if not query.start < middle < query.end:
        raise UnreadableAnswer("OpenRouter's analytics give only part of a single day.")
    yield from whole(client, held, replace(query, end=middle))
    yield from whole(client, held, replace(query, start=middle))
