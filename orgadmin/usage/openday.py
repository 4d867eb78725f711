"""Today, which activity does not have yet: by hour from analytics, by key and member from the keys' counters.

Everything here is of the UTC day that is under way, and of the one before while activity is still silent
about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, ExpressionWrapper, F, Max, QuerySet, Sum

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SPENT_TODAY, Key, SyncRun
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import DaySum, Dimension, Source, UsageHour, month_of
from orgadmin.usage.ranking import Opening
from orgadmin.usage.reading import Question, Row, groups
from orgadmin.usage.spans import Span

BY_HOUR = (Dimension.TOTAL, Dimension.MODEL, Dimension.WORKSPACE, Dimension.PROVIDER)
HOURLY = ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens")


def settled_through(organization: Organization) -> date | None:
    """The last day whose facts are there; None before the first pull of activity."""
    pulled = DaySum.objects.filter(organization=organization, source=Source.ACTIVITY)
    last: date | None = pulled.aggregate(last=Max("day"))["last"]
    return last


def was_pulled(organization: Organization, span: Span, *, with_providers: bool = False) -> bool:
    """Whether every day of a span was pulled: one that is half there makes what follows it look larger.
    ``with_providers``: from a source that tells them, which the history from analytics does not."""
    days = DaySum.objects.filter(organization=organization, day__range=(span.since, span.until))
    untold = [Source.NONE, Source.ANALYTICS] if with_providers else [Source.NONE]
    return 0 < span.days == days.exclude(source__in=untold).count()


def providers_untold_until(organization: Organization, span: Span) -> date | None:
    """The last day of a span whose providers nobody tells; None where all are told."""
    days = DaySum.objects.filter(
        organization=organization, day__range=(span.since, span.until), source=Source.ANALYTICS
    )
    last: date | None = days.aggregate(last=Max("day"))["last"]
    return last


def is_known(question: Question, dimension: Dimension, *, has_analytics: bool = True) -> bool:
    """Whether today can be told for this grouping and these filters: without analytics, by counters alone."""
    asked = {dimension, *question.filters} - {Dimension.TOTAL}
    if not has_analytics and asked <= set(BY_HOUR):
        return False
    return len(asked) <= 1 and asked <= {*BY_HOUR, Dimension.KEY, Dimension.MEMBER}


def is_counted(question: Question, dimension: Dimension) -> bool:
    """Whether requests and tokens of today are told for it too: the counters of keys are money only."""
    return not {dimension, *question.filters} & {Dimension.KEY, Dimension.MEMBER}


def asked_at(organization: Organization, question: Question, dimension: Dimension) -> datetime | None:
    """When today was asked for last, of what tells it for this: analytics by the hour, or the keys."""
    kind = "today" if is_counted(question, dimension) else "keys"
    runs = SyncRun.objects.filter(organization=organization, kind=kind, state=SyncRun.State.OK)
    last: datetime | None = runs.aggregate(last=Max("started_at"))["last"]
    return last


def opening_of(question: Question, dimension: Dimension, since: date) -> Opening:
    """The days from ``since`` on that activity does not cover yet. Only where ``is_known``. By key and member
    there is money, of today alone (``is_counted``); the sum of everybody has its counts all the same."""
    source = next(iter({dimension, *question.filters} - {Dimension.TOTAL}), Dimension.TOTAL)
    if source is Dimension.KEY and not question.filters:
        return _Counters(question.organization_id, since)
    return _listed(question, dimension, source, since)


def _listed(question: Question, dimension: Dimension, source: Dimension, since: date) -> Listed:
    if source in BY_HOUR:
        rows = [
            (hour.date(), part, amounts)
            for hour, part, amounts in hours(question.organization_id, source, midnight(since))
        ]
    elif not question.filters or 0 in question.filters[source]:
        # What is nobody's is what the counters of everybody leave.
        rows = _from_counters(replace(question, filters={}), source)
        rows += _beyond_counters(question.organization_id, _by_day(rows), since)
    else:
        rows = _from_counters(question, source)
    wanted = question.filters.get(source)
    kept = [row for row in rows if wanted is None or row[1] in wanted]
    return Listed([(day, part if dimension is source else 0, amounts) for day, part, amounts in kept])


@dataclass(frozen=True)
class Listed:
    """Everything that is known, in a list."""

    rows: list[Row]

    def whole(self) -> list[Row]:
        return [(day, 0, amounts) for day, amounts in _by_day(self.rows).items()]

    def of(self, parts: Iterable[int]) -> list[Row]:
        wanted = set(parts)
        return [row for row in self.rows if row[1] in wanted]

    def leading(self, measure: str, count: int) -> list[tuple[int, Any]]:
        found: dict[int, Amounts] = {}
        for _, part, amounts in self.rows:
            found[part] = found.get(part, NOTHING) + amounts
        values = [(part, value_of(amounts, measure)) for part, amounts in found.items()]
        return sorted(values, key=lambda one: (-one[1], one[0]))[:count]


NOT_OPEN = Listed([])


class _Counters:
    """The counters of ten thousand keys: their sum, the largest, and those asked for."""

    def __init__(self, organization_id: int, since: date) -> None:
        self._keys = counted_today(organization_id)
        day, sums = today(), self._keys.aggregate(**_MONEY)
        counted = {day: _money(*sums.values())} if sums["usage"] is not None else {}
        self._day = day
        self._beyond = _beyond_counters(organization_id, counted, since)
        self._whole = [(at, 0, amounts + counted.get(at, NOTHING)) for at, _, amounts in self._beyond]

    def whole(self) -> list[Row]:
        return self._whole

    def of(self, parts: Iterable[int]) -> list[Row]:
        wanted = set(parts)
        keys = self._keys.filter(pk__in=[part for part in wanted if part > 0])
        rows = [(self._day, pk, _money(*nano)) for pk, *nano in keys.values_list("pk").annotate(**_MONEY)]
        return [*rows, *(self._beyond if 0 in wanted else [])]

    def leading(self, measure: str, count: int) -> list[tuple[int, Any]]:
        values = [(0, sum(value_of(amounts, measure) for _, _, amounts in self._beyond))]
        if measure in _COUNTED:
            keys = self._keys.annotate(value=_COUNTED[measure]).order_by("-value")[:count]
            values += [(pk, Decimal(nano).scaleb(-9)) for pk, nano in keys.values_list("pk", "value")]
        return sorted(values, key=lambda one: (-one[1], one[0]))[:count]


def hours(organization_id: int, dimension: Dimension, since: datetime) -> list[tuple[datetime, int, Amounts]]:
    """Sums by hour and part."""
    rows = UsageHour.objects.filter(
        organization_id=organization_id, dimension=dimension, hour__gte=since
    ).values_list("hour", "part", *HOURLY, "usage", "byok_usage")
    return [(hour, part, _amounts(*counts)) for hour, part, *counts in rows]


def _amounts(
    requests: int, prompt: int, completion: int, reasoning: int, usage: Decimal, byok_usage: Decimal
) -> Amounts:
    return Amounts(requests, prompt, completion, reasoning, 0, usage, byok_usage)


# The counters of today as whole numbers: decimals made one by one are slow.
_NANO = BigIntegerField()
_MONEY = {
    "usage": Sum("usage_daily", output_field=_NANO),
    "byok": Sum("byok_usage_daily", output_field=_NANO),
}
_COUNTED = {
    "total": ExpressionWrapper(F("usage_daily") + F("byok_usage_daily"), _NANO),
    "usage": ExpressionWrapper(F("usage_daily"), _NANO),
    "byok_usage": ExpressionWrapper(F("byok_usage_daily"), _NANO),
}


def _from_counters(question: Question, dimension: Dimension) -> list[Row]:
    """What the keys say they spent today, by key or member."""
    column = "pk" if dimension is Dimension.KEY else "owner_id"
    keys = counted_today(question.organization_id)
    if dimension in question.filters:
        parts = question.filters[dimension]
        keys = keys.filter(**{f"{column}__in": [part for part in parts if part > 0]})
    rows = keys.values_list(column).annotate(**_MONEY)
    return [(today(), part or 0, _money(*nano)) for part, *nano in rows]


def counted_today(organization_id: int) -> QuerySet[Key]:
    """The keys that spent something today; none before they were asked today."""
    started = SyncRun.objects.filter(
        organization=organization_id, kind="keys", state=SyncRun.State.OK
    ).aggregate(last=Max("started_at"))["last"]
    if started is None or started < midnight(today()):
        return Key.objects.none()
    return Key.objects.filter(SPENT_TODAY, organization=organization_id).order_by()


def _money(usage: int, byok_usage: int) -> Amounts:
    return Amounts(usage=Decimal(usage).scaleb(-9), byok_usage=Decimal(byok_usage).scaleb(-9))


def _by_day(rows: Iterable[Row]) -> dict[date, Amounts]:
    found: dict[date, Amounts] = {}
    for day, _, amounts in rows:
        found[day] = found.get(day, NOTHING) + amounts
    return found


def _beyond_counters(organization_id: int, counted: Mapping[date, Amounts], since: date) -> list[Row]:
    """What analytics has of these days beyond the keys' counters: the chat room, and what counters do not
    tell, such as tokens. Part 0 is nobody's."""
    told = hours(organization_id, Dimension.TOTAL, midnight(since))
    whole = _by_day((hour.date(), 0, amounts) for hour, _, amounts in told)
    days = {**dict.fromkeys(counted, NOTHING), **whole}
    return [(day, 0, _above_zero(amounts - counted.get(day, NOTHING))) for day, amounts in days.items()]


def _above_zero(amounts: Amounts) -> Amounts:
    """The counters are a few minutes newer than analytics: what they are ahead is not less than nothing."""
    nothing = Decimal(0)
    return amounts._replace(usage=max(amounts.usage, nothing), byok_usage=max(amounts.byok_usage, nothing))


def spent_this_month(organization: Organization, dimension: Dimension) -> Mapping[int, Decimal] | None:
    """What each workspace, member, model or provider spent since the 1st (UTC), today as far as it is known;
    credits and BYOK together. None before activity was pulled once."""
    day, settled = today(), settled_through(organization)
    if settled is None:
        return None
    question = Question(organization.pk, Span(month_of(day), min(settled, day)))
    since = max(month_of(day), settled + timedelta(days=1))
    spent = {part: amounts.total for part, amounts in groups(question, dimension).items()}
    for _, part, amounts in _listed(question, dimension, dimension, since).rows:
        spent[part] = spent.get(part, Decimal(0)) + amounts.total
    return spent
