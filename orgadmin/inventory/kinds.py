"""The kinds of pulls there are: what the Sync page lists, the clock asks for, and a worker carries out.

``orgadmin.inventory`` brings one for each noun; what else is pulled registers itself here when its app is
ready. ``orgadmin.inventory.services`` queues, leases, closes and repeats all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun

# When a pull is due after the one that was asked for last (None: never yet); None: not now, nor soon.
Due = Callable[[Organization, datetime | None], datetime | None]


@dataclass(frozen=True)
class Kind:
    """One kind of pull. ``name`` stands in ``SyncRun.kind``, ``label`` on pages.

    ``execute`` does the work and counts in the run's row; it renews the lease as it goes. It may raise
    OpenRouterError and LeaseLost. ``capability`` names what a 404 or 403 means that the account lacks,
    ``after`` the kind that must have gone through once before this one makes sense; ``is_rare`` leaves it out
    where somebody asks for everything. What comes of a kind that does not ``speaks_for_key``, because it asks
    with other credentials, says nothing of the management key.
    """

    name: str
    label: str
    execute: Callable[[SyncRun, Holding], None]
    due: Due
    capability: str = ""
    after: str = ""
    is_rare: bool = False
    speaks_for_key: bool = True


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    KINDS[kind.name] = kind


def every(seconds: Callable[[], int]) -> Due:
    """Due so many seconds after the last; at once when there was none."""

    def due(_: Organization, last: datetime | None) -> datetime:
        return last + timedelta(seconds=seconds()) if last else datetime.min.replace(tzinfo=UTC)

    return due


def daily(*times: time) -> Due:
    """Due at these times of the UTC day; at once when there was none."""

    def due(_: Organization, last: datetime | None) -> datetime:
        if last is None:
            return datetime.min.replace(tzinfo=UTC)
        days = (last.date(), last.date() + timedelta(days=1))
        moments = (datetime.combine(day, moment, UTC) for day in days for moment in sorted(times))
        return next(moment for moment in moments if moment > last)

    return due
