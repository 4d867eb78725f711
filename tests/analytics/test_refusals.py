"""What OpenRouter refuses, and what never should be asked: each explained, with the next step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from dashboard.analytics import services
from orgadmin.accounts.models import Organization
from tests.analytics.asking import HTMX, PAGE, asked, run, text_of
from tests.sandbox_server import RunningSandbox

JOB = "Ask in the background"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PATIENCE", replace(services.PATIENCE, seconds=1.2, read_timeout=0.6))


def fault(sandbox: RunningSandbox, **fields: Any) -> None:
    sandbox.sandbox.fault(**{"kind": "status", "path": "/analytics/query", "times": 9, **fields})


def test_400_stands_next_to_the_form_in_openrouters_words(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, status=400, message="The range is <b>odd</b>")
    answer = run(desk, metric="total_usage")
    assert 'id="question-said" hx-swap-oob="true"' in answer
    assert "It says: The range is &lt;b&gt;odd&lt;/b&gt;." in answer
    assert JOB not in answer
    sandbox.sandbox.clear_faults()
    # And goes away with the next answer.
    assert 'id="question-said" hx-swap-oob="true"></div>' in run(desk, metric="total_usage")


def test_400_is_on_the_page_too(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, status=400, message="Odd.")
    page = text_of(desk.get(f"{PAGE}run/?metric=total_usage"))
    assert "OpenRouter refused the question" in page
    assert 'value="total_usage" checked' in page


def test_401_breaks_the_connection(desk: Client, sandbox: RunningSandbox, synced: Organization) -> None:
    fault(sandbox, status=401, message="Key was deleted")
    answer = run(desk, metric="total_usage")
    assert "does not accept the management key" in answer
    assert "/o/acme/settings/" in answer
    synced.refresh_from_db()
    assert synced.status == Organization.Status.BROKEN


def test_403_says_what_is_needed(desk: Client, sandbox: RunningSandbox, synced: Organization) -> None:
    fault(sandbox, status=403, message="Not on your plan")
    answer = run(desk, metric="total_usage")
    assert "does not let this key read analytics" in answer
    assert "Not on your plan." in answer
    assert "/o/acme/settings/" in answer
    synced.refresh_from_db()
    assert synced.is_connected


def test_408_says_how_to_ask_for_less(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, status=408)
    answer = run(desk, metric="p90_latency", by="generation_id")
    assert "Choose a shorter range." in answer
    assert "Leave out latency and throughput." in answer
    assert JOB not in answer
    assert len(asked(sandbox)) == 1


def test_429_says_how_long_to_wait(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, status=429, headers={"Retry-After": "30"})
    answer = run(desk, metric="total_usage")
    assert "64 analytics questions a minute" in answer
    assert "Wait 30 seconds" in answer
    assert len(asked(sandbox)) == 1
    # The whole organization waits: nothing more is sent meanwhile.
    assert "Too many questions at once" in run(desk, metric="request_count")
    assert len(asked(sandbox)) == 1


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_failure_of_the_server_may_be_waited_out(
    desk: Client, sandbox: RunningSandbox, status: int
) -> None:
    fault(sandbox, status=status)
    answer = run(desk, metric="total_usage")
    assert "OpenRouter cannot be reached" in answer
    assert JOB in answer


def test_an_answer_that_takes_too_long_can_be_asked_for_in_the_background(
    desk: Client, sandbox: RunningSandbox
) -> None:
    fault(sandbox, kind="delay", seconds=2)
    answer = run(desk, metric="total_usage", by="model")
    assert "No answer within 10 seconds" in answer
    assert JOB in answer
    assert 'name="question" value="metric=total_usage&amp;by=model"' in answer


def test_an_answer_nobody_can_read_is_no_figure(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, kind="truncated")
    assert "No figure is shown rather than a wrong one." in run(desk, metric="total_usage")


def test_any_other_status_is_explained(desk: Client, sandbox: RunningSandbox) -> None:
    fault(sandbox, status=418, message="I am a teapot")
    answer = run(desk, metric="total_usage")
    assert "I am a teapot." in answer
    assert "Run it again in a moment." in answer


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_without_knowing_what_can_be_asked_there_is_no_form_and_a_way_on(
    desk: Client, sandbox: RunningSandbox, status: int
) -> None:
    fault(sandbox, path="/analytics/meta", status=status, headers={"Retry-After": "60"})
    form = text_of(desk.get(f"{PAGE}builder/?metric=total_usage", headers=HTMX))
    assert "Try again" in form
    assert "<form" not in form
    assert 'role="alert"' in run(desk, metric="total_usage")
    assert desk.get(f"{PAGE}builder/").status_code == 200
    assert asked(sandbox) == []


def test_a_disconnected_organization_is_told_where_to_go(desk: Client, synced: Organization) -> None:
    Organization.objects.filter(pk=synced.pk).update(
        management_key=None, status=Organization.Status.DISCONNECTED
    )
    assert "can enter another key in Settings" in run(desk, metric="total_usage")


# --- what need not be asked ---


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "Choose at least one metric."),
        ({"metric": "total_usage", "by": ["model", "user", "app"]}, "two dimensions at most"),
        ({"metric": "total_usage", "range": "custom"}, "no beginning or no end"),
        (
            {"metric": "total_usage", "range": "custom", "since": "2026-05-02", "until": "2026-05-01"},
            "ends before it begins",
        ),
        ({"metric": "total_usage", "f0": "model", "op0": "in", "v0": " , "}, "has no value"),
        ({"metric": "total_usage", "f0": "model", "op0": "like", "v0": "x"}, "“like”"),
    ],
)
def test_what_cannot_be_right_is_not_sent(
    desk: Client, sandbox: RunningSandbox, params: dict[str, Any], words: str
) -> None:
    assert words in run(desk, **params)
    assert asked(sandbox) == []
