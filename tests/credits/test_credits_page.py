"""The credits page: how long it lasts, whatever the balance, the calendar and the history are like."""

from __future__ import annotations

import gzip
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import SyncRun
from orgadmin.usage.models import CreditSnapshot
from tests.conftest import SignIn
from tests.credits.balances import NOW, PAGE, read, texts
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled  # noqa: F401 (a fixture)
from tests.usage.daily import weekly, write_days

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def reader(viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def page(browser: Client, query: str = "", **kw: Any) -> str:
    response = browser.get(PAGE + query, **kw)
    assert response.status_code == 200
    return response.content.decode()


def words(browser: Client, query: str = "") -> str:
    return texts(page(browser, query))


@pytest.fixture
def at_noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


# --- who ---


def test_a_member_may_not_see_the_balance(member: User, sign_in: SignIn) -> None:
    browser = sign_in(member)
    assert browser.get(PAGE).status_code == 403
    assert browser.get(PAGE, headers={"HX-Request": "true"}).status_code == 403
    assert "Credits" not in texts(browser.get("/o/acme/keys/").content.decode())


def test_a_viewer_finds_it_in_the_sidebar(organization: Organization, reader: Client) -> None:
    html = page(reader)
    assert re.search(r'href="/o/acme/credits/" aria-current="page" data-go="c"', html)
    names = re.findall(r'<li><a href="/o/acme/[^"]*"[^>]*><span>([^<]+)', html)
    assert names[:3] == ["Overview", "Spend", "Credits"]


# --- nothing, and next to nothing ---


def test_before_the_first_pull(organization: Organization, reader: Client) -> None:
    found = words(reader)
    assert "No balance yet" in found
    assert "Open Sync" in found
    assert "Runway" not in found
    assert "Forecast" not in found


def test_a_pull_that_failed_says_why(organization: Organization, reader: Client) -> None:
    SyncRun.objects.create(organization=organization, kind="credits", state="failed", error="403: no")
    assert "The balance could not be read" in words(reader)
    assert "403: no." in words(reader)
    read(organization, until=datetime.now(NOW.tzinfo) - HOUR, span=DAY, every=HOUR)
    found = words(reader)
    assert "The last try to read the balance failed: 403: no." in found
    assert "$600.00" in found


def test_one_reading_is_a_balance_and_no_line(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=timedelta(0), every=HOUR)
    html = page(reader)
    found = texts(html)
    assert "$600.00" in found
    assert (
        "No line yet The last reading is of 25 Nov 2026, 09:30 UTC; the line begins with the next." in found
    )
    assert "known after some hours" in found
    assert "data-chart" not in html


# --- balance, burn rate, runway ---


def test_what_a_person_reads(at_noon: None, organization: Organization, reader: Client) -> None:
    SyncRun.objects.create(
        organization=organization, kind="credits", state="ok", started_at=NOW - timedelta(minutes=3)
    )
    read(organization, span=40 * DAY, every=HOUR, until=NOW - 30 * timedelta(minutes=1))
    found = words(reader)
    assert "Balance $600.00 as of 3" in found
    assert "$1,000.00 bought and $400.00 spent" in found
    assert "Burn rate, 7 days $24.00 a day, seen over 7 days" in found
    assert "Burn rate, 30 days $24.00 a day, seen over 30 days" in found
    # 600 / 24 = 25 days from the 25th of November.
    assert "Runway 25 days until about 20 Dec 2026" in found


def test_purchases_do_not_hide_what_is_spent(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    """The balance rose over the week, and still 24 dollars a day went."""
    read(organization, span=40 * DAY, every=HOUR, purchases={3 * DAY: "500", 20 * DAY: "100"})
    found = words(reader)
    assert found.count("$24.00 a day") == 2


def test_activity_tells_the_burn_rate_of_days_nobody_watched(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    """On the day of connecting: one reading, and a year of history."""
    read(organization, span=timedelta(minutes=5), every=timedelta(minutes=5))
    first = NOW.date() - 365 * DAY
    write_days(organization.pk, first, [(value, 50) for value in weekly(first, 365, scale=0.1)])
    found = words(reader)
    assert "a day, from the activity of 7 full days" in found
    assert "a day, from the activity of 30 full days" in found
    # A week costs 53.50 from credits; BYOK is no burn.
    assert "Burn rate, 7 days $7.64" in found
    assert re.search(r"Runway 7[789] days until about 1\d Feb 2027", found)


def test_weekdays_count_in_the_runway(at_noon: None, organization: Organization, reader: Client) -> None:
    """Friday's balance of one working day lasts over the week-end, on which next to nothing is used."""
    with time_machine.travel(datetime.fromisoformat("2026-11-27T23:59:59+00:00"), tick=False):
        friday = datetime.fromisoformat("2026-11-27T23:58:00+00:00")
        read(organization, until=friday, span=2 * HOUR, every=HOUR, bought="460", per_day="0.1")
        first = date(2026, 11, 28) - 364 * DAY
        write_days(organization.pk, first, [(value, 0) for value in weekly(first, 363)])
        found = words(reader)
    assert "Runway 2 days until about 30 Nov 2026" in found


def test_nothing_spent_is_no_runway(at_noon: None, organization: Organization, reader: Client) -> None:
    read(organization, span=40 * DAY, every=DAY, per_day="0")
    write_days(organization.pk, NOW.date() - 30 * DAY, [(0, 0)] * 30)
    found = words(reader)
    assert "Runway — nothing is being spent" in found
    assert "$0.00 a day" in found


def test_a_fortune_lasts_beyond_counting(at_noon: None, organization: Organization, reader: Client) -> None:
    read(organization, span=40 * DAY, every=DAY, bought="1000000", per_day="1")
    assert "Runway Over 2 years in four cases of five later than in 2 years" in words(reader)


def test_below_zero_even_free_models_are_refused(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=40 * DAY, every=HOUR, bought="390", spent="400")
    html = page(reader)
    found = texts(html)
    assert "Balance −$10.00" in found
    assert "refuses every request with error 402, even to free models" in found
    assert "Runway None the credits are used up" in found
    # The line crosses zero, which is one of the ticks, and the lowest tick is below it.
    ticks = re.findall(r"<li>([^<]+)</li>", html[html.index('class="chart-ticks"') :])
    assert "$0.00" in ticks
    assert any(tick.startswith("−") for tick in ticks)


def test_who_pays_by_invoice_has_no_meaningful_balance(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=40 * DAY, every=HOUR, bought="0", spent="4000")
    write_days(organization.pk, NOW.date() - 40 * DAY, [(24, 0)] * 40)
    found = words(reader)
    assert "Organizations that pay by invoice may have no meaningful prepaid balance" in found
    assert "below zero" not in found
    assert "Runway — no prepaid credits" in found
    assert "$24.00 a day" in found
    assert "Month’s spend $720" in found
    assert "Credits left then" not in found


# --- the line and its purchases ---


def test_purchases_are_jumps(at_noon: None, organization: Organization, reader: Client) -> None:
    read(
        organization, span=40 * DAY, every=HOUR,
        purchases={3 * DAY: "500", 2 * DAY: "-120.5", 35 * DAY: "77"},
    )  # fmt: skip
    html = page(reader)
    found = texts(html)
    assert "23 Nov 2026, 09:30 Taken back −$120.50" in found
    assert "22 Nov 2026, 09:30 Purchase $500.00" in found
    assert "Together $379.50" in found
    assert "$77.00" not in found
    assert html.count("<circle") == 2
    assert html.count('<circle class="down"') == 1
    assert "Purchase $77.00" in words(reader, "?range=90d")
    # In the table under the line, too.
    assert 'data-value="500' in html


def test_a_purchase_and_its_refund_on_one_day_are_two(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    """On a line of a year, whose points are days, they cancel out."""
    read(organization, span=400 * DAY, every=6 * HOUR, purchases={30 * HOUR: "50", 24 * HOUR: "-50"})
    html = page(reader, "?range=12m")
    assert html.count("<circle") == 2
    assert "Purchase $50.00" in texts(html)
    assert "Taken back −$50.00" in texts(html)
    assert "Together $0.00" in texts(html)


def test_no_purchases_say_where_credits_are_bought(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=5 * DAY, every=HOUR)
    assert "No purchases in these days" in words(reader)


@pytest.mark.parametrize(("query", "days"), [("7d", 7), ("30d", 30), ("90d", 90), ("12m", 365), ("all", 400)])
def test_a_line_has_at_most_some_hundred_points(
    at_noon: None, organization: Organization, reader: Client, query: str, days: int
) -> None:
    rows = read(organization, span=400 * DAY, every=timedelta(minutes=30), per_day="1")
    html = page(reader, f"?range={query}")
    points = re.findall(r'<tr data-across="([\d.]+)"', html)
    assert 100 < len(points) <= 375
    assert [float(point) for point in points] == sorted(map(float, points))
    assert float(points[-1]) == 100
    # The newest reading is always the last point.
    assert f"{rows[-1].balance:,.2f}" in html.rpartition("data-across")[2]
    assert f'<a href="?range={query}" aria-current="true">' in html
    since = NOW - days * DAY
    assert f"since {since.day} {since:%b %Y}" in texts(html)


def test_a_range_that_there_is_not_is_the_usual_one(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=40 * DAY, every=HOUR)
    for nonsense in ("", "?range=", "?range=1y", "?range=%00", "?range=30d&range=x"):
        assert '<a href="?range=30d" aria-current="true">' in page(reader, nonsense)


def test_a_fragment_has_the_figures_alone(at_noon: None, organization: Organization, reader: Client) -> None:
    read(organization, span=40 * DAY, every=HOUR)
    fragment = page(reader, headers={"HX-Request": "true"})
    assert fragment.lstrip().startswith('<div class="stack" id="credits">')
    assert "<html" not in fragment
    assert "style=" not in fragment


def test_another_organization_is_not_read(at_noon: None, organization: Organization, reader: Client) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url=organization.base_url)
    read(other, span=40 * DAY, every=HOUR, bought="7777", purchases={DAY: "33"})
    assert "No balance yet" in words(reader)
    read(organization, span=40 * DAY, every=HOUR)
    found = words(reader, "?range=all")
    assert "$33.00" not in found
    assert "7,777" not in found


# --- the month ---


@pytest.mark.parametrize(
    ("balance", "verdict"),
    [
        ("2000", "The credits last beyond 30 Nov 2026."),
        ("105", "The credits run out before 30 Nov 2026."),
        ("0.01", "The credits run out before 30 Nov 2026."),
        ("0", "The credits are used up."),
        ("-5", "The credits are used up."),
    ],
)
def test_whether_the_credits_last_to_the_end_of_the_month(
    at_noon: None, organization: Organization, reader: Client, balance: str, verdict: str
) -> None:
    """Five and a half days at 24 dollars are still to come."""
    read(organization, span=40 * DAY, every=HOUR, bought=str(400 + Decimal(balance)))
    write_days(organization.pk, NOW.date() - 200 * DAY, [(24, 6)] * 200)
    found = words(reader)
    assert verdict in found
    assert "Forecast for November 2026 Rests on 200 days of use." in found
    assert "Spent so far $720.00" in found
    assert "Credits needed $134.50" in found


def test_what_is_close_says_so(at_noon: None, organization: Organization, reader: Client) -> None:
    write_days(organization.pk, NOW.date() - 20 * DAY, [(24, 0)] * 20)
    read(organization, span=40 * DAY, every=HOUR, bought="540")
    found = words(reader)
    assert "The credits probably last to 30 Nov 2026, but it may be close." in found
    assert "too few to know the weekdays well" in found
    CreditSnapshot.objects.all().delete()
    read(organization, span=40 * DAY, every=HOUR, bought="520")
    assert "The credits probably run out before 30 Nov 2026." in words(reader)


@pytest.mark.parametrize(
    ("clock", "last", "month"),
    [
        ("2028-02-29T23:59:59+00:00", "29 Feb 2028", "February 2028"),
        ("2028-02-29T00:00:00+00:00", "29 Feb 2028", "February 2028"),
        ("2027-02-28T12:00:00+00:00", "28 Feb 2027", "February 2027"),
        ("2026-12-31T23:59:59+00:00", "31 Dec 2026", "December 2026"),
        ("2027-01-01T00:00:00+00:00", "31 Jan 2027", "January 2027"),
        ("2026-04-30T23:59:59.999999+00:00", "30 Apr 2026", "April 2026"),
    ],
)
def test_the_ends_of_months(
    organization: Organization, viewer: User, sign_in: SignIn, clock: str, last: str, month: str
) -> None:
    now = datetime.fromisoformat(clock)
    with time_machine.travel(now, tick=False):
        browser = sign_in(viewer)
        read(organization, until=now - timedelta(minutes=1), span=40 * DAY, every=HOUR, bought="2000")
        write_days(organization.pk, now.date() - 200 * DAY, [(24, 0)] * 200)
        for query in ("7d", "30d", "90d", "12m", "all"):
            found = words(browser, f"?range={query}")
            assert f"Forecast for {month}" in found
            assert f"The credits last beyond {last}." in found
            assert "Runway 66 days" in found


def test_a_forecast_without_a_balance(at_noon: None, organization: Organization, reader: Client) -> None:
    write_days(organization.pk, NOW.date() - 100 * DAY, [(24, 0)] * 100)
    found = words(reader)
    assert "No balance yet" in found
    assert "Month’s spend $720" in found


# --- all of it, and how much it costs ---


def test_the_whole_way_from_the_sandbox(
    pulled: Pull,  # noqa: F811
    synced: Organization,
    reader: Client,
    sandbox: RunningSandbox,
) -> None:
    pulled("credits")
    pulled("activity")
    sandbox.sandbox.advance(timedelta(hours=30))
    with time_machine.travel(sandbox.sandbox.now()):
        pulled("credits")
        found = words(reader)
        # The sandbox travels along: its clock is ahead by the thirty hours once more.
        bought = Decimal(sandbox.sandbox.account.total_credits(sandbox.sandbox.now())).scaleb(-9)
    assert f"${bought:,.2f} bought" in found
    assert "a day, from the activity of" in found
    assert re.search(r"Runway (Under a day|\d+ days?) until about", found)
    assert "Forecast for" in found


def test_queries_do_not_grow_with_the_readings(
    at_noon: None, organization: Organization, reader: Client
) -> None:
    read(organization, span=2 * DAY, every=HOUR)
    write_days(organization.pk, NOW.date() - 3 * DAY, [(24, 0)] * 3)
    counts = []
    for _ in range(2):
        for query in ("7d", "all"):
            with CaptureQueriesContext(connection) as queries:
                reader.get(f"{PAGE}?range={query}")
            counts.append(len(queries))
        CreditSnapshot.objects.all().delete()
        purchases = {number * DAY: "5" for number in range(1, 150)}
        read(organization, span=300 * DAY, every=timedelta(hours=2), per_day="1", purchases=purchases)
        write_days(organization.pk, NOW.date() - 300 * DAY, [(24, 0)] * 300)
    # Three of them are the session, the user and the memberships.
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 14
    assert "the newest 100 only" in words(reader, "?range=all")


def test_the_page_is_light(at_noon: None, organization: Organization, reader: Client) -> None:
    read(organization, span=400 * DAY, every=timedelta(hours=2), per_day="1.2345")
    fragment = reader.get(f"{PAGE}?range=12m", headers={"HX-Request": "true"}).content
    assert len(gzip.compress(fragment)) < 15_000
