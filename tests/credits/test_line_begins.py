"""The line of the balance in its first minutes, and where there is little of it."""

from __future__ import annotations

import re
from datetime import timedelta

from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from tests.credits.balances import NOW, read, texts
from tests.credits.test_credits_page import DAY, HOUR, at_noon, page, reader, words

__all__ = ["at_noon", "reader"]  # fixtures


def test_the_line_begins_minutes_after_connecting(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    """Two readings of the same hour are two points, in whatever range."""
    read(
        organization, until=NOW - timedelta(minutes=3), span=timedelta(minutes=5), every=timedelta(minutes=5)
    )
    for query in ("7d", "30d", "90d", "12m", "all"):
        html = page(reader, f"?range={query}")
        assert re.findall(r'<tr data-across="([\d.]+)"', html) == ["0.00", "62.50"]
        assert "No readings" not in texts(html)


def test_a_balance_that_stands_still_is_a_line_to_where_it_was_asked_for(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    """What is unchanged leaves no second reading, and is known all the same."""
    read(organization, until=NOW - timedelta(minutes=20), span=timedelta(0), every=HOUR)
    SyncRun.objects.create(
        organization=organization, kind="credits", state="ok", started_at=NOW - timedelta(minutes=5)
    )
    html = page(reader)
    assert re.findall(r'<tr data-across="([\d.]+)"', html) == ["0.00", "75.00"]
    assert "No line yet" not in texts(html)


def test_the_only_reading_of_a_range_is_not_called_none(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, until=NOW - 3 * DAY, span=20 * DAY, every=20 * DAY)
    found = words(reader, "?range=7d")
    assert (
        "No line yet The last reading is of 22 Nov 2026, 09:30 UTC; the line begins with the next." in found
    )
    assert "older than this range" not in found


def test_readings_older_than_the_range(at_noon: None, organization: Organization, reader: Client) -> None:
    read(organization, until=NOW - 60 * DAY, span=10 * DAY, every=HOUR)
    assert "No readings in these days" in words(reader, "?range=7d")
    assert "data-chart-plot" in page(reader, "?range=90d")
