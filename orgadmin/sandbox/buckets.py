"""Time cut into pieces: the buckets of an answer, and the weeks in which the mix of models stays the same."""

from __future__ import annotations

from dataclasses import dataclass

from orgadmin.sandbox.moments import DAY, HOUR, moment_of, spell_short, window_end, window_start

GRANULARITIES = ("minute", "hour", "day", "week", "month")
WEEK = 7 * DAY


def bucket_start(granularity: str | None, seconds: int) -> int:
    """The first second of the bucket that holds `seconds`; 0 without a granularity. Weeks start on Sunday."""
    if granularity is None:
        return 0
    if granularity == "month":
        return window_start("monthly", seconds)
    if granularity == "week":
        # 1 January 1970 was a Thursday, four days after a Sunday.
        return seconds - (seconds - 3 * DAY) % WEEK
    return seconds - seconds % {"minute": 60, "hour": HOUR, "day": DAY}[granularity]


def bucket_end(granularity: str, seconds: int) -> int:
    """The first second after the bucket that holds `seconds`."""
    if granularity == "month":
        return window_end("monthly", seconds)
    length = {"minute": 60, "hour": HOUR, "day": DAY, "week": WEEK}[granularity]
    return bucket_start(granularity, seconds) + length


def time_key(granularity: str) -> str:
    """What the time column of a row is called."""
    return f"{'created_at' if granularity in ('minute', 'hour') else 'date'}__{granularity}"


def spell_bucket(granularity: str, start: int) -> str:
    """`2026-05-31T14:00:00.000Z` for minutes and hours, `2026-05-31` for what is longer."""
    text = spell_short(moment_of(start))
    return f"{text[:19]}.000Z" if granularity in ("minute", "hour") else text[:10]


@dataclass(frozen=True, slots=True)
class WeekPart:
    """The part of a range in one week from `monday` on: `edges` cut it, and the piece after each edge but
    the last belongs to the bucket of the same number."""

    monday: int
    edges: tuple[int, ...]
    buckets: tuple[int, ...]


def week_parts(start: int, end: int, granularity: str | None, *, by_day: bool = False) -> list[WeekPart]:
    """A range cut at every Monday, every start of a bucket and, `by_day`, every midnight."""
    marks = {start, end}
    for step in [granularity, *(["day"] if by_day else [])]:
        mark = start
        while step is not None and (mark := bucket_end(step, mark)) < end:
            marks.add(mark)
    parts = []
    monday = window_start("weekly", start)
    edges = sorted(marks)
    at = 0
    while monday < end:
        following = monday + WEEK
        inside = [max(start, monday)]
        while at < len(edges) and edges[at] < following:
            if edges[at] > inside[0]:
                inside.append(edges[at])
            at += 1
        if inside[-1] < min(end, following):
            inside.append(min(end, following))
        buckets = tuple(bucket_start(granularity, edge) for edge in inside[:-1])
        parts.append(WeekPart(monday, tuple(inside), buckets))
        monday = following
    return parts
