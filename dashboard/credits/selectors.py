"""What the credits page shows: a dozen queries, whatever the range and however many readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from dashboard import formats
from dashboard.charts import LineChart, Point
from orgadmin.accounts.models import Organization
from orgadmin.usage.clock import today
from orgadmin.usage.credits import Reading, Standing, purchases, readings, share_of_day, standing
from orgadmin.usage.forecast import Forecast
from orgadmin.usage.outlook import behind

RANGES: Mapping[str, str] = {"7d": "7 d", "30d": "30 d", "90d": "90 d", "12m": "12 m", "all": "All"}
DEFAULT = "30d"
DAYS: Mapping[str, int] = {"7d": 7, "30d": 30, "90d": 90, "12m": 365}
# So many purchases are listed and marked.
LISTED = 100


@dataclass(frozen=True)
class MonthEnd:
    """What is left of the credits on the last day of the month: most likely, and in four cases of five
    between ``low`` and ``high``. ``needed`` is what is still to be spent from them."""

    day: date
    needed: Decimal
    low: Decimal
    left: Decimal
    high: Decimal

    @property
    def verdict(self) -> str:
        """Whether they last: "yes", "probably", "hardly" or "no"."""
        if self.low >= 0:
            return "yes"
        if self.high < 0:
            return "no"
        return "probably" if self.left >= 0 else "hardly"


@dataclass(frozen=True)
class CreditsPage:
    """``chart`` is None where there is nothing to draw a line between, ``last`` the last reading of the range
    if it has any; ``month`` is what the month costs,
    BYOK included, ``month_end`` what that leaves of the credits."""

    range: str
    standing: Standing
    since: datetime
    chart: LineChart | None
    last: Reading | None
    purchases: Sequence[Reading]
    month: Forecast | None
    month_end: MonthEnd | None

    @property
    def purchased(self) -> Decimal:
        """What was bought in the range, less what was taken back."""
        return sum((one.purchased for one in self.purchases), Decimal(0))

    @property
    def is_cut(self) -> bool:
        """Whether there may be more purchases than are listed."""
        return len(self.purchases) == LISTED


def credits_page(organization: Organization, asked: str) -> CreditsPage:
    """Everything of the page; a range that there is not is the usual one."""
    chosen = asked if asked in RANGES else DEFAULT
    now = timezone.now()
    past = behind(organization)
    now_standing = standing(organization, past)
    since = _since(chosen, now, now_standing.first_at)
    is_known = now_standing.latest is not None
    bought = purchases(organization, since, now, most=LISTED) if is_known else []
    line = _as_known(readings(organization, since, now), now_standing) if is_known else []
    return CreditsPage(
        range=chosen,
        standing=now_standing,
        since=since,
        chart=_chart(line, bought, since, now) if len(line) > 1 else None,
        last=line[-1] if line else None,
        purchases=bought,
        month=past.month_end(),
        month_end=_month_end(now_standing, now),
    )


def _since(chosen: str, now: datetime, first_at: datetime | None) -> datetime:
    """Where the range begins: not before the first reading, or the line would be squeezed to one side."""
    first = min(first_at or now, now)
    return max(first, now - timedelta(days=DAYS[chosen])) if chosen in DAYS else first


def _as_known(line: list[Reading], now_standing: Standing) -> list[Reading]:
    """The readings, up to the moment for which the last one is known to hold still."""
    checked_at = now_standing.checked_at
    if not line or checked_at is None or checked_at <= line[-1].taken_at:
        return line
    return [*line, Reading(checked_at, line[-1].balance, Decimal(0))]


def _chart(line: Sequence[Reading], bought: Sequence[Reading], since: datetime, now: datetime) -> LineChart:
    return LineChart(
        caption="Balance",
        since=since,
        until=now,
        points=_with_purchases(line, bought),
        jumps=[_point(one) for one in reversed(bought)],
        write=formats.money,
        value_name="Balance",
        step_name="Bought",
    )


def _with_purchases(line: Sequence[Reading], bought: Sequence[Reading]) -> list[Point]:
    """The thinned readings, and those after a purchase: no table may leave one out."""
    return [_point(one) for one in sorted({*line, *bought})]


def _point(one: Reading) -> Point:
    return Point(one.taken_at, one.balance, one.purchased)


def _month_end(now_standing: Standing, now: datetime) -> MonthEnd | None:
    """None where no balance is known, none was ever bought, or nothing is known of what is spent."""
    latest, outlook, day = now_standing.latest, now_standing.outlook, today(now)
    if latest is None or outlook is None or not now_standing.is_prepaid:
        return None
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    to_come = outlook.ahead((following - day).days, passed=share_of_day(now))
    if to_come is None:
        return None
    needed = [Decimal(end).quantize(Decimal("0.01")) for end in to_come]
    high, left, low = (latest.balance - amount for amount in needed)
    return MonthEnd(following - timedelta(days=1), needed[1], low, left, high)
