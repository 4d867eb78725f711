"""The pull of today: hour by hour, as far as analytics has it, until activity knows the whole day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
from orgadmin.inventory.leases import Holding
from orgadmin.inventory.models import SyncRun, Workspace
from orgadmin.inventory.nouns import stored
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter.analytics import Query, Row
from orgadmin.usage.asking import whole
from orgadmin.usage.clock import midnight, today
from orgadmin.usage.models import DaySum, Dimension, Source, UsageHour
from orgadmin.usage.names import model_ids, provider_ids

METRICS = (
    "request_count",
    "tokens_prompt",
    "tokens_completion",
    "reasoning_tokens",
    "credits_usage",
    "byok_usage",
)
NAMES: dict[Dimension, tuple[str, ...]] = {
    Dimension.TOTAL: (),
    Dimension.MODEL: ("model",),
    Dimension.WORKSPACE: ("workspace",),
    Dimension.PROVIDER: ("provider",),
}
KEEP = timedelta(days=40)


def open_since(organization: Organization) -> date:
    """The first day that activity does not cover yet: today, and yesterday for half an hour."""
    last = DaySum.objects.filter(organization=organization, source=Source.ACTIVITY).aggregate(last=Max("day"))
    yesterday = today() - timedelta(days=1)
    return today() if last["last"] is not None and last["last"] >= yesterday else yesterday


def pull_today(run: SyncRun, held: Holding) -> None:
    """The body of the kind "today": one dimension after the other, each written as it arrives. Raises
    OpenRouterError and LeaseLost; what was written until then stays."""
    organization = run.organization
    client = client_for(organization, patience=PATIENCE)
    start, end = midnight(open_since(organization)), timezone.now().replace(microsecond=0)
    try:
        for dimension, dimensions in NAMES.items():
            question = Query(metrics=METRICS, dimensions=dimensions, granularity="hour", start=start, end=end)
            answer = list(whole(client, held, question))
            _write(run, held, start, dimension, list(_hours(organization, dimension, answer)))
    finally:
        run.calls = client.calls


def _write(run: SyncRun, held: Holding, start: datetime, dimension: Dimension, rows: list[UsageHour]) -> None:
    """The hours of one dimension, as soon as they are there: what another one fails at is not theirs."""
    held.renew()
    kept = UsageHour.objects.filter(organization_id=run.organization_id, dimension=dimension)
    with transaction.atomic():
        kept.filter(hour__gte=start).delete()
        kept.filter(hour__lt=start - KEEP).delete()
        UsageHour.objects.bulk_create(rows, batch_size=500)
    run.seen += len(rows)


def _hours(organization: Organization, dimension: Dimension, rows: list[Row]) -> Iterator[UsageHour]:
    part = _parts(organization, dimension, rows)
    found: dict[tuple[object, int], UsageHour] = {}
    for row in rows:
        assert row.moment is not None
        number = part(row)
        # Two labels that we cannot tell apart are one.
        hour = found.setdefault(
            (row.moment, number),
            UsageHour(organization_id=organization.pk, dimension=dimension, hour=row.moment, part=number),
        )
        hour.requests += row.count("request_count")
        hour.prompt_tokens += row.count("tokens_prompt")
        hour.completion_tokens += row.count("tokens_completion")
        hour.reasoning_tokens += row.count("reasoning_tokens")
        hour.usage += stored(row.amount("credits_usage"))
        hour.byok_usage += stored(row.amount("byok_usage"))
    yield from found.values()


def _parts(organization: Organization, dimension: Dimension, rows: list[Row]) -> Callable[[Row], int]:
    """From a row's label to the row of ours that it names; 0 where there is none, or more than one."""
    if dimension is Dimension.TOTAL:
        return lambda row: 0
    (name,) = NAMES[dimension]
    labels = [row.dimensions[name] or "" for row in rows]
    if dimension is Dimension.MODEL:
        ids = model_ids({label: "" for label in labels if label})
    elif dimension is Dimension.PROVIDER:
        ids = provider_ids(labels)
    else:
        ids = _workspaces(organization)
    return lambda row: ids.get(row.dimensions[name] or "", 0)


def _workspaces(organization: Organization) -> dict[str, int]:
    """Analytics names a workspace; a name that two have says nothing."""
    found: dict[str, int] = {}
    for pk, name in Workspace.objects.filter(organization=organization).values_list("pk", "name"):
        found[name] = 0 if name in found else pk
    return found
