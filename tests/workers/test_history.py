"""A year of history by a real worker, killed in the middle of it and taken up by another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.services import request_pull, run_pull
from orgadmin.sandbox.app import Options
from orgadmin.usage.clock import HISTORY_DAYS, today
from orgadmin.usage.models import DaySum, HistoryPart, Source, UsageDay
from tests.sandbox_server import RunningSandbox, running_sandbox
from tests.usage.upstream import Upstream, ago, assert_rolled_up, ours
from tests.workers.crew import Crew
from tests.workers.database import pass_time
from tests.workers.test_pulls import LEASE
from tests.workers.waiting import eventually


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """An organization with something behind it; the usual one is a month old."""
    with running_sandbox(Options(keys=12, members=4, workspaces=2, days=120)) as running:
        yield running


def asked(sandbox: RunningSandbox) -> Counter[str]:
    """Whose history was asked for, and how often; "" is everybody's. Other questions ask by the hour, or for
    a month."""
    bodies = [
        call.body for call in sandbox.sandbox.requests().last if call.endpoint == "POST /analytics/query"
    ]
    return Counter(
        next((one["value"] for one in body.get("filters", ())), "")
        for body in bodies
        if "cached_tokens" in body["metrics"]
    )


def test_history_whose_worker_was_killed_goes_on_where_it_was(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    activity = request_pull(organization=synced, kind="activity")
    run_pull(run_id=activity.pk)
    recent = ours(synced)
    sandbox.sandbox.clear_requests()
    # The answer to the sixth question is long in coming: five keys are written by then.
    sandbox.sandbox.fault(kind="delay", path="/analytics/query", seconds=0, times=5)
    sandbox.sandbox.fault(kind="delay", path="/analytics/query", seconds=30)

    killed = crew.worker("killed", OPENROUTER_ANALYTICS_RATE="1000")
    request_pull(organization=synced, kind="history")
    eventually(lambda: sum(asked(sandbox).values()) == 6, "the sixth question is asked")
    killed.kill()
    assert HistoryPart.objects.exclude(done_at=None).count() == 5

    crew.worker("heir", OPENROUTER_ANALYTICS_RATE="1000")
    crew.beat()
    pass_time(LEASE)
    eventually(
        lambda: SyncRun.objects.filter(kind="history", state=SyncRun.State.OK).exists(), "history is there"
    )

    assert not HistoryPart.objects.filter(done_at=None).exists()
    questions = asked(sandbox)
    assert len(questions) > 6
    assert set(questions) <= {"", *Key.objects.values_list("hash", flat=True)}
    assert sorted(questions.values())[-2:] == [1, 2], "only the unanswered question was asked again"
    first, last = ago(today(), HISTORY_DAYS - 1), ago(today(), 31)
    truth = Upstream(sandbox).analytics(first, last)
    held = ours(synced)
    assert truth
    assert {day: sums for day, sums in held.items() if day <= last} == truth
    assert {day: sums for day, sums in held.items() if day > last} == recent
    assert DaySum.objects.filter(source=Source.ANALYTICS).count() == (last - first + timedelta(days=1)).days
    assert not UsageDay.objects.filter(day__lte=last, provider_id__gt=0).exists()
    assert_rolled_up(synced)
