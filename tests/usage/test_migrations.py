"""What migrations do to rows that are there already."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import Dimension, Grain, HarvestMetric, UsageRollup

pytestmark = pytest.mark.django_db(transaction=True)
MAY = {"organization_id": 1, "dimension": Dimension.KEY, "grain": Grain.MONTH, "start": date(2026, 5, 1)}


def test_the_owners_of_a_key_within_a_month_become_one_row() -> None:
    MigrationExecutor(connection).migrate([("usage", "0003_saved_query")])
    try:
        before = MigrationExecutor(connection).loader.project_state([("usage", "0003_saved_query")])
        rows = before.apps.get_model("usage", "UsageRollup").objects
        for part, member, requests, usage in ((7, 1, 2, 10), (7, 2, 3, 5), (8, 1, 4, 1)):
            rows.create(**MAY, part=part, member_id=member, requests=requests, usage=usage, usage_above=usage)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("usage"))
    found = UsageRollup.objects.order_by("part").values_list("part", "requests", "usage", "usage_above")
    assert list(found) == [(7, 5, 15, 15), (8, 4, 1, 1)]


def test_the_metrics_of_an_old_harvest_are_named_and_left_undescribed() -> None:
    MigrationExecutor(connection).migrate([("usage", "0004_one_row_a_key_and_month")])
    try:
        organization = Organization.objects.create(name="Acme", slug="acme", key_hash="a" * 64)
        before = MigrationExecutor(connection).loader.project_state(
            [("usage", "0004_one_row_a_key_and_month")]
        )
        rows = before.apps.get_model("usage", "Harvest").objects
        for day, metrics in ((1, {"request_count": 1, "p50_latency": None}), (2, {"request_count": 2})):
            rows.create(
                organization_id=organization.pk,
                day=date(2026, 5, day),
                dimension="app",
                label="a",
                metrics=metrics,
            )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("usage"))
    (metric,) = HarvestMetric.objects.all()
    assert (metric.organization, metric.dimension, metric.name) == (organization, "app", "request_count")
    assert (metric.display_label, metric.display_format, metric.is_rate) == ("", "", True)
