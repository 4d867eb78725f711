"""A question that takes longer than a page: started, followed, answered, kept for a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.jobs.models import Job, JobItem
from tests.analytics.asking import HTMX, PAGE, asked, text_of
from tests.conftest import Bells, SignIn, person
from tests.sandbox_server import RunningSandbox

QUESTION = {"question": "metric=total_usage&by=model&every=none"}


def start(browser: Client, **headers: str) -> Any:
    return browser.post(f"{PAGE}ask/", QUESTION, headers=headers)


def place(job: Job) -> str:
    return f"{PAGE}asked/{job.pk}/"


def test_it_is_started_followed_and_answered(desk: Client, sandbox: RunningSandbox, bells: Bells) -> None:
    response = start(desk, **HTMX)
    job = Job.objects.get()
    assert response["HX-Push-Url"] == place(job)
    waiting = text_of(response)
    assert f'hx-get="{place(job)}" hx-trigger="every 2s"' in waiting
    assert "You may leave" in waiting
    # A delay that a page would not wait for.
    sandbox.sandbox.fault(kind="delay", path="/analytics/query", seconds=0.3)
    bells.work()
    answer = text_of(desk.get(place(job), headers=HTMX))
    assert "hx-trigger" not in answer.split("<form", 1)[0]
    assert "Total spend" in answer
    assert "kept here for a day" in answer
    assert job.items.get().message.endswith(" rows.")
    assert len(asked(sandbox)) == 1


def test_it_survives_leaving_the_page(desk: Client, bells: Bells) -> None:
    start(desk)
    job = Job.objects.get()
    page = text_of(desk.get(PAGE))
    assert "being asked" in page
    assert place(job) in page
    bells.work()
    assert place(job) in text_of(desk.get(f"{PAGE}saved/"))
    whole = text_of(desk.get(place(job)))
    assert "<!DOCTYPE html>" in whole
    assert 'value="total_usage" checked' in whole
    assert "<tbody>" in whole


def test_it_is_kept_for_a_day(desk: Client, sandbox: RunningSandbox, bells: Bells) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        start(desk)
        job = Job.objects.get()
        bells.work()
        clock.shift(timedelta(hours=23))
        assert "<tbody>" in text_of(desk.get(place(job), headers=HTMX))
        assert len(asked(sandbox)) == 1
        clock.shift(timedelta(hours=2))
        assert "not kept any more" in text_of(desk.get(place(job), headers=HTMX))


def test_the_same_question_is_not_asked_twice_at_once(desk: Client) -> None:
    start(desk)
    start(desk)
    assert Job.objects.count() == 1
    desk.post(f"{PAGE}ask/", {"question": "metric=request_count"})
    assert Job.objects.count() == 2


def test_a_refusal_is_told(desk: Client, sandbox: RunningSandbox, bells: Bells) -> None:
    start(desk)
    job = Job.objects.get()
    sandbox.sandbox.fault(kind="status", path="/analytics/query", status=408, message="Too slow for us")
    bells.work()
    answer = text_of(desk.get(place(job), headers=HTMX))
    assert "There is no answer" in answer
    assert "Too slow for us" in answer


def test_a_cancelled_one_says_so(desk: Client, synced: Organization, admin: User, sign_in: SignIn) -> None:
    start(desk)
    job = Job.objects.get()
    sign_in(admin).post(f"/o/acme/sync/jobs/{job.pk}/cancel/")
    assert "cancelled before it was asked" in text_of(desk.get(place(job), headers=HTMX))


def test_who_was_removed_meanwhile_gets_no_answer(
    desk: Client, sandbox: RunningSandbox, viewer: User, bells: Bells
) -> None:
    start(desk)
    Membership.objects.filter(user=viewer).update(role=Role.MEMBER)
    bells.work()
    item = JobItem.objects.get()
    assert item.state == JobItem.State.SKIPPED
    assert "may not read this organization any more" in item.message
    assert asked(sandbox) == []


@pytest.mark.parametrize("question", ["", "metric=", "x" * 100_000, "metric=%00"])
def test_a_question_that_is_none_starts_nothing(desk: Client, question: str) -> None:
    response = desk.post(f"{PAGE}ask/", {"question": question})
    assert response.status_code == 302
    assert not Job.objects.exists()


def test_another_organizations_question_is_not_found(
    desk: Client, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    start(desk)
    other = Organization.objects.create(name="Beta", slug="beta", base_url=sandbox.url)
    browser = sign_in(person("bob@beta.test", other, Role.OWNER))
    assert browser.get(f"/o/beta/analytics/asked/{Job.objects.get().pk}/").status_code == 404
