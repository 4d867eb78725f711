"""Days of use as the forecast is tested on: from the sandbox, or made up; and how to write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.moments import seconds_of
from orgadmin.usage.models import DaySum, Source
from orgadmin.usage.store import Scope
from tests.usage.facts import fact, replace

NANO = 10**9
SANDBOX_DAY = date(2026, 11, 25)
WEEK = (100.0, 105.0, 105.0, 100.0, 90.0, 20.0, 15.0)


@lru_cache(maxsize=4)
def sandbox_days(days: int = 400, seed: int = 7, keys: int = 40) -> tuple[tuple[int, int], ...]:
    """Nano-dollars of credits and BYOK on each of the days before SANDBOX_DAY, of the whole account."""
    now = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    options = Options(seed=seed, keys=keys, members=8, workspaces=3, days=days)
    account = Sandbox(options, now=lambda: now).account
    ledgers = [row.ledger for row in (*account.keys, *account.keys.deleted.values(), *account.rooms.rows)]
    midnight = now.replace(hour=0, minute=0)
    moments = [seconds_of(midnight - timedelta(days=ago)) for ago in range(days, -1, -1)]
    sums = [(0, 0)] * len(moments)
    for ledger in ledgers:
        amounts = map(ledger.amounts, moments)
        sums = [(sums[at][0] + found.usage, sums[at][1] + found.byok) for at, found in enumerate(amounts)]
    return tuple((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(sums))


def weekly(first: date, days: int, scale: float = 1.0) -> list[float]:
    """A week that repeats itself."""
    return [scale * WEEK[(first.weekday() + at) % 7] for at in range(days)]


def write_days(
    organization_id: int,
    first: date,
    days: Sequence[tuple[float, float]],
    *,
    workspace: int = 1,
    key: int = 1,
) -> None:
    """Facts of one key: dollars of credits and BYOK a day, from ``first`` on; days pulled from activity."""
    last = first + timedelta(days=len(days) - 1)
    facts = [
        fact(
            first + timedelta(days=at), key=key, workspace=workspace,
            nano=round(usage * NANO), byok=round(byok * NANO),
        )
        for at, (usage, byok) in enumerate(days)
        if usage or byok
    ]  # fmt: skip
    replace([Scope(key, first, last)], facts, organization=organization_id)
    DaySum.objects.bulk_create(
        [
            DaySum(
                organization_id=organization_id,
                day=first + timedelta(days=at),
                source=Source.ACTIVITY,
                upstream=Decimal(0),
            )
            for at in range(len(days))
        ],
        ignore_conflicts=True,
    )
