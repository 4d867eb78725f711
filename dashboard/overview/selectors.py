"""Are we all right? The figures of the overview, each from a roll-up or a summary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import ExpressionWrapper, F, FloatField, Q
from django.urls import reverse
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key
from orgadmin.usage.clock import today
from orgadmin.usage.labels import Label, labels
from orgadmin.usage.models import Dimension, month_of
from orgadmin.usage.openday import (
    opening_of,
    settled_through,
    spent_by_now_yesterday,
    spent_today,
    was_pulled,
)
from orgadmin.usage.ranking import largest
from orgadmin.usage.reading import Question, total
from orgadmin.usage.spans import Span

TOP = 5


@dataclass(frozen=True)
class Figure:
    """A sum of money and how it grew; None where there is nothing to compare with."""

    amount: Decimal | None
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return (self.amount - self.before) / self.before if self.before and self.amount is not None else None


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


def spend_today(organization: Organization) -> Figure:
    """The UTC day so far, against the same hours of yesterday."""
    before = spent_by_now_yesterday(organization)
    return Figure(spent_today(organization).total, before.total if before else None)


def spend_of_days(organization: Organization, settled: date, days: int) -> Figure:
    """The last so many complete days, against as many before."""
    span = Span(settled - timedelta(days=days - 1), settled)
    return Figure(_pulled(organization, span), _pulled(organization, span.before))


def spend_of_month(organization: Organization, settled: date) -> Figure:
    """The month so far, today included, against the same days of the month before."""
    first = month_of(today())
    amount = _total(organization, Span(first, settled)) + _open(organization, settled, first)
    last = month_of(first - timedelta(days=1))
    until = min(first - timedelta(days=1), last + timedelta(days=max(0, (settled - first).days)))
    return Figure(amount, _pulled(organization, Span(last, until)) if settled >= first else None)


def _pulled(organization: Organization, span: Span) -> Decimal | None:
    return _total(organization, span) if was_pulled(organization, span) else None


def _total(organization: Organization, span: Span) -> Decimal:
    return total(Question(organization.pk, span)).total


def _open(organization: Organization, settled: date, first: date) -> Decimal:
    since = max(first, settled + timedelta(days=1))
    rows = opening_of(Question(organization.pk, Span(since, today())), Dimension.TOTAL, since).whole()
    return sum((amounts.total for _, _, amounts in rows), Decimal(0))


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
            names[part], amounts.total, float(amounts.total / most), _spend(organization, name, names[part])
        )
        for part, amounts in found.items()
    ]


def _spend(organization: Organization, name: str, label: Label) -> str:
    if not label.name:
        return ""
    address = reverse("spend:show", kwargs={"organization": organization.slug})
    following = "model" if name == "key" else "key"
    return f"{address}?{urlencode({name: label.name, 'group': following})}"


def limits(organization: Organization) -> list[tuple[Key, float]]:
    """The working keys nearest their limit, with the share that is used."""
    share = ExpressionWrapper(1.0 - F("limit_remaining") * 1.0 / F("limit"), output_field=FloatField())
    now = timezone.now()
    live = Q(disabled=False) & (Q(expires_at=None) | Q(expires_at__gt=now))
    keys = Key.objects.filter(
        live, organization=organization, gone_at=None, limit__gt=0, limit_remaining__gt=0
    )
    return [(key, key.used) for key in keys.annotate(used=share).order_by("-used", "pk")[:TOP]]
