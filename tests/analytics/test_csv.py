"""The answer as a file: what the table shows, with every digit, and without asking twice."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.test import Client
from django.utils import timezone

from dashboard.analytics import services
from orgadmin.accounts.models import Organization
from orgadmin.jobs.models import Job
from tests.analytics.asking import PAGE, asked, calls, query, run, text_of
from tests.conftest import Bells
from tests.sandbox_server import RunningSandbox


def link_of(answer: str) -> str:
    """Where the answer's button leads."""
    (address,) = re.findall(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?(?:<span>)?Download CSV', answer)
    return str(address.replace("&amp;", "&"))


def rows_of(response: Any) -> list[list[str]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def download(browser: Client, **params: Any) -> list[list[str]]:
    """Run a question and take the file that the answer offers."""
    return rows_of(browser.get(link_of(run(browser, **params))))


def test_the_file_is_the_table_with_every_digit(desk: Client, sandbox: RunningSandbox) -> None:
    params = {"metric": ["total_usage", "request_count", "cache_hit_rate"], "by": "model"}
    answer = run(desk, **params)
    head, *rows = rows_of(desk.get(link_of(answer)))
    assert head == re.findall(
        r"<th[^>]*>(?:<[^>]+>)*([^<]+)", answer.split('id="rows"')[1].split("</thead>")[0]
    )
    assert head[0] == "Day (UTC)"
    (number,) = re.findall(r"Total of ([\d,]+) rows", answer)
    assert len(rows) == int(number.replace(",", ""))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row[0]) for row in rows)
    # Money is what its title says, not what fits the column; a count has no separators, a rate is a ratio.
    titles = re.findall(
        r'class="money" title="\$([\d.,]+)"', answer.split("<tbody>")[-1].split("</tbody>")[0]
    )
    assert [Decimal(row[2]) for row in rows[: len(titles)]] == [Decimal(t.replace(",", "")) for t in titles]
    assert all(row[3].isdigit() for row in rows)
    assert all(not row[4] or 0 <= Decimal(row[4]) <= 1 for row in rows)
    assert len(asked(sandbox)) == 1
    assert calls(sandbox, "/analytics/meta") == 1


def test_every_page_of_the_answer_is_in_the_file(desk: Client, sandbox: RunningSandbox) -> None:
    answer = run(desk, metric="total_usage", by="model", range="31d", page=2)
    (total,) = re.findall(r"51–100 of ([\d,]+) rows", answer)
    assert len(rows_of(desk.get(link_of(answer)))) == int(total.replace(",", "")) + 1
    assert len(asked(sandbox)) == 1


def test_hours_are_moments_in_utc_and_no_granularity_is_no_column(desk: Client) -> None:
    by_hour = download(desk, metric="request_count", every="hour", range="24h")
    assert by_hour[0][0] == "Hour (UTC)"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00Z", row[0]) for row in by_hour[1:])
    head, *rows = download(desk, metric="request_count", by="model", every="none")
    assert head == ["Model", "Requests"]
    assert rows


def test_members_have_their_address_beside_their_name(desk: Client) -> None:
    head, *rows = download(desk, metric="total_usage", by="user", every="none")
    assert head[1] == "User e-mail"
    assert any("@" in row[1] for row in rows)
    assert [row for row in rows if row[:2] == ["Not tied to a member", ""]]


def test_no_name_is_a_formula(desk: Client, sandbox: RunningSandbox) -> None:
    busy = next(key for key in sandbox.sandbox.every_key() if key["usage_weekly"] > 0)
    with sandbox.sandbox.account.lock:
        sandbox.sandbox.account.keys.get(busy["hash"]).name = "=HYPERLINK(1)"
    rows = download(desk, metric="total_usage", by="api_key_id", every="none")
    names = [row[0] for row in rows]
    assert "'=HYPERLINK(1)" in names
    assert "=HYPERLINK(1)" not in names


def test_a_partial_answer_is_offered_as_it_is(desk: Client) -> None:
    assert len(download(desk, metric="total_usage", by="model", limit=9)) == 10


def test_an_answer_without_rows_offers_no_file(desk: Client) -> None:
    answer = run(desk, metric="total_usage", f0="api_key_id", op0="eq", v0="0" * 64)
    assert "Nothing matched" in answer
    assert "Download CSV" not in answer


def test_what_is_not_kept_any_more_is_asked_again(desk: Client, sandbox: RunningSandbox) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        address = link_of(run(desk, metric="total_usage", by="model"))
        clock.shift(301)
        assert len(rows_of(desk.get(address))) > 1
        assert len(asked(sandbox)) == 2
        # It is the answer that is kept now.
        run(desk, metric="total_usage", by="model")
        assert len(asked(sandbox)) == 2


def test_what_cannot_be_asked_again_leads_back_with_the_reason(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="status", path="/analytics/query", status=408, message="Too slow for us")
    response: Any = desk.get(f"{PAGE}csv/?{query(metric='total_usage', by='model')}")
    assert response.status_code == 302
    assert response["Location"] == f"{PAGE}?{query(metric='total_usage', by='model')}"
    page = text_of(desk.get(response["Location"]))
    assert "There is no file: OpenRouter gave up: the question takes too long." in page
    assert len(asked(sandbox)) == 1


def test_a_question_that_takes_longer_than_a_page_leads_back(
    desk: Client, sandbox: RunningSandbox, monkeypatch: Any
) -> None:
    monkeypatch.setattr(services, "PATIENCE", replace(services.PATIENCE, seconds=1.2, read_timeout=0.6))
    sandbox.sandbox.fault(kind="delay", path="/analytics/query", seconds=2, times=9)
    response: Any = desk.get(f"{PAGE}csv/?{query(metric='total_usage')}")
    assert response.status_code == 302
    assert "There is no file: No answer within 10 seconds." in text_of(desk.get(response["Location"]))


def test_a_question_that_makes_no_sense_leads_back(desk: Client, sandbox: RunningSandbox) -> None:
    response: Any = desk.get(f"{PAGE}csv/?{query(by='model')}")
    assert response.status_code == 302
    assert "Choose at least one metric." in text_of(desk.get(response["Location"]))
    assert asked(sandbox) == []


# --- the answer of a background question ---


def test_the_answer_of_a_job_is_a_file_for_a_day(desk: Client, sandbox: RunningSandbox, bells: Bells) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        desk.post(f"{PAGE}ask/", {"question": "metric=total_usage&by=model&every=none"})
        place = f"{PAGE}asked/{Job.objects.get().pk}/"
        early: Any = desk.get(f"{place}csv/")
        assert (early.status_code, early["Location"]) == (302, place)
        bells.work()
        clock.shift(timedelta(hours=23))
        address = link_of(text_of(desk.get(place)))
        assert address == f"{place}csv/"
        assert rows_of(desk.get(address))[0] == ["Model", "Total spend"]
        assert len(asked(sandbox)) == 1
        clock.shift(timedelta(hours=2))
        response: Any = desk.get(address)
        assert (response.status_code, response["Location"]) == (302, place)
        page = text_of(desk.get(place))
        assert "There is no file: the answer is not kept any more." in page
        assert len(asked(sandbox)) == 1


def test_another_organizations_question_is_not_there(desk: Client, synced: Organization) -> None:
    assert desk.get(f"{PAGE}asked/999999/csv/").status_code == 404
