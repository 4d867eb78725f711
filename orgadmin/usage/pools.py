"""What workspaces have spent in the windows of their budgets. OpenRouter tells it nowhere (FACTS 3.6): this
is our estimate, from the use we keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import BigIntegerField, Max, Min, Q, Sum

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import DaySum, Dimension, Grain, Source, UsageRollup, month_of
from orgadmin.usage.openday import counted_today, hours
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
    anything of: of an older workspace, lifetime is what we know of, and so too little."""

    first: date
    spent: Mapping[str, Mapping[int, Spent]] = field(default_factory=dict)

    def of(self, workspace: int, interval: str) -> Spent:
        return self.spent[interval].get(workspace, NOTHING)


def windows(day: date) -> Mapping[str, date]:
    """The first day of each window that this day is in (UTC; weeks begin on Monday)."""
    return {"daily": day, "weekly": week_of(day), "monthly": month_of(day)}


def pools_of(organization: Organization) -> Pools | None:
    """Of every workspace, in three queries. None before activity was pulled once.

    Where the account has no analytics, today is what the keys' counters say, which leaves out what is used
    without a key.
    """
    days = DaySum.objects.filter(organization=organization).aggregate(
        settled=Max("day", filter=Q(source=Source.ACTIVITY)), first=Min("day", filter=~Q(source=Source.NONE))
    )
    if days["settled"] is None:
        return None
    starts = windows(today())
    spent = _settled(organization, starts)
    for day, workspace, more in _still_open(organization, days["settled"] + timedelta(days=1)):
        for interval, kept in spent.items():
            if interval == LIFETIME or day >= starts[interval]:
                kept[workspace] = kept.get(workspace, NOTHING) + more
    return Pools(days["first"], spent)


def _settled(organization: Organization, starts: Mapping[str, date]) -> dict[str, dict[int, Spent]]:
    """The days since the earliest of the windows began, and all months there are, in one pass."""
    is_a_day = Q(grain=Grain.DAY, start__gte=min(starts.values()))
    whole = {interval: is_a_day & Q(start__gte=start) for interval, start in starts.items()}
    whole[LIFETIME] = Q(grain=Grain.MONTH)
    columns = {
        f"{interval}_{column}": Sum(column, filter=within, output_field=_NANO, default=0)
        for interval, within in whole.items()
        for column in ("usage", "byok_usage")
    }
    rollups = UsageRollup.objects.filter(
        is_a_day | Q(grain=Grain.MONTH),
        organization_id=organization.pk,
        dimension=Dimension.WORKSPACE,
        part__gt=0,
    )
    rows: Iterable[dict[str, int]] = rollups.order_by().values("part").annotate(**columns)  # type: ignore[assignment]
    found: dict[str, dict[int, Spent]] = {interval: {} for interval in whole}
    for row in rows:
        for interval in whole:
            found[interval][row["part"]] = _spent(row[f"{interval}_usage"], row[f"{interval}_byok_usage"])
    return found


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


def as_of(organization: Organization) -> datetime | None:
    """When what tells of today was asked last; None where today is not in the pools."""
    kind = "keys" if organization.capabilities.get(ANALYTICS) is False else "today"
    runs = SyncRun.objects.filter(organization=organization, kind=kind, state=SyncRun.State.OK)
    last: datetime | None = runs.aggregate(last=Max("started_at"))["last"]
    return last if last is not None and last >= midnight(today()) else None


def _spent(usage: int, byok: int) -> Spent:
    return Spent(Decimal(usage).scaleb(-9), Decimal(byok).scaleb(-9))
