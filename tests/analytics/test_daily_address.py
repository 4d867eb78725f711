"""The daily record where there is none, its addresses, and its file."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization
from orgadmin.usage.models import Harvest, HarvestMetric
from tests.analytics.asking import HTMX
from tests.analytics.daily import (
    METRICS,
    PAGE,
    ago,
    cells,
    record,
    shown,
    tile,
)
from tests.bad_input import TEXTS

# --- nothing there ---------------------------------------------------------------------------------


def test_before_the_first_harvest_the_page_says_when_it_comes(reader: Client) -> None:
    page = shown(reader)
    assert "Nothing is recorded yet" in page
    assert 'href="/o/acme/sync/"' in page
    assert "daily/csv/" not in page


def test_an_account_without_analytics_is_told_so(reader: Client, synced: Organization) -> None:
    synced.capabilities = {"analytics": False}
    synced.save()
    assert "OpenRouter does not offer analytics to this account." in shown(reader)
    record(synced, ago(9), "Azure", request_count=3)
    page = shown(reader, "?by=provider")
    assert "does not offer analytics to this account any more" in page
    assert cells(page) == [["Azure", "3", "100.0 %"]]


def test_days_outside_the_record_say_where_it_lies(reader: Client, synced: Organization) -> None:
    record(synced, ago(9), "Azure", request_count=3)
    for days in ("since=2021-01-01&until=2021-02-01", "since=2027-01-01&until=2028-02-01"):
        page = shown(reader, f"?by=provider&{days}")
        assert "No record of these days" in page
        assert "It goes from 8 Mar 2026 to 8 Mar 2026." in page
        assert f'href="{PAGE}?by=provider&amp;metric=request_count&amp;range=all"' in page


def test_days_with_nothing_above_zero_have_no_picture(reader: Client, synced: Organization) -> None:
    record(synced, ago(1), "Azure", request_count=0)
    page = shown(reader, "?by=provider")
    assert "Nothing to draw" in page
    assert cells(page) == [["Azure", "0", "—"]]


def test_another_organizations_record_is_not_shown(reader: Client, synced: Organization) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", key_hash="b" * 64)
    record(other, ago(1), "Secretive", request_count=3)
    assert "Nothing is recorded yet" in shown(reader)
    record(synced, ago(1), "Azure", request_count=1)
    page = shown(reader, "?by=provider")
    assert "Secretive" not in page
    assert tile(page, "Requests") == "1"


# --- the address -----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["by", "metric", "range", "since", "until", "page"])
def test_nonsense_in_the_address_is_dropped(reader: Client, synced: Organization, field: str) -> None:
    record(synced, ago(1), "Azure", request_count=3, p50_latency=Decimal(5))
    for text in (*TEXTS, "2026-02-30", "2026-03-01"):
        for path in ("", "csv/"):
            response: Any = reader.get(f"{PAGE}{path}", {"by": "provider", field: text[:3000]})
            assert response.status_code == 200, (field, text[:40])


def test_half_a_range_waits_for_the_other_day_and_a_reversed_one_is_turned(
    reader: Client, synced: Organization
) -> None:
    record(synced, ago(1), "Azure", request_count=3)
    assert "Choose the last day too" in shown(reader, "?by=provider&since=2026-03-01")
    page = shown(reader, "?by=provider&since=2026-03-16&until=2026-03-01")
    assert 'name="since" value="2026-03-01"' in page
    assert tile(page, "Requests") == "3"


def test_a_metric_that_the_dimension_lacks_gives_way(reader: Client, synced: Organization) -> None:
    record(synced, ago(1), "Azure", request_count=3)
    record(synced, ago(1), by="", byok_fees=Decimal(2), request_count=3)
    page = shown(reader, "?by=provider&metric=byok_fees")
    assert tile(page, "Requests") == "3"


def test_htmx_gets_the_figures_and_the_ranges_and_a_browser_the_page(
    reader: Client, synced: Organization
) -> None:
    record(synced, ago(1), "Azure", request_count=3)
    part = shown(reader, "?by=provider&range=90d", **HTMX)
    assert "<!DOCTYPE" not in part
    assert 'id="daily"' in part
    assert 'id="ranges" aria-label="Range" hx-swap-oob="true"' in part
    whole = shown(reader, "?by=provider&range=90d")
    assert "<!DOCTYPE html>" in whole
    assert 'hx-push-url="true"' in whole
    assert '<button class="button no-script" type="submit">Apply' in whole
    assert 'href="?by=provider&amp;metric=request_count&amp;range=12m"' in whole


@pytest.mark.parametrize("metric", ["request_count", "p50_latency"])
def test_more_rows_are_not_more_queries(reader: Client, synced: Organization, metric: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(reader, f"?by=provider&metric={metric}&range=all")
        return len(queries)

    record(synced, ago(1), "Azure", request_count=3, p50_latency=Decimal(5))
    shown(reader)
    few = count()
    for number in range(60):
        for days in (2 + number, 90, 300):
            record(synced, ago(days), f"P{number}", request_count=3, p50_latency=Decimal(5))
    assert count() == few


# --- the file --------------------------------------------------------------------------------------


def rows_of(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    assert response.streaming
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_the_file_has_the_chosen_rows_with_every_digit(reader: Client, synced: Organization) -> None:
    record(synced, ago(2), "Groq", request_count=4, byok_fees=Decimal("0.00000000012"), p50_latency=None)
    record(synced, ago(1), "=HYPERLINK(1)", request_count=5, byok_fees=Decimal("-1E+3"))
    record(synced, ago(1), "Azure", request_count=6, p50_latency=Decimal("7.50"))
    record(synced, ago(40), "Azure", request_count=7)
    record(synced, ago(1), "Somewhere", by="app", request_count=8)
    HarvestMetric.objects.all().delete()
    for name, (label, display_format, is_rate) in METRICS.items():
        HarvestMetric.objects.create(
            organization=synced,
            dimension="provider",
            name=name,
            display_label=label,
            display_format=display_format,
            is_rate=is_rate,
        )
    page = shown(reader, "?by=provider&metric=request_count")
    (address,) = re.findall(r'href="([^"]*daily/csv/[^"]*)"', page)
    head, *rows = rows_of(reader.get(address.replace("&amp;", "&")))
    assert head == ["Day (UTC)", "Provider", "Requests", "P50 latency", "Cache hit rate", "BYOK fees"]
    assert rows == [
        ["2026-03-15", "Groq", "4", "", "", "0.00000000012"],
        ["2026-03-16", "'=HYPERLINK(1)", "5", "", "", "-1000"],
        ["2026-03-16", "Azure", "6", "7.50", "", ""],
    ]
    assert len(rows_of(reader.get(f"{PAGE}csv/?by=provider&range=all"))) == 5


def test_everything_together_has_no_column_of_names_and_no_record_no_rows(
    reader: Client, synced: Organization
) -> None:
    assert rows_of(reader.get(f"{PAGE}csv/")) == [["Day (UTC)"]]
    record(synced, ago(1), by="", request_count=8)
    assert rows_of(reader.get(f"{PAGE}csv/")) == [["Day (UTC)", "Requests"], ["2026-03-16", "8"]]


def test_the_file_is_written_in_one_query_while_it_is_sent(reader: Client, synced: Organization) -> None:
    rows = [
        Harvest(
            organization=synced, day=ago(1), dimension="app", label=f"{at}", metrics={"request_count": at}
        )
        for at in range(2500)
    ]
    Harvest.objects.bulk_create(rows)
    record(synced, ago(2), by="app", request_count=1)
    response: Any = reader.get(f"{PAGE}csv/?by=app")
    with CaptureQueriesContext(connection) as queries:
        assert len(b"".join(response.streaming_content).splitlines()) == 2502
    assert len(queries) == 1
