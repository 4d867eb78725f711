"""When a limit will be exceeded if use goes on at its present pace. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

# Of a window less than this share is too little to tell a pace by.
LEAST_ELAPSED = 0.05
# Beyond this nobody plans.
HORIZON = timedelta(days=365)


class Fate(StrEnum):
    OVER = "over"  # used up already
    EXCEEDED = "exceeded"  # on ``day``, if use goes on like this
    FITS = "fits"  # not before the reset, or not within a year
    EARLY = "early"  # the window has only just begun
    UNKNOWN = "unknown"  # nobody knows what is used


class Outlook(NamedTuple):
    fate: Fate
    day: date | None = None


def in_window(limit: int, used: int | None, *, began: datetime, ends: datetime, now: datetime) -> Outlook:
    """Of a limit that refills: what was used of it, over the part of the window that is past, goes on evenly.
    Amounts in any one unit."""
    if used is None:
        return Outlook(Fate.UNKNOWN)
    if used >= limit:
        return Outlook(Fate.OVER)
    elapsed, whole = (now - began).total_seconds(), (ends - began).total_seconds()
    if elapsed < LEAST_ELAPSED * whole:
        return Outlook(Fate.EARLY)
    if used <= 0:
        return Outlook(Fate.FITS)
    seconds = (limit - used) * elapsed / used
    at = now + timedelta(seconds=min(seconds, whole))
    return Outlook(Fate.EXCEEDED, at.date()) if at < ends else Outlook(Fate.FITS)


def for_ever(limit: int, used: int | None, *, a_day: float | None, now: datetime) -> Outlook:
    """Of a limit that never refills, at so much a day (None: not known)."""
    if used is None:
        return Outlook(Fate.UNKNOWN)
    if used >= limit:
        return Outlook(Fate.OVER)
    if a_day is None:
        return Outlook(Fate.EARLY)
    if a_day <= 0 or (limit - used) / a_day > HORIZON.days:
        return Outlook(Fate.FITS)
    return Outlook(Fate.EXCEEDED, (now + timedelta(days=(limit - used) / a_day)).date())
