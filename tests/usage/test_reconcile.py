"""OpenRouter's totals beside ours: the page, its form, and the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.usage.clock import HISTORY_DAYS
from orgadmin.usage.models import NO_KEY, DaySum, HistoryPart, Source, UsageDay
from orgadmin.usage.reconciliation import (
    FETCHING,
    KEYS_ABOVE,
    NOT_PULLED,
    OPEN,
    NoSuchDay,
    day_explain,
    reconciled,
)
from orgadmin.usage.store import Scope, replace_facts
from tests.conftest import SignIn
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import fact
from tests.usage.upstream import ago

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
YESTERDAY = ago(TODAY, 1)
CENT = 10_000_000
PAGE = "/o/acme/spend/reconciliation/"
FORM = f"{PAGE}explain/"


def note(organization: Organization, ago_days: int, upstream: str, held: str, *, key: int = NO_KEY) -> Any:
    """A day of which OpenRouter told one total and we hold another; so many dollars."""
    day = ago(TODAY, ago_days)
    nano = int(Decimal(held) * 10**9)
    scopes = [Scope(key, day, day)]
    replace_facts(
        organization_id=organization.pk, scopes=scopes, facts=[fact(day, key=key, nano=nano, byok=0)]
    )
    return DaySum.objects.create(
        organization=organization,
        day=day,
        source=Source.ACTIVITY,
        upstream=Decimal(upstream),
        upstream_requests=1,
    )


def only(organization: Organization, days_ago: int) -> Any:
    day = ago(TODAY, days_ago)
    (found,) = reconciled(organization, day, day)
    return found


# --- the figures -----------------------------------------------------------------------------------


def test_after_a_pull_every_day_agrees(
    synced: Organization, sandbox: RunningSandbox, pulled: Pull, clock: time_machine.Traveller
) -> None:
    pulled("activity")
    key = Key.objects.order_by("-usage_monthly")[0]
    other = Key.objects.order_by("-usage_monthly")[1]
    acts: list[Callable[[], object]] = [
        lambda: None,
        lambda: sandbox.sandbox.outside.correct_day(key.hash, date=YESTERDAY.isoformat(), usd=-40),
        lambda: sandbox.sandbox.outside.correct_day(date=ago(TODAY, 20).isoformat(), usd=-7),
        lambda: sandbox.sandbox.outside.correct_day(other.hash, date=ago(TODAY, 3).isoformat(), usd=-90),
        lambda: sandbox.sandbox.outside.delete_key(other.hash),
        lambda: clock.move_to(NOON + timedelta(days=1)),
    ]
    for act in acts:
        act()
        pulled("keys")
        pulled("activity")
        days = [day for day in reconciled(synced) if day.upstream is not None]
        assert len(days) >= 30
        assert not any(day.differs or day.is_flagged for day in days)
    HistoryPart.objects.all().delete()
    pulled("history")
    assert not any(day.differs for day in reconciled(synced))
    assert len(reconciled(synced)) >= HISTORY_DAYS


def test_what_is_small_and_what_is_large(synced: Organization) -> None:
    note(synced, 5, "1000", "1000.000000001")
    note(synced, 6, "1000", "1000.9")
    note(synced, 7, "1000", "998.99")
    note(synced, 8, "0", "0.01")
    note(synced, 9, "-20", "-20.03")
    found = {day.day: day for day in reconciled(synced)}
    rows = [found[ago(TODAY, days)] for days in range(5, 10)]
    assert [row.differs for row in rows] == [False, True, True, True, True]
    assert [row.is_flagged for row in rows] == [False, False, True, True, True]
    assert rows[2].difference == Decimal("-1.01")
    assert rows[2].share == Decimal("-0.00101")
    assert rows[3].share is None
    assert rows[4].share == Decimal("-0.0015")


def test_what_the_code_knows_explains_itself(synced: Organization, pulled: Pull) -> None:
    key = Key.objects.order_by("pk")[0]
    note(synced, 6, "10", "12")
    assert (only(synced, 6).reason, only(synced, 6).is_flagged) == ("", True)
    note(synced, 3, "10", "10")
    assert only(synced, 0).reason == OPEN
    assert only(synced, 1).reason == NOT_PULLED
    # Days between, of which nothing was pulled, are history to fetch.
    assert only(synced, 4).reason == FETCHING
    assert only(synced, 3).reason == ""
    HistoryPart.objects.create(organization=synced, key_id=key.pk, since=ago(TODAY, 7), until=ago(TODAY, 6))
    assert (only(synced, 6).reason, only(synced, 6).is_flagged) == (FETCHING, False)


def test_a_key_that_counts_twice_is_flagged_until_a_person_explains_it(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    """That the keys add up to more than the total says where to look, and excuses nothing."""
    key = Key.objects.order_by("pk")[0]
    row = note(synced, 5, "10", "20", key=key.pk)
    note(synced, 6, "10", "20")
    note(synced, 7, "1000", "1000.9", key=key.pk)
    hints = [(only(synced, days).hint, only(synced, days).is_flagged) for days in (5, 6, 7)]
    assert hints == [(KEYS_ABOVE, True), ("", True), (KEYS_ABOVE, False)]
    assert only(synced, 5).reason == ""
    span = ("--since", row.day.isoformat(), "--until", row.day.isoformat())
    assert reconcile(*span)[1] == 1
    browser = sign_in(viewer)
    page = unescape(browser.get(f"{PAGE}?only=flagged").content.decode())
    assert "2 days more than 0.1 %" in page
    assert f'Unexplained</span><small class="sub">{KEYS_ABOVE}' in page
    row.explanation = "Refunded by hand"
    row.save()
    assert not only(synced, 5).is_flagged
    assert reconcile(*span)[1] == 0
    page = unescape(browser.get(f"{PAGE}?only=differences").content.decode())
    assert f'Refunded by hand<small class="sub">{KEYS_ABOVE}' in page


def test_an_organization_that_was_never_pulled_has_no_days(synced: Organization) -> None:
    assert reconciled(synced) == []


def test_years_take_a_handful_of_queries(synced: Organization) -> None:
    for days in range(1, 6):
        note(synced, days, "10", "10")
    with CaptureQueriesContext(connection) as few:
        reconciled(synced)
    DaySum.objects.bulk_create(
        DaySum(organization=synced, day=ago(TODAY, days), source=Source.ACTIVITY, upstream=1)
        for days in range(6, 900)
    )
    with CaptureQueriesContext(connection) as many:
        assert len(reconciled(synced)) == 900
    assert len(many) == len(few) <= 6
    assert not any("usage_usageday" in query["sql"] for query in many.captured_queries)


# --- the page --------------------------------------------------------------------------------------


def test_the_page_shows_days_newest_first_and_only_differences_when_asked(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    for days in range(1, 70):
        note(synced, days, "10", "10" if days != 40 else "11")
    browser = sign_in(viewer)
    page = browser.get(PAGE).content.decode()
    assert page.index(YESTERDAY.isoformat()) < page.index(ago(TODAY, 2).isoformat())
    assert "1–50 of 70 days" in page
    assert "1 day more than 0.1 %" in page
    assert "Explain a" not in page
    assert ago(TODAY, 60).isoformat() in browser.get(f"{PAGE}?page=2").content.decode()
    for only_these in ("differences", "flagged"):
        page = browser.get(f"{PAGE}?only={only_these}").content.decode()
        assert ago(TODAY, 40).isoformat() in page
        assert ago(TODAY, 41).isoformat() not in page
        assert "Unexplained" in page
    fragment = browser.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'id="days"' in fragment


def test_the_page_has_words_for_having_nothing_to_show(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    assert "No days yet" in sign_in(viewer).get(PAGE).content.decode()
    note(synced, 1, "10", "10")
    assert "Every day agrees" in sign_in(viewer).get(f"{PAGE}?only=differences").content.decode()


def test_other_pages_lead_there_where_one_may_go(
    synced: Organization, viewer: User, member: User, sign_in: SignIn
) -> None:
    for address in ("/o/acme/spend/", "/o/acme/sync/"):
        assert PAGE in sign_in(viewer).get(address).content.decode(), address
    for address in ("/o/acme/spend/",):
        assert PAGE not in sign_in(member).get(address).content.decode(), address


# --- the explanation -------------------------------------------------------------------------------


def test_an_administrator_explains_a_day_and_the_log_says_so(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    row = note(synced, 40, "10", "11")
    browser = sign_in(admin)
    dialog = browser.get(f"{FORM}?day={row.day}", headers={"HX-Request": "true"})
    assert dialog["HX-Retarget"] == "#dialog"
    assert "$1.00" in dialog.content.decode()
    for text, toast in (
        ("A credit note of theirs ", "Explanation saved."),
        ("A credit note of theirs", "It said"),
    ):
        answer = browser.post(FORM, {"day": row.day, "explanation": text}, follow=True)
        assert toast in answer.content.decode()
    assert "A credit note of theirs" in answer.content.decode()
    assert only(synced, 40).explanation == "A credit note of theirs"
    assert not only(synced, 40).is_flagged
    entry = Entry.objects.get(action="day.explain")
    assert (entry.actor, entry.target_id) == (admin, row.day.isoformat())
    assert (entry.before, entry.after) == ({"explanation": ""}, {"explanation": "A credit note of theirs"})
    assert "Explain a day" in browser.get("/o/acme/audit-log/").content.decode()
    assert "A credit note of theirs" in browser.get(f"{FORM}?day={row.day}").content.decode()

    browser.post(FORM, {"day": row.day, "explanation": ""})
    assert only(synced, 40).is_flagged


@pytest.mark.parametrize("day", ["", "2020-01-01", "2026-02-30", "20260301", "x", "9999-99-99"])
def test_a_day_that_is_not_there_cannot_be_explained(
    synced: Organization, admin: User, sign_in: SignIn, day: str
) -> None:
    note(synced, 40, "10", "11")
    browser = sign_in(admin)
    for response in (browser.get(f"{FORM}?day={day}"), browser.post(FORM, {"day": day, "explanation": "?"})):
        assert response.status_code == 400
        assert "There is no such day here" in response.content.decode()
    assert not Entry.objects.filter(action="day.explain").exists()


def test_too_long_an_explanation_comes_back_with_words(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    row = note(synced, 40, "10", "11")
    response = sign_in(admin).post(FORM, {"day": row.day, "explanation": "x" * 301})
    assert response.status_code == 400
    assert "at most 300 characters" in response.content.decode()
    assert "x" * 301 in response.content.decode()


def test_a_day_of_another_organization_is_no_day_of_this_one(synced: Organization, admin: User) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url=synced.base_url)
    row = note(other, 40, "10", "11")
    with pytest.raises(NoSuchDay):
        day_explain(actor=admin, organization=synced, day=row.day, explanation="mine")


def test_a_pull_keeps_what_a_person_wrote(synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    DaySum.objects.filter(day=YESTERDAY).update(explanation="Written by hand")
    pulled("activity")
    assert only(synced, 1).explanation == "Written by hand"


# --- the command -----------------------------------------------------------------------------------


def reconcile(*arguments: str) -> tuple[str, int]:
    out, status = StringIO(), 0
    try:
        call_command("reconcile", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as ending:
        status = int(str(ending.code))
    return out.getvalue(), status


def test_the_command_prints_the_table_and_ends_well(synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    said, status = reconcile()
    assert status == 0
    assert "Acme Research (acme)" in said
    assert "30 days compared, 0 differ." in said
    assert said.index(YESTERDAY.isoformat()) < said.index(ago(TODAY, 2).isoformat())
    assert UsageDay.objects.exists()


def test_the_command_ends_with_1_on_a_difference_that_nothing_explains(synced: Organization) -> None:
    row = note(synced, 40, "10", "11")
    note(synced, 41, "10", "10")
    said, status = reconcile("--organization", "acme")
    assert status == 1
    assert "UNEXPLAINED" in said
    assert reconcile("--until", ago(TODAY, 41).isoformat())[1] == 0
    assert reconcile("--since", ago(TODAY, 40).isoformat())[1] == 1
    DaySum.objects.filter(pk=row.pk).update(explanation="Known")
    said, status = reconcile()
    assert status == 0
    assert "Known" in said


def test_the_command_says_what_it_does_not_understand(synced: Organization) -> None:
    with pytest.raises(CommandError, match="no organization “nobody”"):
        reconcile("--organization", "nobody")
    with pytest.raises(CommandError, match="is not a day"):
        reconcile("--since", "yesterday")
    assert reconcile()[0].startswith("Acme Research")
