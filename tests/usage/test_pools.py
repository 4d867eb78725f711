"""What workspaces have spent in the windows of their budgets."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun, Workspace
from orgadmin.usage.clock import midnight
from orgadmin.usage.models import Dimension, UsageHour
from orgadmin.usage.pools import NOTHING, Spent, as_of, pools_of
from tests.usage.daily import write_days

# A Wednesday: the week began on Monday, 2 November, and the month on a Sunday.
NOW = datetime.fromisoformat("2026-11-04T09:30:00+00:00")
TODAY = NOW.date()


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme", slug="acme", base_url="https://openrouter.test")


def test_nothing_is_said_before_anything_was_pulled(acme: Organization) -> None:
    assert pools_of(acme) is None


@time_machine.travel(NOW, tick=False)
def test_each_window_has_its_days_and_today(acme: Organization) -> None:
    # From 20 October on a dollar a day and a dime of BYOK; activity knows Monday, not Tuesday yet.
    first = date(2026, 10, 20)
    write_days(acme.pk, first, [(1, 0.1)] * 14, workspace=7)
    SyncRun.objects.create(organization=acme, kind="today", state="ok", started_at=NOW)
    for day, usd in ((TODAY - timedelta(days=1), 4), (TODAY, 2)):
        UsageHour.objects.create(
            organization_id=acme.pk, dimension=Dimension.WORKSPACE, part=7, hour=midnight(day), usage=usd
        )
    pools = pools_of(acme)
    assert pools is not None
    assert pools.of(7, "daily") == Spent(Decimal(2))
    assert pools.of(7, "weekly") == Spent(Decimal(7), Decimal("0.1"))
    assert pools.of(7, "monthly") == Spent(Decimal(8), Decimal("0.2"))
    assert pools.of(7, "lifetime") == Spent(Decimal(20), Decimal("1.4"))
    assert pools.of(7, "weekly").counted(with_byok=True) == Decimal("7.1")
    assert pools.of(8, "daily") == NOTHING
    assert (pools.first, as_of(acme)) == (first, NOW)


@time_machine.travel(NOW, tick=False)
def test_without_analytics_today_is_what_the_keys_count(acme: Organization) -> None:
    acme.capabilities = {"analytics": False}
    workspace = Workspace.objects.create(organization=acme, uid="w", name="W", slug="w")
    Key.objects.create(organization=acme, hash="k", name="K", workspace=workspace, usage_daily=3)
    write_days(acme.pk, TODAY - timedelta(days=2), [(1, 0), (1, 0)], workspace=workspace.pk)
    SyncRun.objects.create(organization=acme, kind="keys", state="ok", started_at=NOW)
    pools = pools_of(acme)
    assert pools is not None
    assert pools.of(workspace.pk, "daily") == Spent(Decimal(3))
    assert pools.of(workspace.pk, "weekly") == Spent(Decimal(5))


@time_machine.travel(NOW, tick=False)
def test_a_day_that_nobody_asked_for_is_not_taken_for_known(acme: Organization) -> None:
    write_days(acme.pk, TODAY - timedelta(days=2), [(1, 0), (1, 0)], workspace=7)
    yesterday = NOW - timedelta(days=1)
    SyncRun.objects.create(organization=acme, kind="today", state="ok", started_at=yesterday)
    assert as_of(acme) is None
