"""The daily harvest of what analytics forgets after 31 days: latency, throughput, why answers ended, apps."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.audit.text import writable
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import analytics
from orgadmin.openrouter.analytics import Meta, Query, Row
from orgadmin.usage.asking import days, whole
from orgadmin.usage.clock import last_complete_day, today
from orgadmin.usage.models import Harvest, HarvestMetric

Metrics = Mapping[str, int | Decimal | None]

WINDOW_DAYS = 31
# What is asked of each dimension, as far as this account offers it.
WANTED: dict[str, tuple[str, ...]] = {
    "": ("request_count", "cache_hit_rate", "avg_latency", "p50_latency", "p90_latency", "p99_latency",
         "avg_throughput", "guardrail_invoked_count", "response_cached_count", "openrouter_usage",
         "byok_fees", "usage_cache", "usage_web", "usage_file"),
    "provider": ("request_count", "p50_latency", "p90_latency", "p50_throughput", "p90_throughput",
                 "cache_hit_rate"),
    "model": ("request_count", "p50_latency", "p90_latency", "p50_throughput", "cache_hit_rate",
              "guardrail_invoked_count"),
    "finish_reason": ("request_count",),
    "app": ("request_count", "total_usage"),
}  # fmt: skip


def pull_harvest(run: SyncRun, held: Holding) -> None:
    """The body of the kind "harvest": every day since the last, a month of them at first. A day that does not
    fit into an answer is left out, and the run's row says so. Raises OpenRouterError and LeaseLost."""
    organization = run.organization
    since, until = _missing(organization), last_complete_day()
    if since > until:
        return
    client = client_for(organization, patience=PATIENCE)
    rows: list[Harvest] = []
    left_out: dict[str, list[datetime]] = {}
    try:
        offered = analytics.meta(client)
        sums = {metric.name for metric in offered.metrics if metric.is_additive}
        for question in _questions(offered, since, until):
            missing = left_out.setdefault(_name(question), [])
            found = whole(client, held, question, left_out=missing)
            rows += _rows(organization, question, found, sums)
    finally:
        run.calls = client.calls
    run.error = _without(left_out)
    held.renew()
    run.seen = len(rows)
    with transaction.atomic():
        Harvest.objects.filter(organization=organization, day__range=(since, until)).delete()
        Harvest.objects.bulk_create(rows, batch_size=500)
        _describe(organization, offered, rows)


def _describe(organization: Organization, offered: Meta, rows: Iterable[Harvest]) -> None:
    """Keep what the metrics of these rows are: a page that shows them asks OpenRouter nothing."""
    known = {metric.name: metric for metric in offered.metrics}
    there = dict.fromkeys(
        (row.dimension, name)
        for row in rows
        for name, value in row.metrics.items()
        if value is not None and name in known
    )
    HarvestMetric.objects.bulk_create(
        [
            HarvestMetric(
                organization=organization,
                dimension=dimension,
                name=name,
                display_label=writable(known[name].display_label)[:200],
                display_format=writable(known[name].display_format)[:60],
                is_rate=known[name].is_rate,
            )
            for dimension, name in there
        ],
        update_conflicts=True,
        unique_fields=["organization", "dimension", "name"],
        update_fields=["display_label", "display_format", "is_rate"],
    )


def _missing(organization: Organization) -> date:
    """The first day to harvest."""
    last = Harvest.objects.filter(organization=organization).aggregate(last=Max("day"))["last"]
    oldest = today() - timedelta(days=WINDOW_DAYS - 1)
    return max(oldest, last + timedelta(days=1)) if last else oldest


def _questions(offered: Meta, since: date, until: date) -> list[Query]:
    metrics = {metric.name for metric in offered.metrics}
    dimensions = {dimension.name for dimension in offered.dimensions}
    start, end = days(since, until)
    return [
        Query(
            metrics=tuple(name for name in wanted if name in metrics),
            dimensions=(dimension,) if dimension else (),
            granularity="day",
            start=start,
            end=end,
        )
        for dimension, wanted in WANTED.items()
        if (not dimension or dimension in dimensions) and metrics.intersection(wanted)
    ]


def _name(question: Query) -> str:
    return question.dimensions[0] if question.dimensions else ""


def _without(left_out: Mapping[str, list[datetime]]) -> str:
    """What the Sync page says of days that are missing; nothing where none is."""
    parts = [
        f"{name.replace('_', ' ') or 'total'} on {missing[0].date()}"
        + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        for name, missing in left_out.items()
        if missing
    ]
    return f"Left out, because OpenRouter gives only part of it: {'; '.join(parts)}" if parts else ""


def _rows(
    organization: Organization, question: Query, rows: Iterable[Row], sums: Collection[str]
) -> list[Harvest]:
    """A row for each day and label. A row that comes twice is one; of two apps that share their title
    ``sums`` are added up, and the rest is not known: the rate of both is no sum of the two."""
    name = _name(question)
    found: dict[tuple[date, str], list[Metrics]] = {}
    for row in rows:
        assert row.moment is not None
        label = writable(row.dimensions[name] or "")[:300] if name else ""
        same = found.setdefault((row.moment.date(), label), [])
        if row.metrics not in same:
            same.append(row.metrics)
    return [
        Harvest(
            organization=organization,
            day=day,
            dimension=name,
            label=label,
            metrics=dict(same[0]) if len(same) == 1 else _together(same, sums),
        )
        for (day, label), same in found.items()
    ]


def _together(several: Iterable[Metrics], sums: Collection[str]) -> Metrics:
    found: dict[str, int | Decimal | None] = {}
    for metrics in several:
        for name, value in metrics.items():
            found[name] = (found.get(name) or 0) + (value or 0) if name in sums else None
    return found
