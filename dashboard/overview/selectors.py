"""Are we all right? The figures of the overview, each from a roll-up or a summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SHARE_LEFT, WITHIN_LIMIT, Key, SyncRun
from orgadmin.usage.asking import ANALYTICS
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.labels import Label, labels
from orgadmin.usage.models import Dimension, month_of
from orgadmin.usage.openday import hours, settled_through
from orgadmin.usage.outlook import Behind
from orgadmin.usage.ranking import largest
from orgadmin.usage.reading import Question
from orgadmin.usage.spans import DAY, Span

NOTHING = Decimal(0)
TOP = 5


@dataclass(frozen=True)
class Figure:
    """A sum of money, None where it is not known; and how it grew: ``now``, the part of it that is complete,
    against ``before``, what the same stretch had. None where there is nothing to compare with."""

    amount: Decimal | None
    now: Decimal | None
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return (self.now - self.before) / self.before if self.before and self.now is not None else None


@dataclass(frozen=True)
class Ranked:
    """One line of a list of the largest. ``ratio`` is of the largest of them."""

    label: Label
    amount: Decimal
    ratio: float
    href: str


def last_settled(organization: Organization) -> date:
    """The newest day whose facts are there; yesterday while nothing is."""
    return settled_through(organization) or today() - timedelta(days=1)


class Spent:
    """What the days of this month and the last cost, BYOK included: ``past``, and what is known by the hour
    since ``settled``, the newest day whose facts are there."""

    def __init__(self, organization: Organization, settled: date, past: Behind) -> None:
        self.settled, self.day = settled, today()
        self._organization = organization
        self._has_no_hours = organization.capabilities.get(ANALYTICS) is False
        self._this_month = month_of(self.day)
        self._last_month = month_of(self._this_month - DAY)
        self._days = {
            past.first + at * DAY: spent.total for at, spent in enumerate(past.days) if spent is not None
        }
        since = min(self.day - DAY, max(self._this_month, settled + DAY))
        self._hours = [
            (hour, amounts.total)
            for hour, _, amounts in hours(organization.pk, Dimension.TOTAL, midnight(since))
        ]

    def today(self) -> Figure:
        """The UTC day so far; its complete hours against those of yesterday, where these were kept. None
        where OpenRouter does not tell it."""
        if self._has_no_hours:
            return Figure(None, None, None)
        asked = SyncRun.objects.filter(
            organization=self._organization, kind="today", state=SyncRun.State.OK
        ).aggregate(last=Max("started_at"))["last"]
        start = midnight(self.day)
        until = asked.replace(minute=0, second=0, microsecond=0) if asked else start
        now = [spent for hour, spent in self._hours if start <= hour < until]
        before = [spent for hour, spent in self._hours if start - DAY <= hour < until - DAY]
        return Figure(
            self._since(self.day), sum(now, NOTHING), sum(before, NOTHING) if now and before else None
        )

    def of_days(self, days: int) -> Figure:
        """The last so many complete days, against as many before."""
        span = Span(self.settled - (days - 1) * DAY, self.settled)
        amount = self._if_pulled(span)
        return Figure(amount, amount, self._if_pulled(span.before))

    def of_month(self) -> Figure:
        """The month so far, today included; its complete days against the same days of the month before, as
        far as that had as many."""
        first, last = self._this_month, self._last_month
        amount = self._sum(Span(first, self.settled)) + self._since(max(first, self.settled + DAY))
        days = min((self.settled - first).days + 1, (first - last).days)
        if days <= 0:
            return Figure(amount, None, None)
        now = self._if_pulled(Span(first, first + (days - 1) * DAY))
        return Figure(amount, now, self._if_pulled(Span(last, last + (days - 1) * DAY)))

    def _sum(self, span: Span) -> Decimal:
        return sum((self._days.get(day, NOTHING) for day in span.each()), NOTHING)

    def _if_pulled(self, span: Span) -> Decimal | None:
        return self._sum(span) if self._days.keys() >= set(span.each()) else None

    def _since(self, day: date) -> Decimal:
        return sum((spent for hour, spent in self._hours if hour.date() >= day), NOTHING)


def top(organization: Organization, settled: date, dimension: Dimension, name: str) -> list[Ranked]:
    """The largest parts of the last 30 complete days, BYOK included. ``name``: the filter in an address."""
    question = Question(organization.pk, Span(settled - timedelta(days=29), settled))
    found = {
        part: amounts
        for part, amounts in largest(question, dimension, measure="total", count=TOP).items()
        if amounts.total > 0
    }
    names = labels(dimension, found)
    most = max((amounts.total for amounts in found.values()), default=Decimal(1))
    return [
        Ranked(
            names[part],
            amounts.total,
            float(amounts.total / most),
            _spend(organization, name, names[part], question.span),
        )
        for part, amounts in found.items()
    ]


def _spend(organization: Organization, name: str, label: Label, span: Span) -> str:
    """Its spend over the very days of the list."""
    if not label.name:
        return ""
    address = reverse("spend:show", kwargs={"organization": organization.slug})
    days = {"since": span.since.isoformat(), "until": span.until.isoformat()}
    following = "model" if name == "key" else "key"
    return f"{address}?{urlencode({name: label.name, 'group': following, **days})}"


def limits(organization: Organization) -> list[tuple[Key, float]]:
    """The working keys nearest their limit, with the share that is used."""
    now = timezone.now()
    live = Q(disabled=False) & (Q(expires_at=None) | Q(expires_at__gt=now))
    keys = Key.objects.filter(WITHIN_LIMIT, live, organization=organization)
    shown = keys.only("hash", "name", "limit", "limit_remaining", "limit_reset").order_by(SHARE_LEFT, "pk")
    return [(key, float(key.share_used or 0)) for key in shown[:TOP]]
