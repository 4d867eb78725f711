"""Questions with nonsense in one part: an answer or an explanation, and nothing is sent that OpenRouter is
known to refuse (FACTS 2.9)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.test import Client

from tests.analytics.asking import HTMX, PAGE
from tests.bad_input import BYTES, FEWER, TEXTS
from tests.sandbox_server import RunningSandbox

BASE = "metric=total_usage&f0=model&op0=neq&v0=x"
ODD = ["-1", "99999999", "custom", "none", "date", "in", "not_in", "model", "request_count", "user", "1e3"]
PARTS = ("metric", "by", "every", "range", "sort", "dir", "limit", "f0", "op0", "v0", "q0", "page")


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_a_question_can_break_it(desk: Client, sandbox: RunningSandbox, part: str) -> None:
    values = [quote_plus(value[:3000]) for value in (*FEWER, *ODD)] + BYTES
    wrong = [value for value in values if not is_fine(desk, f"{BASE}&{part}={value}")]
    assert wrong == []
    assert refused(sandbox) == []


def test_no_range_can_break_it(desk: Client, sandbox: RunningSandbox) -> None:
    moments = [
        *(text[:200] for text in TEXTS),
        "2026-05-01",
        "2026-05-01T00:00:59",
        "1815-01-01",
        "2100-12-31",
    ]
    for one in moments:
        for since, until in ((one, "2026-05-02"), ("2026-05-01", one), (one, one)):
            address = f"{BASE}&range=custom&since={quote_plus(since)}&until={quote_plus(until)}"
            assert is_fine(desk, address), (since, until)
            assert is_fine(desk, f"{address}&every=minute&metric=p90_latency"), (since, until)
    assert refused(sandbox) == []


def test_parts_that_come_too_often_are_cut(desk: Client, sandbox: RunningSandbox) -> None:
    many = "&".join(f"f{n}=model&op{n}=in&v{n}=" + ",".join(map(str, range(300))) for n in range(30))
    for address in (
        f"metric=total_usage&{many}",
        "&".join(f"metric=m{n}" for n in range(500)),
        "by=a&" * 500,
    ):
        assert is_fine(desk, address)
    (body,) = [seen.body for seen in sandbox.sandbox.requests().last if seen.path.endswith("/query")]
    assert [len(one["value"]) for one in body["filters"]] == [100] * 20
    assert refused(sandbox) == []


def is_fine(browser: Client, address: str) -> bool:
    response: Any = browser.get(f"{PAGE}run/?{address}", headers=HTMX)
    return response.status_code == 200 and b"<script>alert(1)" not in response.content


def refused(sandbox: RunningSandbox) -> list[Any]:
    """What should not have been sent."""
    found = []
    for seen in sandbox.sandbox.requests().last:
        if seen.status == 400 or (seen.body and too_long(seen.body)):
            found.append(seen.body)
    return found


def too_long(body: Any) -> bool:
    start, end = (datetime.fromisoformat(body["time_range"][name]) for name in ("start", "end"))
    return (end - start).days > (31 if "p90_latency" in body["metrics"] else 365)
