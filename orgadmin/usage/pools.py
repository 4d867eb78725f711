"""What workspaces have spent in the windows of their budgets. OpenRouter tells it nowhere (FACTS 3.6): this
is our estimate, from the use we keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import BigIntegerField, Max, Q, QuerySet, Sum

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import Dimension, Grain, UsageRollup, month_of
from orgadmin.usage.openday import counted_today, hours, settled_through
from orgadmin.usage.spans import week_of

LIFETIME = "lifetime"
# Sums as whole numbers: decimals made one by one are slow.
_NANO = BigIntegerField()


@dataclass(frozen=True)
class Spent:
    """US dollars billed to credits, and paid at providers of one's own at market rates."""

    credits: Decimal = Decimal(0)
    byok: Decimal = Decimal(0)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.credits + other.credits, self.byok + other.byok)

    def counted(self, *, with_byok: bool) -> Decimal:
        return self.credits + self.byok if with_byok else self.credits


NOTHING = Spent()


@dataclass(frozen=True)
class Pools:
    """By interval (daily, weekly, monthly, lifetime) and workspace row. ``first`` is the first day we know
    anything of: of an older workspace, lifetime is what we know of, and so too little. ``as_of`` is when
    today was asked for last, None where today is not in it."""

    first: date
    as_of: datetime | None
    spent: Mapping[str, Mapping[int, Spent]] = field(default_factory=dict)

    def of(self, workspace: int, interval: str) -> Spent:
        return self.spent[interval].get(workspace, NOTHING)


def windows(day: date) -> Mapping[str, date]:
    """The first day of each window that this day is in (UTC; weeks begin on Monday)."""
    return {"daily": day, "weekly": week_of(day), "monthly": month_of(day)}


def pools_of(organization: Organization) -> Pools | None:
    """Of every workspace, in six queries. None before activity was pulled once.

    Where the account has no analytics, today is what the keys' counters say, which leaves out what is used
    without a key.
    """
    settled = settled_through(organization)
    if settled is None:
        return None
    starts = windows(today())
    rollups = UsageRollup.objects.filter(
        organization_id=organization.pk, dimension=Dimension.WORKSPACE, part__gt=0
    ).order_by()
    days = rollups.filter(grain=Grain.DAY)
    spent = _in_windows(days, starts)
    spent[LIFETIME] = _sums(rollups.filter(grain=Grain.MONTH))
    for day, workspace, more in _still_open(organization, settled + timedelta(days=1)):
        for interval, kept in spent.items():
            if interval == LIFETIME or day >= starts[interval]:
                kept[workspace] = kept.get(workspace, NOTHING) + more
    first = days.order_by("start").values_list("start", flat=True).first()
    return Pools(first or settled, _asked_at(organization), spent)


def _in_windows(days: QuerySet[UsageRollup], starts: Mapping[str, date]) -> dict[str, dict[int, Spent]]:
    """One pass over the days since the earliest of the windows began."""
    columns = {
        f"{interval}_{column}": Sum(column, filter=Q(start__gte=start), output_field=_NANO, default=0)
        for interval, start in starts.items()
        for column in ("usage", "byok_usage")
    }
    recent = days.filter(start__gte=min(starts.values()))
    rows: Iterable[dict[str, int]] = recent.values("part").annotate(**columns)  # type: ignore[assignment]
    found: dict[str, dict[int, Spent]] = {interval: {} for interval in starts}
    for row in rows:
        for interval in starts:
            found[interval][row["part"]] = _spent(row[f"{interval}_usage"], row[f"{interval}_byok_usage"])
    return found


def _sums(rollups: QuerySet[UsageRollup]) -> dict[int, Spent]:
    rows = rollups.values_list("part").annotate(
        Sum("usage", output_field=_NANO), Sum("byok_usage", output_field=_NANO)
    )
    return {workspace: _spent(usage, byok) for workspace, usage, byok in rows}


def _still_open(organization: Organization, since: date) -> Iterator[tuple[date, int, Spent]]:
    """The days that activity does not have yet."""
    if organization.capabilities.get(ANALYTICS) is False:
        day = today()
        keys = counted_today(organization.pk).exclude(workspace=None).order_by()
        rows = keys.values_list("workspace").annotate(
            Sum("usage_daily", output_field=_NANO), Sum("byok_usage_daily", output_field=_NANO)
        )
        yield from ((day, workspace, _spent(usage, byok)) for workspace, usage, byok in rows if day >= since)
        return
    for hour, workspace, amounts in hours(organization.pk, Dimension.WORKSPACE, midnight(since)):
        yield hour.date(), workspace, Spent(amounts.usage, amounts.byok_usage)


def _asked_at(organization: Organization) -> datetime | None:
    """When what tells of today was asked last."""
    kind = "keys" if organization.capabilities.get(ANALYTICS) is False else "today"
    runs = SyncRun.objects.filter(organization=organization, kind=kind, state=SyncRun.State.OK)
    last: datetime | None = runs.aggregate(last=Max("started_at"))["last"]
    return last if last is not None and last >= midnight(today()) else None


def _spent(usage: int, byok: int) -> Spent:
    return Spent(Decimal(usage).scaleb(-9), Decimal(byok).scaleb(-9))
