"""What migrations do to rows that are there already."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from orgadmin.usage.models import Dimension, Grain, UsageRollup

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
