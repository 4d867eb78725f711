"""Answers: what is asked of OpenRouter, how figures are written, and what is never added up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from tests.analytics.asking import HTMX, PAGE, asked, calls, query, run, text_of
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox


def test_a_question_is_asked_as_it_stands(
    desk: Client, sandbox: RunningSandbox, synced: Organization
) -> None:
    key = Key.objects.filter(gone_at=None)[0]
    run(
        desk,
        metric=["total_usage", "request_count"],
        by=["model", "user"],
        every="day",
        range="custom",
        since="2026-01-01",
        until="2026-01-07",
        f0="api_key_id",
        op0="in",
        v0=[key.hash],
        f1="variant",
        op1="neq",
        v1="free",
        sort="request_count",
        dir="asc",
        limit=7,
    )
    assert asked(sandbox) == [
        {
            "metrics": ["total_usage", "request_count"],
            "dimensions": ["model", "user"],
            "granularity": "day",
            "time_range": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-08T00:00:00Z"},
            "filters": [
                {"field": "api_key_id", "operator": "in", "value": [key.hash]},
                {"field": "variant", "operator": "neq", "value": "free"},
            ],
            "order_by": {"field": "request_count", "direction": "asc"},
            "limit": 7,
        }
    ]


@pytest.mark.parametrize(
    ("chosen", "start", "end"),
    [
        ("3h", "2026-03-31T11:30:15Z", "2026-03-31T14:30:15Z"),
        ("today", "2026-03-31T00:00:00Z", "2026-03-31T14:30:15Z"),
        ("7d", "2026-03-25T00:00:00Z", "2026-03-31T14:30:15Z"),
        ("31d", "2026-03-01T00:00:00Z", "2026-03-31T14:30:15Z"),
        ("month", "2026-03-01T00:00:00Z", "2026-03-31T14:30:15Z"),
        ("last-month", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("12m", "2025-04-01T00:00:00Z", "2026-03-31T14:30:15Z"),
    ],
)
def test_a_range_is_made_of_utc_days(
    desk: Client, sandbox: RunningSandbox, chosen: str, start: str, end: str
) -> None:
    with time_machine.travel(datetime(2026, 3, 31, 14, 30, 15, tzinfo=UTC), tick=False):
        run(desk, metric="total_usage", range=chosen)
    assert asked(sandbox)[0]["time_range"] == {"start": start, "end": end}


def test_a_range_that_is_too_long_is_cut_to_its_newest_part_and_says_so(
    desk: Client, sandbox: RunningSandbox
) -> None:
    with time_machine.travel(datetime(2026, 3, 31, 14, 30, 15, tzinfo=UTC), tick=False):
        answer = run(desk, metric="p90_latency", range="12m")
        by_minute = run(desk, metric="total_usage", every="minute", range="7d")
    assert "Only the newest part of the range was asked for" in answer
    assert "“P90 latency” for 31 days only" in answer
    assert "by the minute for at most 3 hours" in by_minute
    ranges = [body["time_range"]["start"] for body in asked(sandbox)]
    assert ranges == ["2026-03-01T00:00:00Z", "2026-03-31T11:30:15Z"]


def test_what_is_older_than_openrouter_keeps_is_said_to_be_missing(desk: Client) -> None:
    long_ago = timezone.now() - timedelta(days=100)
    answer = run(
        desk,
        metric="p90_latency",
        range="custom",
        since=f"{long_ago:%Y-%m-%d}",
        until=f"{long_ago + timedelta(days=3):%Y-%m-%d}",
    )
    assert "What is older is missing here" in answer
    assert "Nothing matched" in answer


# --- how figures are written, and what is added up ---


def test_each_figure_has_its_unit_and_only_sums_have_a_total(desk: Client) -> None:
    metrics = ["total_usage", "request_count", "cache_hit_rate", "p90_latency", "avg_throughput"]
    answer = run(desk, metric=metrics, by="model", every="none")
    body, foot = re.findall(r"<tbody>(.*?)</tbody>.*<tfoot>(.*?)</tfoot>", answer)[0]
    assert re.search(r'title="\$[\d.,]+">\$\d', body)
    assert re.search(r"\d %", body)
    assert re.search(r"[\d,]+ ms", body)
    assert re.search(r"[\d.]+ tokens/s", body)
    assert foot.count("A rate or statistic cannot be added up") == 3
    assert re.search(r">\$[\d,.]+<", foot)
    assert "data-chart" not in answer


def test_the_total_is_openrouters_own(desk: Client) -> None:
    whole = run(desk, metric="request_count", every="none", range="last-month")
    (number,) = re.findall(r'<td class="end">([\d,]+)</td>', whole)
    parts = run(desk, metric="request_count", by="model", range="last-month")
    (total,) = re.findall(r"<tfoot>.*?>([\d,]+)</td>", parts)
    assert total == number


def test_sums_are_stacked_and_rates_are_lines(desk: Client) -> None:
    answer = run(desk, metric=["total_usage", "cache_hit_rate", "p90_latency"], by="provider")
    stacked, *lines = re.findall(r"<figure.*?</figure>", answer)
    assert "Together" in stacked
    assert "Everything else" in stacked
    for one in lines:
        assert 'data-chart="lines"' in one
        assert "Together" not in one
        assert "Everything else" not in one
    assert len(lines) == 2
    assert "lines are drawn: the table has all of them" in answer


def test_a_bucket_without_rows_is_zero_for_a_sum_and_a_gap_for_a_rate(
    desk: Client, sandbox: RunningSandbox
) -> None:
    # The sandbox's organization has a history of 30 days.
    answer = run(desk, metric=["request_count", "cache_hit_rate"], range="90d")
    bars, lines = re.findall(r"<figure.*?</figure>", answer)
    assert bars.count("<tr>") == lines.count("<tr>") == 91
    assert 'data-value="0">0</td>' in bars
    assert 'data-value=""><span class="unknown" title="No figure">—</span>' in lines


def test_weeks_are_openrouters(desk: Client) -> None:
    answer = run(desk, metric="total_usage", every="week", range="31d")
    assert "OpenRouter's week (UTC)" in answer or "OpenRouter&#39;s week (UTC)" in answer
    weeks = re.findall(r'<th scope="row" class="nowrap">(Sun \d+ \w+ – Sat \d+ \w+ \d{4})', answer)
    assert len(weeks) >= 5


@pytest.mark.parametrize("every", ["hour", "day", "month"])
def test_the_running_bucket_says_so(desk: Client, every: str) -> None:
    assert "<small>so far</small>" in run(desk, metric="total_usage", every=every, range="today")


def test_a_truncated_answer_has_no_totals_and_no_stack(desk: Client) -> None:
    answer = run(desk, metric="total_usage", by="model", limit=9)
    assert "OpenRouter left rows out, so nothing is added up" in answer
    assert ">Partial</span>" in answer
    assert "<tfoot>" not in answer
    assert "Together" not in answer


def test_a_limit_that_was_reached_is_no_whole_either(desk: Client, sandbox: RunningSandbox) -> None:
    # Seven days, seven rows: OpenRouter cannot say whether there were more to come.
    answer = run(desk, metric="total_usage", limit=7)
    assert "Cut at the 7 rows you asked for" in answer
    assert "<tfoot>" not in answer


def test_warnings_are_shown_in_openrouters_words(desk: Client) -> None:
    answer = run(desk, metric="total_usage", f0="api_key_id", op0="eq", v0="0" * 64)
    assert "OpenRouter warns: api_key_id" in answer
    assert "1 warning" in answer
    assert "Nothing matched" in answer


def test_use_without_a_member_is_named(desk: Client) -> None:
    answer = run(desk, metric="total_usage", by="user", every="none")
    assert "Not tied to a member" in answer
    assert re.search(r'<span class="sub">[^<]+@', answer)
    assert ">None<" not in answer


def test_two_rows_of_one_label_stay_two_rows(
    desk: Client, sandbox: RunningSandbox, synced: Organization
) -> None:
    busy = [key for key in sandbox.sandbox.every_key() if key["usage_weekly"] > 0][:2]
    with sandbox.sandbox.account.lock:
        for key in busy:
            sandbox.sandbox.account.keys.get(key["hash"]).name = "the twins"
    answer = run(desk, metric=["total_usage", "cache_hit_rate"], by="api_key_id", every="none")
    assert re.findall(r"<td[^>]*>the twins</td>", answer) == [answer_row("the twins")] * 2
    assert "Some rows share a name" in answer
    by_day = run(desk, metric=["total_usage", "cache_hit_rate"], by="api_key_id")
    bars, lines = re.findall(r"<figure.*?</figure>", by_day)
    assert "the twins" in bars or "Everything else" in bars
    assert "the twins" not in lines
    assert "Names that several rows share have no line" in by_day


def answer_row(text: str) -> str:
    return f'<td class="wrap label">{text}</td>'


def test_long_answers_have_pages_and_ask_once(desk: Client, sandbox: RunningSandbox) -> None:
    first = run(desk, metric="total_usage", by="model", range="31d")
    assert "1–50 of" in first
    (address,) = re.findall(r'id="rows-next" hx-get="([^"]+)"', first)
    response = desk.get(address.replace("&amp;", "&"), headers={**HTMX, "HX-Trigger": "rows-next"})
    assert "51–100 of" in text_of(response)
    assert response["HX-Push-Url"].endswith("run=1&page=2")
    assert len(asked(sandbox)) == 1


def test_too_many_buckets_are_a_table_without_a_chart(desk: Client) -> None:
    answer = run(desk, metric="request_count", every="hour", range="90d")
    assert "too many buckets for a chart" in answer
    assert "<figure" not in answer


# --- kept for five minutes ---


def test_an_answer_is_kept_for_five_minutes_and_says_how_old_it_is(
    desk: Client, sandbox: RunningSandbox
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        run(desk, metric="total_usage")
        clock.shift(240)
        assert "asked <time" in (later := run(desk, metric="total_usage"))
        assert "4 min ago" in later
        assert len(asked(sandbox)) == 1
        clock.shift(61)
        assert "asked <time" in run(desk, metric="total_usage")
        assert len(asked(sandbox)) == 2
        # What can be asked is kept for an hour.
        assert calls(sandbox, "/analytics/meta") == 1
        clock.shift(3600)
        run(desk, metric="total_usage")
        assert calls(sandbox, "/analytics/meta") == 2


def test_openrouters_own_copy_is_told_apart(desk: Client, sandbox: RunningSandbox) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        run(desk, metric="total_usage")
        cache.clear()
        answer = run(desk, metric="total_usage")
    assert len(asked(sandbox)) == 2
    assert "OpenRouter&#39;s own copy of" in answer or "OpenRouter's own copy of" in answer


def test_the_question_is_its_meaning_and_not_its_spelling(desk: Client, sandbox: RunningSandbox) -> None:
    run(desk, metric="total_usage", every="day", range="7d", f0="", v0="", sort="nothing-asked")
    run(desk, metric="total_usage")
    assert len(asked(sandbox)) == 1


def test_another_organization_does_not_see_what_was_kept(
    desk: Client, sandbox: RunningSandbox, synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    run(desk, metric="total_usage")
    Organization.objects.filter(pk=synced.pk).update(key_hash="f" * 64)
    run(desk, metric="total_usage")
    assert len(asked(sandbox)) == 2


def test_the_address_follows_the_question(desk: Client) -> None:
    address = f"{PAGE}run/?{query(metric='total_usage', by='model', every='none')}"
    response: Any = desk.get(address, headers={**HTMX, "HX-Trigger": "question"})
    assert response["HX-Push-Url"] == f"{PAGE}?metric=total_usage&by=model&every=none&run=1"
    assert "HX-Push-Url" not in desk.get(address, headers={**HTMX, "HX-Trigger": "answer"})
    assert "HX-Push-Url" not in desk.get(address)
