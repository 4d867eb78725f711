"""What analytics forgets after 31 days, kept for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.pull import PATIENCE
from orgadmin.openrouter import analytics
from orgadmin.usage.clock import midnight
from orgadmin.usage.models import Harvest, HarvestMetric
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.upstream import Upstream, ago

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def days() -> list[Any]:
    return sorted(set(Harvest.objects.values_list("day", flat=True)))


def rows() -> dict[Any, Any]:
    found = Harvest.objects.values_list("day", "dimension", "label", "metrics")
    return {row[:3]: row[3] for row in found}


def test_the_first_harvest_is_a_month_of_every_dimension(
    synced: Organization, sandbox: RunningSandbox, upstream: Upstream, pulled: Pull
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled("harvest")
    assert sandbox.sandbox.requests().counts == {"GET /analytics/meta": 1, "POST /analytics/query": 5}
    assert run.seen == Harvest.objects.count()
    assert (days()[0], days()[-1]) == (ago(TODAY, 30), ago(TODAY, 1))
    assert set(Harvest.objects.values_list("dimension", flat=True)) == {
        "", "provider", "model", "finish_reason", "app",
    }  # fmt: skip
    upstream.seen()
    truth = upstream.analytics(ago(TODAY, 30), ago(TODAY, 1))
    for day, (requests, *_) in truth.items():
        whole = Harvest.objects.get(day=day, dimension="")
        assert whole.metrics["request_count"] == requests
        assert 0 <= Decimal(whole.metrics["cache_hit_rate"]) <= 1
        # Numbers of requests add up to the whole in every dimension; rates would not.
        for dimension in ("provider", "model", "finish_reason", "app"):
            parts = Harvest.objects.filter(day=day, dimension=dimension)
            assert sum(part.metrics["request_count"] for part in parts) == requests


def test_afterwards_only_the_new_days_are_asked_for(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("harvest")
    before = rows()
    sandbox.sandbox.clear_requests()
    assert pulled("harvest").calls == 0

    clock.move_to(NOON + timedelta(days=2))
    pulled("harvest")
    starts = {
        call.body["time_range"]["start"]
        for call in sandbox.sandbox.requests().last
        if call.endpoint == "POST /analytics/query"
    }
    assert starts == {f"{TODAY}T00:00:00Z"}
    after = rows()
    assert {place: after[place] for place in before} == before
    assert days()[-1] == TODAY + timedelta(days=1)


def test_what_the_metrics_are_is_kept_and_renewed(
    synced: Organization, pulled: Pull, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled("harvest")
    metrics = HarvestMetric.objects.filter(organization=synced)
    there = {(row.dimension, name) for row in Harvest.objects.all() for name in row.metrics}
    assert set(metrics.values_list("dimension", "name")) <= there
    latency = metrics.get(dimension="provider", name="p90_latency")
    assert (latency.display_label, latency.display_format) == ("P90 latency", "latency")
    hits = metrics.get(dimension="model", name="cache_hit_rate")
    assert (hits.display_format, hits.is_rate) == ("percent", True)

    meta = analytics.meta

    def renamed(*given: Any) -> analytics.Meta:
        offered = meta(*given)
        return replace(
            offered,
            metrics=tuple(replace(one, display_label=f"{one.name}\x00, renamed") for one in offered.metrics),
        )

    monkeypatch.setattr(analytics, "meta", renamed)
    clock.move_to(NOON + timedelta(days=1))
    before = metrics.count()
    pulled("harvest")
    assert metrics.count() == before
    latency.refresh_from_db()
    assert latency.display_label == "p90_latency, renamed"


def test_after_a_long_silence_it_takes_what_is_still_there(
    synced: Organization, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("harvest")
    clock.move_to(NOON + timedelta(days=60))
    pulled("harvest")
    found = days()
    assert TODAY + timedelta(days=10) not in found
    assert found[-30:] == [TODAY + timedelta(days=ahead) for ahead in range(30, 60)]


def test_a_failure_in_the_middle_leaves_everything_to_the_next_pull(
    synced: Organization,
    sandbox: RunningSandbox,
    pull: Pull,
    pulled: Pull,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgadmin.usage.harvest.PATIENCE", replace(PATIENCE, tries=1))
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=3)
    sandbox.sandbox.fault(kind="status", status=500, path="/analytics/query")
    assert pull("harvest").state == SyncRun.State.FAILED
    assert not days()
    pulled("harvest")
    assert len(days()) == 30


def test_a_day_of_a_dimension_that_does_not_fit_is_left_out_and_told(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch, viewer: User, sign_in: SignIn
) -> None:
    """The other dimensions, and the other days, are kept."""
    query = analytics.query
    full = {midnight(ago(TODAY, 3)), midnight(ago(TODAY, 9))}

    def cut(client: Any, question: analytics.Query) -> analytics.Answer:
        answer = query(client, question)
        assert question.start
        assert question.end
        is_cut = any(question.start <= day < question.end for day in full)
        return replace(answer, truncated=is_cut and question.dimensions == ("app",))

    monkeypatch.setattr(analytics, "query", cut)
    run = pulled("harvest")
    assert (
        run.error == f"Left out, because OpenRouter gives only part of it: app on {ago(TODAY, 9)} and 1 more"
    )
    assert f"{run.error}." in sign_in(viewer).get("/o/acme/sync/").content.decode()
    kept = {name: Harvest.objects.filter(dimension=name).values("day").distinct() for name in ("", "app")}
    assert {name: rows.count() for name, rows in kept.items()} == {"": 30, "app": 28}
    assert not Harvest.objects.filter(dimension="app", day=ago(TODAY, 3)).exists()


def test_a_day_that_takes_too_long_is_not_left_out_for_ever(
    synced: Organization, sandbox: RunningSandbox, pull: Pull, pulled: Pull
) -> None:
    sandbox.sandbox.fault(kind="delay", seconds=0, path="/analytics/query", times=1)
    sandbox.sandbox.fault(kind="status", status=408, path="/analytics/query", times=200)
    assert pull("harvest").state == SyncRun.State.FAILED
    assert not days()
    sandbox.sandbox.clear_faults()
    pulled("harvest")
    assert len(days()) == 30


def test_what_an_account_is_not_offered_is_not_asked_for(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = analytics.meta

    def less(*given: Any) -> analytics.Meta:
        offered = meta(*given)
        return replace(
            offered,
            metrics=tuple(one for one in offered.metrics if one.name == "request_count"),
            dimensions=tuple(one for one in offered.dimensions if one.name == "model"),
        )

    monkeypatch.setattr(analytics, "meta", less)
    sandbox.sandbox.clear_requests()
    pulled("harvest")
    assert sandbox.sandbox.requests().count("POST /analytics/query") == 2
    assert set(Harvest.objects.values_list("dimension", flat=True)) == {"", "model"}


def test_labels_that_no_database_takes_and_rows_that_come_twice(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = analytics.query

    def odd(client: Any, question: analytics.Query) -> analytics.Answer:
        answer = query(client, question)
        if question.dimensions != ("app",):
            return answer
        odd = tuple(
            replace(row, dimensions={"app": f"a\x00p\ud800p {row.dimensions['app']}" + "x" * 400})
            for row in answer.rows
        )
        return replace(answer, rows=(*odd, *odd))

    monkeypatch.setattr(analytics, "query", odd)
    pulled("harvest")
    labels = Harvest.objects.filter(dimension="app").values_list("label", flat=True)
    assert labels
    assert not any("\x00" in label for label in labels)


def test_two_apps_of_one_title_are_added_up_and_a_row_that_comes_twice_is_one(
    synced: Organization, pulled: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = analytics.query
    asked: list[int] = []

    def odd(client: Any, question: analytics.Query) -> analytics.Answer:
        answer = query(client, question)
        if question.dimensions == ("app",):
            asked.extend(int(row.metrics["request_count"] or 0) for row in answer.rows)
            rows = tuple(replace(row, dimensions={"app": "Tool"}) for row in answer.rows)
            return replace(answer, rows=(*rows, *rows))
        if question.dimensions == ("provider",):
            return replace(
                answer, rows=tuple(replace(row, dimensions={"provider": "House"}) for row in answer.rows)
            )
        return answer

    monkeypatch.setattr(analytics, "query", odd)
    pulled("harvest")
    apps = [metrics for (_, dimension, _), metrics in rows().items() if dimension == "app"]
    assert len(apps) == len(days())
    assert sum(metrics["request_count"] for metrics in apps) == sum(asked)
    houses = [metrics for (_, dimension, _), metrics in rows().items() if dimension == "provider"]
    assert all(metrics["request_count"] > 0 for metrics in houses)
    assert [metrics["p50_latency"] for metrics in houses] == [None] * len(houses)


@pytest.mark.parametrize("clock", [datetime(2028, 3, 1, 0, 0, 5, tzinfo=UTC)], indirect=True)
def test_just_after_midnight_the_leap_day_is_left_for_later(
    synced: Organization, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("harvest")
    assert days()[-1] == datetime(2028, 2, 28).date()  # noqa: DTZ001
    clock.move_to(datetime(2028, 3, 1, 1, 15, tzinfo=UTC))
    pulled("harvest")
    assert days()[-1] == datetime(2028, 2, 29).date()  # noqa: DTZ001
