"""What lies behind an organization, day by day, as the forecast wants it; and the forecast of the month.

Four queries, whatever the history. A day of which nothing was ever pulled is not a day of nothing: it is left
out of the fit, and the forecast fills it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Max
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun, Workspace
from orgadmin.usage import forecast
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import HISTORY_DAYS, midnight, today
from orgadmin.usage.forecast import Forecast, Outlook
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageHour, UsageRollup

DAY = timedelta(days=1)
# Hours are pulled once an hour. In the minutes until they are pulled for the first time on a new day,
# yesterday is known but for its last hour, and that is better than not at all.
ALMOST = timedelta(hours=2)


class Spent(NamedTuple):
    """Dollars of one day: from credits, and at providers of one's own."""

    credits: Decimal
    byok: Decimal

    @property
    def total(self) -> Decimal:
        return self.credits + self.byok


NOTHING = Spent(Decimal(0), Decimal(0))
Of = Callable[[Spent], Decimal]


def all_of_it(spent: Spent) -> Decimal:
    return spent.total


def of_credits(spent: Spent) -> Decimal:
    return spent.credits


@dataclass(frozen=True)
class Behind:
    """The days from ``first`` to yesterday, None where one is not known; and today, as far as it was known
    when the part ``passed`` of it was over."""

    today: date
    first: date
    days: list[Spent | None]
    so_far: Spent
    passed: float

    def outlook(self, of: Of = all_of_it) -> Outlook:
        values = [None if spent is None else float(of(spent)) for spent in self.days]
        return Outlook(values, self.first)

    def of_month(self, of: Of = all_of_it) -> Decimal:
        """What the days of this month that are over cost, as far as known."""
        start = max(0, (self.today.replace(day=1) - self.first).days)
        return sum((of(spent) for spent in self.days[start:] if spent is not None), Decimal(0))

    def month_end(self, of: Of = all_of_it, outlook: Outlook | None = None) -> Forecast | None:
        """None where nothing is known of any day."""
        return forecast.month_end(
            outlook or self.outlook(of),
            today=self.today,
            spent=self.of_month(of),
            so_far=of(self.so_far),
            passed=self.passed,
        )


def month_end(organization: Organization, workspace: Workspace | None = None) -> Forecast | None:
    """What this month will have cost at its end (UTC), credits and BYOK together, in the organization or in
    one workspace; None before anything was pulled."""
    return behind(organization, workspace).month_end()


def behind(
    organization: Organization, workspace: Workspace | None = None, *, days: int = HISTORY_DAYS
) -> Behind:
    """The last ``days`` days, from the first on which anything was spent."""
    now = timezone.now()
    day = today(now)
    since = day - days * DAY
    dimension, part = (Dimension.WORKSPACE, workspace.pk) if workspace else (Dimension.TOTAL, 0)
    rolled_up = UsageRollup.objects.filter(
        organization_id=organization.pk,
        dimension=dimension,
        grain=Grain.DAY,
        part=part,
        start__range=(since, day - DAY),
    ).order_by()
    found = {start: Spent(*money) for start, *money in rolled_up.values_list("start", "usage", "byok_usage")}
    sums = DaySum.objects.filter(organization=organization, day__gte=since).exclude(source="").order_by()
    # Facts alone do not make a day known: a year of history is fetched key by key.
    known = set(sums.values_list("day", flat=True))
    hours = _Hours.of(organization, dimension, part, now)
    if day - DAY not in known and hours.reaches(midnight(day) - ALMOST):
        found[day - DAY] = hours.on(day - DAY)
        known.add(day - DAY)
    known.discard(day)
    if not known:
        return Behind(day, day, [], hours.on(day), hours.passed(day))
    first = min((at for at in known if found.get(at, NOTHING) != NOTHING), default=min(known))
    values = [
        found.get(at, NOTHING) if at in known else None
        for at in (first + number * DAY for number in range((day - first).days))
    ]
    return Behind(day, first, values, hours.on(day), hours.passed(day))


@dataclass(frozen=True)
class _Hours:
    """Yesterday and today as analytics tells them by the hour, and until when it was asked."""

    spent: dict[date, Spent]
    until: datetime | None

    @classmethod
    def of(cls, organization: Organization, dimension: Dimension, part: int, now: datetime) -> _Hours:
        if organization.capabilities.get(ANALYTICS) is False:
            # It was asked, and was told nothing: that is not nothing spent.
            return cls({}, None)
        since = midnight(today(now) - DAY)
        rows = UsageHour.objects.filter(
            organization_id=organization.pk, dimension=dimension, part=part, hour__gte=since, hour__lte=now
        )
        spent: dict[date, Spent] = {}
        for hour, usage, byok_usage in rows.values_list("hour", "usage", "byok_usage"):
            before = spent.get(hour.date(), NOTHING)
            spent[hour.date()] = Spent(before.credits + usage, before.byok + byok_usage)
        asked = SyncRun.objects.filter(organization=organization, kind="today", state=SyncRun.State.OK)
        return cls(spent, asked.aggregate(last=Max("started_at"))["last"])

    def reaches(self, moment: datetime) -> bool:
        """Whether it was asked at that moment or later."""
        return self.until is not None and self.until >= moment

    def on(self, day: date) -> Spent:
        """What is known of the day; nothing where it was not asked since it began."""
        return self.spent.get(day, NOTHING) if self.reaches(midnight(day)) else NOTHING

    def passed(self, day: date) -> float:
        """Which part of the day was over."""
        return min(1.0, max(0.0, (self.until - midnight(day)) / DAY)) if self.until else 0.0
