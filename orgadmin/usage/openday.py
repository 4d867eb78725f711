"""Today, which activity does not have yet: by hour from analytics, by key and member from the keys' counters.

Everything here is of the UTC day that is under way, and of the one before while activity is still silent
about it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import BigIntegerField, Max, Sum
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import DaySum, Dimension, Source, UsageHour
from orgadmin.usage.reading import NOTHING, Amounts, Question, Row, Span

BY_HOUR = (Dimension.TOTAL, Dimension.MODEL, Dimension.WORKSPACE, Dimension.PROVIDER)
HOURLY = ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens")


def settled_through(organization: Organization) -> date | None:
    """The last day whose facts are there; None before the first pull of activity."""
    pulled = DaySum.objects.filter(organization=organization, source=Source.ACTIVITY)
    last: date | None = pulled.aggregate(last=Max("day"))["last"]
    return last


def was_pulled(organization: Organization, span: Span) -> bool:
    """Whether every day of a span was pulled: one that is half there makes what follows it look larger."""
    days = DaySum.objects.filter(organization=organization, day__range=(span.since, span.until))
    return 0 < span.days == days.exclude(source="").count()


def is_known(question: Question, dimension: Dimension) -> bool:
    """Whether today can be told for this grouping and these filters."""
    asked = {dimension, *question.filters} - {Dimension.TOTAL}
    return len(asked) <= 1 and asked <= {*BY_HOUR, Dimension.KEY, Dimension.MEMBER}


def open_rows(question: Question, dimension: Dimension, since: date) -> list[Row]:
    """The days from ``since`` on that activity does not cover yet, by day and part. Only where
    ``is_known``. By key and member there is money, of today alone."""
    source = next(iter({dimension, *question.filters} - {Dimension.TOTAL}), Dimension.TOTAL)
    wanted = question.filters.get(source)
    if source in BY_HOUR:
        rows = [
            (hour.date(), part, amounts)
            for hour, part, amounts in hours(question.organization_id, source, midnight(since))
        ]
    else:
        rows = _from_counters(question, source)
        if not question.filters:
            rows += _beyond_counters(question, rows, since)
    kept = [row for row in rows if wanted is None or row[1] in wanted]
    return [(day, part if dimension is source else 0, amounts) for day, part, amounts in kept]


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


def _from_counters(question: Question, dimension: Dimension) -> list[Row]:
    """What the keys say they spent today, if they were asked today."""
    started = SyncRun.objects.filter(
        organization=question.organization_id, kind="keys", state=SyncRun.State.OK
    ).aggregate(last=Max("started_at"))["last"]
    day = today()
    if started is None or started < midnight(day):
        return []
    column = "pk" if dimension is Dimension.KEY else "owner_id"
    keys = Key.objects.filter(organization=question.organization_id).order_by()
    if dimension in question.filters:
        parts = question.filters[dimension]
        keys = keys.filter(**{f"{column}__in": [part for part in parts if part > 0]})
    spent = keys.exclude(usage_daily=0, byok_usage_daily=0)
    # As whole numbers: ten thousand keys are quick to add up, and slow to make decimals of one by one.
    nano = BigIntegerField()
    rows = spent.values_list(column).annotate(
        Sum("usage_daily", output_field=nano), Sum("byok_usage_daily", output_field=nano)
    )
    return [
        (day, part or 0, Amounts(usage=Decimal(usage).scaleb(-9), byok_usage=Decimal(byok).scaleb(-9)))
        for part, usage, byok in rows
    ]


def _beyond_counters(question: Question, counted: list[Row], since: date) -> list[Row]:
    """What analytics has of these days beyond the keys' counters: the chat room, and what counters do not
    tell, such as tokens. Part 0 is nobody's."""
    rows: dict[date, Amounts] = {}
    for hour, _, amounts in hours(question.organization_id, Dimension.TOTAL, midnight(since)):
        rows[hour.date()] = rows.get(hour.date(), NOTHING) + amounts
    for day, _, amounts in counted:
        rows[day] = rows.get(day, NOTHING) - amounts
    return [(day, 0, _above_zero(amounts)) for day, amounts in rows.items()]


def _above_zero(amounts: Amounts) -> Amounts:
    """The counters are a few minutes newer than analytics: what they are ahead is not less than nothing."""
    money = (max(amounts.usage, Decimal(0)), max(amounts.byok_usage, Decimal(0)))
    return replace(amounts, usage=money[0], byok_usage=money[1])


def spent_today(organization: Organization) -> Amounts:
    """Everything of the UTC day so far, as analytics tells it."""
    rows = hours(organization.pk, Dimension.TOTAL, midnight(today()))
    return sum((amounts for _, _, amounts in rows), NOTHING)


def spent_by_now_yesterday(organization: Organization) -> Amounts | None:
    """What yesterday had by this hour; None where its hours were not kept."""
    now = timezone.now()
    rows = hours(organization.pk, Dimension.TOTAL, midnight(today() - timedelta(days=1)))
    same = [amounts for hour, _, amounts in rows if hour <= now - timedelta(days=1)]
    return sum(same, NOTHING) if same else None
