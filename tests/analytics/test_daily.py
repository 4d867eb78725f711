"""The daily record: what was harvested, day by day, long after OpenRouter forgot it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.analytics import kept
from dashboard.analytics.daily.drawing import middle, stretches
from orgadmin.accounts.models import Organization, User
from orgadmin.openrouter.analytics import Meta, Metric
from orgadmin.usage.models import Harvest, HarvestMetric, UsageModel, UsageProvider
from tests.analytics.asking import HTMX, text_of
from tests.analytics.daily import (
    METRICS,
    PAGE,
    ago,
    cells,
    figures,
    options,
    record,
    shown,
    tile,
)
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
# --- what a harvest brings -------------------------------------------------------------------------


def test_what_was_harvested_is_shown_and_openrouter_is_not_asked(
    noon: Any, synced: Organization, pulled: Pull, viewer: User, sign_in: SignIn, sandbox: RunningSandbox
) -> None:
    pulled("harvest")
    sandbox.sandbox.clear_requests()
    browser = sign_in(viewer)
    page = shown(browser)
    assert options(page, "by") == {
        "": "Everything together",
        "provider": "By provider",
        "model": "By model",
        "finish_reason": "By finish reason",
        "app": "By app",
    }
    assert options(page, "metric")["p90_latency"] == "P90 latency"
    rows = Harvest.objects.filter(dimension="")
    assert tile(page, "Requests") == f"{sum(row.metrics['request_count'] for row in rows):,}"
    assert tile(page, "Record begins") == "15 Feb 2026"
    assert tile(page, "Last day") == "16 Mar 2026"
    assert tile(page, "Days shown") == "30 of 30"

    page = shown(browser, "?by=provider&metric=p90_latency")
    providers = set(Harvest.objects.filter(dimension="provider").values_list("label", flat=True))
    assert {row[0] for row in cells(page)} == providers
    assert options(page, "metric").keys() == {
        name for row in Harvest.objects.filter(dimension="provider") for name in row.metrics
    }
    assert "ms" in page
    assert "UTC" in page
    assert sandbox.sandbox.requests().total == 0


def test_the_page_is_linked_both_ways_and_found(reader: Client) -> None:
    assert f'href="{PAGE}"' in text_of(reader.get("/o/acme/analytics/"))
    assert 'href="/o/acme/analytics/"' in shown(reader)
    assert f'href="{PAGE}"' in text_of(reader.get("/o/acme/search/?q=latency"))


@pytest.mark.parametrize("path", ["", "csv/"])
def test_members_see_nothing_of_it(synced: Organization, member: User, sign_in: SignIn, path: str) -> None:
    record(synced, date.today(), "Azure", request_count=1)  # noqa: DTZ011
    browser = sign_in(member)
    assert browser.get(f"{PAGE}{path}").status_code == 403
    assert PAGE not in text_of(browser.get("/o/acme/search/?q=latency"))


# --- what adds up ----------------------------------------------------------------------------------


def test_counts_are_added_up_with_their_share(reader: Client, synced: Organization) -> None:
    for days, azure, groq in ((1, 30, 5), (2, 20, 5), (40, 1000, 1)):
        record(synced, ago(days), "Azure", request_count=azure)
        record(synced, ago(days), "Groq", request_count=groq)
    page = shown(reader, "?by=provider&metric=request_count")
    assert cells(page) == [["Azure", "50", "83.3 %"], ["Groq", "10", "16.6 %"]]
    assert tile(page, "Requests") == "60"
    assert figures(page)["16 Mar 2026"] == ["30", "5", "35"]
    assert cells(shown(reader, "?by=provider&metric=request_count&range=all"))[0][1] == "1,050"


def test_money_keeps_every_digit(reader: Client, synced: Organization) -> None:
    for days, amount in ((1, "0.1"), (2, "0.2"), (3, "1234.000000001")):
        record(synced, ago(days), "Azure", byok_fees=Decimal(amount))
    page = shown(reader, "?by=provider&metric=byok_fees")
    assert 'title="$1,234.300000001">$1,234.30<' in page


def test_a_label_without_a_row_that_day_is_a_zero_and_what_is_below_zero_is_said(
    reader: Client, synced: Organization
) -> None:
    record(synced, ago(1), "Azure", byok_fees=Decimal("-2"))
    record(synced, ago(2), "Groq", byok_fees=Decimal("3"))
    page = shown(reader, "?by=provider&metric=byok_fees")
    assert figures(page) == {
        "15 Mar 2026": ["$3.00", "$0.00", "$3.00"],
        "16 Mar 2026": ["$0.00", "−$2.00", "−$2.00"],
    }
    assert "What is below zero has no bar" in page


def test_the_rest_is_one_colour_and_the_table_has_pages(reader: Client, synced: Organization) -> None:
    for number in range(60):
        record(synced, ago(1), f"Provider {number:02}", request_count=100 - number)
    page = shown(reader, "?by=provider&metric=request_count")
    rest = sum(100 - number for number in range(7, 60))
    assert "Everything else (53)" in page
    assert figures(page)["16 Mar 2026"][-2:] == [f"{rest:,}", f"{rest + 7 * 97:,}"]
    assert len(cells(page)) == 50
    assert "1–50 of 60 rows" in page
    second = shown(reader, "?by=provider&metric=request_count&page=2", **HTMX)
    assert [row[0] for row in cells(second)] == [f"Provider {number}" for number in range(50, 60)]


# --- what does not ---------------------------------------------------------------------------------


def test_rates_have_extremes_and_a_newest_day_but_no_sum(reader: Client, synced: Organization) -> None:
    for days, latency in ((5, "400.25"), (4, "100"), (3, "900")):
        record(synced, ago(days), "Azure", request_count=10, p50_latency=Decimal(latency))
    record(synced, ago(1), "Azure", request_count=10, p50_latency=None)
    record(synced, ago(1), "Groq", request_count=99, p50_latency=Decimal("50"))
    page = shown(reader, "?by=provider&metric=p50_latency")
    assert cells(page) == [
        ["Groq", "50 ms", "50 ms", "50 ms 16 Mar 2026", "1"],
        ["Azure", "100 ms", "900 ms", "900 ms 14 Mar 2026", "3"],
    ]
    assert "Together" not in page
    assert "Share" not in page
    for wrong in ("1,400 ms", "1,450 ms", "467 ms", "466 ms"):
        assert wrong not in page
    assert 'data-chart="lines"' in page


def test_the_lines_drawn_are_those_with_most_behind_them(reader: Client, synced: Organization) -> None:
    for number in range(9):
        record(synced, ago(1), f"P{number}", request_count=number, p50_latency=Decimal(100 - number))
        for days in range(1, number + 2):
            record(synced, ago(days), f"M{number}", by="model", p50_latency=Decimal(7))
    page = shown(reader, "?by=provider&metric=p50_latency")
    assert "7 of 9 lines are drawn, those with most requests: the table has all." in page
    legend = r'class="swatch series-\d"></span>([^<]*)'
    assert re.findall(legend, page) == ["P8", "P7", "P6", "P5", "P4", "P3", "P2"]
    assert len(cells(page)) == 9
    page = shown(reader, "?by=model")
    assert "those with most days" in page
    assert re.findall(legend, page) == ["M8", "M7", "M6", "M5", "M4", "M3", "M2"]


def test_missing_days_are_gaps_and_are_named(reader: Client, synced: Organization) -> None:
    for days in (7, 6, 3, 2):
        record(synced, ago(days), "Azure", request_count=4, p50_latency=Decimal(100 * days))
    page = shown(reader, "?by=provider&metric=p50_latency")
    assert figures(page) == {
        "10 Mar 2026": ["700 ms"],
        "11 Mar 2026": ["600 ms"],
        "12 Mar 2026": ["—"],
        "13 Mar 2026": ["—"],
        "14 Mar 2026": ["300 ms"],
        "15 Mar 2026": ["200 ms"],
    }
    (path,) = re.findall(r'<path class="series-1" d="([^"]*)"', page)
    assert re.findall("[A-Z]", path) == ["M", "L", "M", "L"]
    assert tile(page, "Days shown") == "4 of 6"
    assert "no record: 12 Mar 2026 – 13 Mar 2026" in page
    assert "they are gaps, not zeros" in page
    bars = figures(shown(reader, "?by=provider&metric=request_count"))
    assert bars["12 Mar 2026"] == ["—", "—"]
    assert bars["14 Mar 2026"] == ["4", "4"]


def test_days_the_harvest_did_not_reach_are_missing_too_but_not_in_the_night(
    reader: Client, synced: Organization, noon: time_machine.Traveller
) -> None:
    record(synced, ago(3), "Azure", request_count=4)
    page = shown(reader, "?by=provider")
    assert tile(page, "Days shown") == "1 of 3"
    assert "no record: 15 Mar 2026 – 16 Mar 2026" in page
    noon.move_to(datetime(2026, 3, 16, 0, 30, tzinfo=UTC))
    assert tile(shown(reader, "?by=provider"), "Days shown") == "1 of 1"


# --- long ranges -----------------------------------------------------------------------------------


def test_over_a_year_a_rate_is_the_day_in_the_middle_and_a_count_the_week(
    reader: Client, synced: Organization
) -> None:
    # Monday to Sunday, 2 to 8 March, without the Thursday; and a first day long before.
    record(synced, date(2025, 6, 2), "Azure", request_count=1, p50_latency=Decimal(1))
    for day, latency in ((2, 900), (3, 100), (4, 200), (6, 300), (7, 150), (8, 120)):
        record(synced, date(2026, 3, day), "Azure", request_count=10, p50_latency=Decimal(latency))
    week = "2 Mar 2026 – 8 Mar 2026, 6 of 7 days recorded"
    lines = shown(reader, "?by=provider&metric=p50_latency&range=all")
    assert figures(lines)[week] == ["150 ms"]
    assert "the middle one of its week&#39;s days" in lines
    assert figures(shown(reader, "?by=provider&metric=request_count&range=all"))[week] == ["60", "60"]
    assert "Week from Monday (UTC)" in lines


def test_over_several_years_there_are_months(reader: Client, synced: Organization) -> None:
    record(synced, date(2024, 1, 31), "Azure", request_count=1)
    record(synced, date(2026, 2, 1), "Azure", request_count=2)
    record(synced, date(2026, 2, 28), "Azure", request_count=3)
    found = figures(shown(reader, "?by=provider&metric=request_count&range=all"))
    assert found["31 Jan 2024"] == ["1", "1"]
    assert found["1 Feb 2026 – 28 Feb 2026, 2 of 28 days recorded"] == ["5", "5"]
    assert len(found) == 27


def test_twelve_months_begin_with_a_month_as_on_the_spend_page(reader: Client, synced: Organization) -> None:
    for day in (date(2025, 3, 31), date(2025, 4, 1)):
        record(synced, day, "Azure", request_count=1)
    page = shown(reader, "?by=provider&range=12m")
    assert tile(page, "Requests") == "1"
    assert "1 Apr 2025 – 16 Mar 2026" in page


@pytest.mark.parametrize(
    ("values", "found"), [([], None), ([None], None), ([3, None, 1], 1), ([5, 1, 9], 5), ([4, 2, 8, 6], 4)]
)
def test_the_middle_is_one_of_the_figures(values: list[int | None], found: int | None) -> None:
    assert middle([None if value is None else Decimal(value) for value in values]) == found


def test_days_that_follow_each_other_are_one_stretch() -> None:
    days = [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 5)]
    assert stretches(days) == ["27 Feb 2026 – 1 Mar 2026", "5 Mar 2026"]
    assert stretches([]) == []


# --- names and formats -----------------------------------------------------------------------------


def test_what_nobody_described_has_its_own_name_and_is_not_added_up(
    reader: Client, synced: Organization
) -> None:
    for days, joules in ((1, 3), (2, 4)):
        record(synced, ago(days), "Azure", joules=joules)
    HarvestMetric.objects.create(organization=synced, dimension="provider", name="joules")
    page = shown(reader, "?by=provider&metric=joules")
    assert options(page, "metric") == {"joules": "joules"}
    assert cells(page) == [["Azure", "3", "4", "3 16 Mar 2026", "2"]]
    # Somebody opened the builder: for an hour it is known what can be asked.
    metric = Metric(name="joules", display_label="Energy", display_format="number", is_rate=False)
    kept.keep_meta(synced, Meta(metrics=(metric,), dimensions=(), operators=(), granularities=()))
    page = shown(reader, "?by=provider&metric=joules")
    assert options(page, "metric") == {"joules": "Energy"}
    assert cells(page) == [["Azure", "7", "100.0 %"]]


def test_labels_that_are_nothing_or_markup(reader: Client, synced: Organization) -> None:
    record(synced, ago(1), "", by="app", request_count=2)
    record(synced, ago(1), "<b>&\"'", by="app", request_count=1)
    page = shown(reader, "?by=app")
    assert cells(page)[0][0] == "Not set"
    assert '<b>&"' not in page
    assert "&lt;b&gt;&amp;" in page


def test_figures_of_any_size_are_shown(reader: Client, synced: Organization) -> None:
    for days, value in ((1, Decimal("1e40")), (2, Decimal("-1e-30")), (3, 10**30)):
        record(
            synced,
            ago(days),
            "Azure",
            request_count=value,
            byok_fees=value,
            p50_latency=value,
            cache_hit_rate=value,
        )
    for metric in METRICS:
        assert cells(shown(reader, f"?by=provider&metric={metric}"))[0][0] == "Azure"


def test_labels_lead_to_the_spend_page_where_there_is_one(reader: Client, synced: Organization) -> None:
    UsageProvider.objects.create(name="Groq & Co")
    UsageModel.objects.create(permaslug="acme/m-2026", slug="acme/m")
    for label in ("Groq & Co", "Nobody"):
        record(synced, ago(1), label, request_count=1)
    for label in ("acme/m-2026", "acme/m", "acme/other"):
        record(synced, ago(1), label, by="model", request_count=1)
    links = re.compile(r'href="(/o/acme/spend/\?[^"]*)"[^>]*>([^<]*)</a>')
    page = shown(reader, "?by=provider&range=90d")
    assert links.findall(page) == [("/o/acme/spend/?range=90d&amp;provider=Groq+%26+Co", "Groq &amp; Co")]
    page = shown(reader, "?by=model&since=2026-03-01&until=2026-03-16")
    query = "since=2026-03-01&amp;until=2026-03-16&amp;group=provider&amp;model=acme%2Fm-2026"
    assert links.findall(page) == [
        (f"/o/acme/spend/?{query}", "acme/m"),
        (f"/o/acme/spend/?{query}", "acme/m-2026"),
    ]
    response = reader.get(links.findall(page)[0][0].replace("&amp;", "&"))
    assert response.status_code == 200
    assert "This cannot be shown" not in text_of(response)
