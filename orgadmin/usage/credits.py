"""How long the credits last: readings of the balance, what was bought, how fast it goes, when it is gone.

What goes is what was spent, never what the balance lost: a purchase in between would hide it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from django.db import connection
from django.db.models.expressions import RawSQL
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.usage.forecast import LONGEST, Outlook, Reach
from orgadmin.usage.models import JUMPED, CreditSnapshot
from orgadmin.usage.outlook import Behind, of_credits

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A line needs no more readings than this; they are the last ones of steps of such a length.
MOST_READINGS = 370
STEPS = (
    MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
    DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
)  # fmt: skip
# Readings over less than this say nothing about a day.
SHORTEST = timedelta(hours=6)


class Reading(NamedTuple):
    """The balance at one moment, US dollars; ``purchased``: what was bought since the snapshot before, below
    zero what was taken back."""

    taken_at: datetime
    balance: Decimal
    purchased: Decimal


class Burn(NamedTuple):
    """Dollars of credits a day, over so many days; ``is_watched``: seen on the balance's own counter, and not
    added up from activity, which reaches further back than this dashboard watched."""

    per_day: Decimal
    days: float
    is_watched: bool


@dataclass(frozen=True)
class Runway:
    """How long the balance lasts from ``now`` on, in four cases of five from ``soonest`` to ``latest``."""

    now: datetime
    reach: Reach

    @property
    def days(self) -> int | None:
        """Whole days; None: for more than two years."""
        return None if self.reach.expected is None else int(self.reach.expected)

    @property
    def soonest(self) -> datetime | None:
        return self._after(self.reach.soonest)

    @property
    def expected(self) -> datetime | None:
        return self._after(self.reach.expected)

    @property
    def latest(self) -> datetime | None:
        return self._after(self.reach.latest)

    def _after(self, days: float | None) -> datetime | None:
        return None if days is None else self.now + days * DAY


@dataclass(frozen=True)
class Standing:
    """The balance and how fast it goes. ``latest`` is None before the first pull; ``checked_at`` is when it
    was asked for last, which an unchanged balance leaves no snapshot of; ``problem`` is why the newest pull
    failed. ``runway`` is None where nothing is spent, or nobody can tell."""

    latest: CreditSnapshot | None
    first_at: datetime | None
    checked_at: datetime | None
    problem: str
    week: Burn | None
    month: Burn | None
    outlook: Outlook | None
    runway: Runway | None

    @property
    def is_prepaid(self) -> bool:
        """Whether credits were ever bought: who is invoiced may have none (FACTS 2.10)."""
        return self.latest is not None and self.latest.total_credits != 0


def standing(organization: Organization, past: Behind) -> Standing:
    """Five queries. ``past`` is ``orgadmin.usage.outlook.behind`` of the organization."""
    now = timezone.now()
    snapshots = CreditSnapshot.objects.filter(organization=organization)
    latest = snapshots.order_by("-taken_at", "-pk").first()
    runs = SyncRun.objects.filter(organization=organization, kind="credits")
    run = runs.filter(state__in=[SyncRun.State.OK, SyncRun.State.FAILED]).order_by("-id").first()
    problem = run.error or "It gave no reason." if run and run.state == SyncRun.State.FAILED else ""
    if latest is None:
        return Standing(None, None, None, problem, None, None, None, None)
    first_at = snapshots.order_by("taken_at").values_list("taken_at", flat=True).first()
    checked_at = max(latest.taken_at, run.started_at) if run and run.started_at and not problem else None
    week, month = (_burn(latest, past, days) for days in (7, 30))
    outlook = past.outlook(of_credits)
    return Standing(
        latest=latest,
        first_at=first_at,
        checked_at=checked_at or latest.taken_at,
        problem=problem,
        week=week,
        month=month,
        outlook=outlook,
        runway=_runway(latest, now, outlook, [burn for burn in (week, month) if burn]),
    )


def _burn(latest: CreditSnapshot, past: Behind, days: int) -> Burn | None:
    """From the readings where they reach back so far, else from activity where that reaches further."""
    watched, added_up = _watched(latest, days), _added_up(past, days)
    if watched and (added_up is None or watched.days >= min(added_up.days, 0.95 * days)):
        return watched
    return added_up


def _watched(latest: CreditSnapshot, days: int) -> Burn | None:
    snapshots = CreditSnapshot.objects.filter(organization=latest.organization_id)
    since = latest.taken_at - days * DAY
    before = snapshots.filter(taken_at__gte=since, taken_at__lt=latest.taken_at).order_by("taken_at").first()
    if before is None or latest.taken_at - before.taken_at < SHORTEST:
        return None
    elapsed = (latest.taken_at - before.taken_at) / DAY
    spent = Decimal(latest.total_usage) - Decimal(before.total_usage)
    return Burn(spent / Decimal(elapsed), elapsed, is_watched=True)


def _added_up(past: Behind, days: int) -> Burn | None:
    known = [spent.credits for spent in past.days[-days:] if spent is not None]
    return Burn(sum(known, Decimal(0)) / len(known), len(known), is_watched=False) if known else None


def _runway(latest: CreditSnapshot, now: datetime, outlook: Outlook, burns: Sequence[Burn]) -> Runway | None:
    """From the forecast of what the days ahead will cost; without one, at the pace of the days behind."""
    if latest.total_credits == 0:
        return None
    passed = share_of_day(now)
    reach = outlook.reach(float(latest.balance), passed=passed)
    if reach is None:
        reach = _at_pace(float(latest.balance), [float(burn.per_day) for burn in burns if burn.per_day > 0])
    return None if reach is None else Runway(now, reach)


def _at_pace(balance: float, paces: Sequence[float]) -> Reach | None:
    if not paces:
        return None
    lasts = [max(0.0, balance) / pace for pace in (max(paces), paces[-1], min(paces))]
    return Reach(*(days if days <= LONGEST else None for days in lasts))


def share_of_day(now: datetime) -> float:
    """The part of the UTC day that is over."""
    moment = now.astimezone(UTC)
    return (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)) / DAY


# --- the line --------------------------------------------------------------------------------------


def readings(organization: Organization, since: datetime, until: datetime) -> list[Reading]:
    """The balance over a span, thinned to a few hundred readings: of each step the last one.

    One descent of the index for each step, and not one look at each of a year's hundred thousand readings.
    """
    taken = CreditSnapshot.objects.filter(
        pk__in=RawSQL(*_last_of_steps(organization.pk, since, until))  # noqa: S611 (names of ours alone)
    )
    return _read(taken.order_by("taken_at", "pk"))


def purchases(organization: Organization, since: datetime, until: datetime, *, most: int) -> list[Reading]:
    """The readings before which something was bought or taken back, newest first."""
    jumped = CreditSnapshot.objects.filter(JUMPED, organization=organization)
    return _read(jumped.filter(taken_at__range=(since, until)).order_by("-taken_at")[:most])


def _read(snapshots: Iterable[CreditSnapshot]) -> list[Reading]:
    return [Reading(one.taken_at, one.balance, Decimal(one.purchased or 0)) for one in snapshots]


def _last_of_steps(organization_id: int, since: datetime, until: datetime) -> tuple[str, list[object]]:
    """A subquery of primary keys."""
    edges = steps(since, until)
    adapt = connection.ops.adapt_datetimefield_value
    pairs = ", ".join(["(%s, %s)"] * (len(edges) - 1))
    statement = f"""
        WITH edge (since, until) AS (VALUES {pairs})
        SELECT (
            SELECT id FROM usage_creditsnapshot
            WHERE organization_id = %s AND taken_at >= edge.since AND taken_at < edge.until
            ORDER BY taken_at DESC, id DESC LIMIT 1
        ) FROM edge
    """  # noqa: S608
    moments = [adapt(edge) for pair in pairwise(edges) for edge in pair]
    return statement, [*moments, organization_id]


def steps(since: datetime, until: datetime) -> list[datetime]:
    """The edges of at most ``MOST_READINGS`` steps from ``since`` to just beyond ``until``, at full
    minutes, hours or days wherever they can be."""
    step = next((step for step in STEPS if (until - since) / step <= MOST_READINGS - 2), None)
    step = step or (until - since) / (MOST_READINGS - 2)
    seconds = step.total_seconds()
    edge = datetime.fromtimestamp(since.timestamp() // seconds * seconds, UTC)
    edges = [since]
    while edges[-1] <= until:
        edge += step
        edges.append(edge)
    return edges
