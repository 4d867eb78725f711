"""The figures of the overview are held against as much of the time before, never against more."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from dashboard.overview.selectors import Spent
from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.usage.models import DaySum, Dimension, Source, UsageHour
from orgadmin.usage.outlook import behind
from orgadmin.usage.store import Scope
from tests.usage.facts import fact, replace

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DOLLAR = 10**9


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme", base_url="http://127.0.0.1:1")


def spend_a_dollar_a_day(acme: Organization, since: date, until: date) -> None:
    days = [since + n * DAY for n in range((until - since).days + 1)]
    facts = [fact(day, nano=DOLLAR) for day in days]
    replace([Scope(1, since, until)], facts, organization=acme.pk)
    DaySum.objects.bulk_create(DaySum(organization=acme, day=day, source=Source.ACTIVITY) for day in days)


def spend_by_hour(acme: Organization, since: datetime, until: datetime) -> None:
    """A dollar a day, every hour alike, as far as it was when it was asked last."""
    hour = since
    while hour < until:
        part = min(HOUR, until - hour) / HOUR
        UsageHour.objects.create(
            organization_id=acme.pk,
            dimension=Dimension.TOTAL,
            hour=hour,
            usage=Decimal(round(part * DOLLAR / 24)).scaleb(-9),
        )
        hour += HOUR
    SyncRun.objects.create(
        organization=acme, kind="today", state=SyncRun.State.OK, started_at=until, finished_at=until
    )


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 2, 20, 3, tzinfo=UTC),
        datetime(2026, 3, 17, 1, 3, tzinfo=UTC),
        datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2026, 1, 1, 9, tzinfo=UTC),
    ],
    ids=str,
)
def test_who_spends_the_same_every_day_sees_no_change(acme: Organization, now: datetime) -> None:
    asked = now.replace(minute=5, second=0) - HOUR
    with time_machine.travel(now, tick=False):
        yesterday = timezone.now().date() - DAY
        spend_a_dollar_a_day(acme, yesterday - 90 * DAY, yesterday)
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
        spend_by_hour(acme, midnight - DAY, max(asked, midnight + timedelta(minutes=5)))
        spent = Spent(acme, yesterday, behind(acme))
        assert spent.of_days(7).change == 0
        assert spent.of_days(7).amount == 7
        month, today = spent.of_month(), spent.today()
        assert month.change == (0 if now.day > 1 else None)
        assert month.amount == now.day - 1 + (today.amount or 0)
        if asked >= midnight + HOUR:
            assert today.change is not None
            assert abs(today.change) < Decimal("0.000001")
        else:
            assert today.change is None, "no hour of today is complete"
