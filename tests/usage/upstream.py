"""What OpenRouter says of use, read without any code of ours, and what we hold in the same shape."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import requests
from django.db.models import QuerySet

from orgadmin.accounts.models import Organization
from orgadmin.inventory.money import to_nano
from orgadmin.usage.models import DaySum, Dimension, Grain, UsageDay, UsageRollup
from orgadmin.usage.store import rebuild_rollups
from tests.sandbox_server import RunningSandbox
from tests.usage.facts import rolled_up

# Requests, credits and BYOK in nano-dollars.
Sums = tuple[int, int, int]


@dataclass(frozen=True)
class Upstream:
    running: RunningSandbox

    def rows(self, **filters: str) -> list[dict[str, Any]]:
        """``GET /activity``; the recorder counts only what we sent, so it is cleared of this."""
        before = self.running.sandbox.requests().counts
        answer = requests.get(
            f"{self.running.url}/activity",
            params=filters,
            headers={"Authorization": f"Bearer {self.running.sandbox.management_key}"},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text
        assert not before, "Read the counts before asking upstream."
        self.running.sandbox.clear_requests()
        rows: list[dict[str, Any]] = json.loads(answer.text, parse_float=Decimal)["data"]
        return rows

    def by_day(self, **filters: str) -> dict[date, Sums]:
        return self.by(lambda row: date.fromisoformat(row["date"]), **filters)

    def by(self, group: Callable[[dict[str, Any]], Any], **filters: str) -> dict[Any, Sums]:
        return added(
            (
                group(row),
                (row["requests"], nano(row["usage"]), nano(row["byok_usage_inference"])),
            )
            for row in self.rows(**filters)
        )

    def analytics(self, since: date, until: date, *filters: dict[str, str]) -> dict[date, Sums]:
        """``POST /analytics/query`` by day, of everything together."""
        answer = requests.post(
            f"{self.running.url}/analytics/query",
            json={
                "metrics": ["request_count", "credits_usage", "byok_usage"],
                "granularity": "day",
                "time_range": {
                    "start": f"{since}T00:00:00Z",
                    "end": f"{until + timedelta(days=1)}T00:00:00Z",
                },
                "filters": list(filters),
                "limit": 10_000,
            },
            headers={"Authorization": f"Bearer {self.running.sandbox.management_key}"},
            timeout=20,
        )
        assert answer.status_code == 200, answer.text
        self.running.sandbox.clear_requests()
        rows = json.loads(answer.text, parse_float=Decimal)["data"]["data"]
        return added((_day_of(row), _sums_of(row)) for row in rows)

    def seen(self) -> list[dict[str, str]]:
        """The queries of the calls to activity since the last time, which are then forgotten."""
        calls = self.running.sandbox.requests()
        self.running.sandbox.clear_requests()
        return [call.query for call in calls.last if call.endpoint == "GET /activity"]


def _day_of(row: dict[str, Any]) -> date:
    (name,) = (name for name in row if name.endswith("__day"))
    return date.fromisoformat(row[name][:10])


def _sums_of(row: dict[str, Any]) -> Sums:
    return int(row["request_count"]), nano(row["credits_usage"] or 0), nano(row["byok_usage"] or 0)


def nano(value: Any) -> int:
    return to_nano(Decimal(value))


def added(rows: Iterable[tuple[Any, Sums]]) -> dict[Any, Sums]:
    found: dict[Any, Sums] = defaultdict(lambda: (0, 0, 0))
    for group, sums in rows:
        found[group] = tuple(a + b for a, b in zip(found[group], sums, strict=True))  # type: ignore[assignment]
    return {group: sums for group, sums in found.items() if any(sums)}


def ours(
    organization: Organization, group: str = "day", facts: QuerySet[UsageDay] | None = None
) -> dict[Any, Sums]:
    """Our facts in the same shape."""
    facts = UsageDay.objects.all() if facts is None else facts
    rows = facts.filter(organization_id=organization.pk).values_list(group, "requests", "usage", "byok_usage")
    return added((row[0], (row[1], nano(row[2]), nano(row[3]))) for row in rows)


def assert_reconciled(organization: Organization, upstream: Upstream) -> dict[date, Sums]:
    """Every day of upstream's is ours to the nano-dollar: facts, roll-ups and the total we noted."""
    upstream.running.sandbox.clear_requests()
    truth = upstream.by_day()
    held = {day: sums for day, sums in ours(organization).items() if day >= min(truth)} if truth else {}
    assert held == truth
    noted = DaySum.objects.filter(organization=organization, day__in=truth)
    assert {row.day: (row.upstream_requests, nano(row.upstream)) for row in noted} == {
        day: (sums[0], sums[1] + sums[2]) for day, sums in truth.items()
    }
    totals = UsageRollup.objects.filter(
        organization_id=organization.pk, dimension=Dimension.TOTAL, grain=Grain.DAY, start__in=truth
    )
    assert {row.start: nano(row.usage + row.byok_usage) for row in totals} == {
        day: sums[1] + sums[2] for day, sums in truth.items()
    }
    assert_rolled_up(organization)
    return truth


def assert_rolled_up(organization: Organization) -> None:
    before = rolled_up(organization.pk)
    rebuild_rollups(organization_id=organization.pk)
    assert rolled_up(organization.pk) == before


def ago(today: date, days: int) -> date:
    return today - timedelta(days=days)
