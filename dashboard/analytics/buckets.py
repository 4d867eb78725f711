"""Buckets of time as OpenRouter cuts them: which there are in a range, and what each is called. All UTC."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from dashboard.analytics.rules import Period
from dashboard.charts import Bucket

STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
WEEK = timedelta(days=7)
# More bars than this are no picture any more.
MOST = 800
NAMES = {
    "minute": "Minute (UTC)",
    "hour": "Hour (UTC)",
    "day": "Day (UTC)",
    "week": "OpenRouter's week (UTC)",
    "month": "Month (UTC)",
}


def name(granularity: str) -> str:
    """What a column of such buckets is called."""
    return NAMES.get(granularity, f"{granularity.capitalize()} (UTC)")


def starts(period: Period, granularity: str, known: Collection[datetime]) -> list[datetime]:
    """The first moment of every bucket of the range, those without rows included: upstream leaves them out.

    ``known`` are the moments of rows. A width nobody knows has only these. At most ``MOST`` and one more.
    """
    found = set(known)
    for moment in _grid(period, granularity, known):
        if len(found) > MOST:
            break
        found.add(moment)
    return sorted(found)


def _grid(period: Period, granularity: str, known: Collection[datetime]) -> Iterator[datetime]:
    if granularity == "month":
        moment = period.start.replace(day=1, hour=0, minute=0, second=0)
        while moment < period.end:
            yield moment
            moment = (moment + timedelta(days=32)).replace(day=1)
        return
    step = WEEK if granularity == "week" else STEPS.get(granularity)
    if step is None:
        return
    moment = _first_week(period, known) if granularity == "week" else _floor(period.start, granularity)
    while moment < period.end:
        yield moment
        moment += step


def _floor(moment: datetime, granularity: str) -> datetime:
    if granularity == "minute":
        return moment.replace(second=0)
    hour = moment.hour if granularity == "hour" else 0
    return moment.replace(hour=hour, minute=0, second=0)


def _first_week(period: Period, known: Collection[datetime]) -> datetime:
    """The week that holds the beginning: they begin on whatever day the rows say, else on a Sunday."""
    day = _floor(period.start, "day")
    weekday = min(known).weekday() if known else 6
    return day - timedelta(days=(day.weekday() - weekday) % 7)


def bucket(moment: datetime, granularity: str, now: datetime) -> Bucket:
    """What it is called under the chart and in full, and whether more may come."""
    label, title = _words(moment, granularity)
    return Bucket(label, title, is_open=moment <= now < _end(moment, granularity))


def _words(moment: datetime, granularity: str) -> tuple[str, str]:
    day = f"{moment.day} {moment:%b}"
    if granularity == "minute":
        return f"{moment:%H:%M}", f"{day} {moment.year}, {moment:%H:%M}"
    if granularity == "hour":
        return f"{day} {moment:%H}h", f"{day} {moment.year}, {moment:%H}:00–{moment:%H}:59"
    if granularity == "day":
        return day, f"{day} {moment.year}"
    if granularity == "week":
        last = moment + timedelta(days=6)
        return day, f"{moment:%a} {day} – {last:%a} {last.day} {last:%b} {last.year}"
    if granularity == "month":
        return f"{moment:%b %Y}", f"{moment:%B %Y}"
    return day, f"{day} {moment.year}, {moment:%H:%M}"


def _end(moment: datetime, granularity: str) -> datetime:
    if granularity == "month":
        return (moment.replace(day=1) + timedelta(days=32)).replace(day=1)
    return moment + (WEEK if granularity == "week" else STEPS.get(granularity, timedelta()))
