"""What a spend page is narrowed to, and what it is held against."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from dashboard.charts import Bucket, Chart, Series
from dashboard.spend.filters import MOST_PARTS, SpendFilters
from dashboard.spend.selectors import spend
from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key, Workspace
from orgadmin.usage.clock import today
from orgadmin.usage.labels import labels, part_of
from orgadmin.usage.models import DaySum, Dimension, HistoryPart, Source
from orgadmin.usage.spans import DAY, Span
from tests.conftest import SignIn
from tests.spend.test_spend_page import amount, headline, names_of, page_of, rows_of


def filters(query: str) -> SpendFilters:
    return SpendFilters.of(QueryDict(query))


# --- several parts ---


def test_several_parts_of_one_kind_count_together(reader: Client) -> None:
    rows = rows_of(page_of(reader, "?range=7d&group=model"))[:2]
    links = re.findall(r'class="name" href="\?*([^"]+)"', page_of(reader, "?range=7d&group=model"))
    models = [re.search(r"model=([^&]+)", link)[1] for link in links[:2]]  # type: ignore[index]

    page = page_of(reader, f"?range=7d&group=model&model={models[0]}&model={models[1]}")

    assert names_of(page) == {name for name, _ in rows}
    assert abs(amount(headline(page)) - sum(amount(spent) for _, spent in rows)) <= amount("$0.02")
    for name, _ in rows:
        assert f"Remove the filter model: {name}" in page


def test_an_address_holds_each_part_once_and_not_too_many() -> None:
    many = "&".join(f"key=k{number}" for number in range(50))
    assert filters("key=a&key=b&key=a&key=").key == ("a", "b")
    assert len(filters(many).key) == MOST_PARTS
    assert filters("key=a&key=b").query() == "key=a&key=b"
    assert filters("key=a&key=b").without_part("key", "a") == "key=b"
    assert filters("key=a&model=m").with_part("key", "b") == "model=m&key=a&key=b"


# --- looking for a part ---


def choose(browser: Client, query: str) -> str:
    response: Any = browser.get(f"/o/acme/spend/filter/?{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def offered(page: str) -> list[str]:
    return re.findall(r'<li><a href="[^"]+"[^>]*><span>([^<]+)<', page)


def test_a_part_is_found_by_a_word_and_added(reader: Client, used: Organization) -> None:
    page = page_of(reader, "?range=7d&group=key")
    name, spent = rows_of(page)[0]
    found = choose(reader, f"by=key&q={name}&range=7d&group=model")
    assert name in offered(found)

    href = re.search(rf'<a href="([^"]+)"><span>{re.escape(name)}', found)
    assert href
    narrowed: Any = reader.get(href[1].replace("&amp;", "&"))
    assert headline(narrowed.content.decode()) == spent
    assert 'aria-current="true">7 d<' in narrowed.content.decode()


@pytest.mark.parametrize("by", ["model", "provider", "key", "member", "workspace"])
def test_those_that_spent_most_are_offered_first(reader: Client, by: str) -> None:
    largest = {name for name, _ in rows_of(page_of(reader, f"?range=30d&group={by}"))}
    assert largest & set(offered(choose(reader, f"by={by}")))
    assert "was used is called" in choose(reader, f"by={by}&q=nobody-has-this-name")


def test_what_is_chosen_already_can_be_taken_out_there(reader: Client) -> None:
    model = re.search(r'class="name" href="[^"]*model=([^&"]+)', page_of(reader, "?range=7d"))
    assert model
    page = choose(reader, f"by=model&model={model[1]}")
    assert re.search(r'<a href="/o/acme/spend/\?" aria-current="true">', page)


def test_a_member_is_offered_what_is_theirs(used: Organization, member: User, sign_in: SignIn) -> None:
    browser = sign_in(member)
    others = Key.objects.filter(organization=used).exclude(owner__email__iexact=member.email)
    for by in ("key", "model", "provider", "member", "workspace"):
        page = choose(browser, f"by={by}")
        assert offered(page)
        assert not [key.name for key in others if key.hash in page]
    assert "Workspace" not in choose(browser, "by=workspace")
    for other in others[:3]:
        assert other.hash not in choose(browser, f"by=key&q={other.name}")


def test_a_workspace_of_our_word_for_nobody_is_told_from_nobody(used: Organization) -> None:
    workspace = Workspace.objects.filter(organization=used).first()
    assert workspace is not None
    Workspace.objects.filter(pk=workspace.pk).update(slug="none")
    named = labels(Dimension.WORKSPACE, [workspace.pk])[workspace.pk].name
    assert part_of(Dimension.WORKSPACE, named, used.pk) == workspace.pk
    assert part_of(Dimension.WORKSPACE, "none", used.pk) == 0


# --- compared with ---


@pytest.mark.parametrize(
    ("query", "span", "before"),
    [
        ("range=month", ("2026-11-01", "2026-11-24"), ("2026-10-01", "2026-10-24")),
        ("range=month", ("2026-03-01", "2026-03-30"), ("2026-02-01", "2026-02-28")),
        ("range=month", ("2028-03-01", "2028-03-29"), ("2028-02-01", "2028-02-29")),
        ("range=month", ("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        ("range=last-month", ("2026-10-01", "2026-10-31"), ("2026-09-01", "2026-09-30")),
        ("range=last-month", ("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        ("range=last-month", ("2026-01-01", "2026-01-31"), ("2025-12-01", "2025-12-31")),
        ("range=7d", ("2026-11-18", "2026-11-24"), ("2026-11-11", "2026-11-17")),
    ],
)
def test_a_month_is_held_against_the_month_before(
    query: str, span: tuple[str, str], before: tuple[str, str]
) -> None:
    asked = Span(*map(date.fromisoformat, span))
    now, then = filters(query).compared(asked)
    assert then == Span(*map(date.fromisoformat, before))
    # As many days on both sides, but for whole months.
    assert now.since == asked.since
    assert now.days == then.days or now == asked


def test_what_stands_against_what_is_said(reader: Client) -> None:
    page = page_of(reader, "?range=7d")
    assert re.search(r"against \$[\d,.]+ on \d+ \w* ?–? ?\d+ \w+ \d{4}", page), page[:0]


# --- today, of which money alone is told by key ---


def test_requests_of_today_are_not_made_up_by_key(reader: Client, used: Organization) -> None:
    key = Key.objects.filter(organization=used, gone_at=None).order_by("-usage_daily")[0]
    page = page_of(reader, f"?range=today&key={key.hash}")
    assert page.count("known tomorrow") == 3
    listed = page_of(reader, "?range=today&group=key")
    assert "Per 1M tokens" not in listed
    assert "OpenRouter tells requests and tokens of today tomorrow for this." in listed
    month = page_of(reader, f"?range=30d&group=model&key={key.hash}")
    assert "of complete days" in month


def test_requests_by_key_are_of_complete_days(reader: Client) -> None:
    page = page_of(reader, "?range=30d&group=key&measure=requests")
    assert "Today counts in the sum and is not split by key yet" in page
    rows = {name: int(text.replace(",", "")) for name, text in rows_of(page)}
    # Those of today are nobody's, and not those of the chat room.
    yesterday = page_of(reader, "?range=30d&group=key")
    assert rows["Not from a key"] < sum(rows.values()) / 4
    assert "of the complete days" in yesterday


# --- while history comes ---


def test_a_long_span_says_that_history_is_on_its_way(reader: Client, used: Organization) -> None:
    parts = [
        HistoryPart(organization=used, key_id=number, since=date(2026, 1, 1), until=date(2026, 2, 1))
        for number in range(3)
    ]
    HistoryPart.objects.bulk_create(parts)
    assert "0 of 3 parts are there" in page_of(reader, "?range=12m")
    assert "is being fetched" not in page_of(reader, "?range=7d")
    HistoryPart.objects.update(done_at="2026-03-03T00:00:00Z")
    assert "is being fetched" not in page_of(reader, "?range=12m")


# --- like with like ---


def test_days_that_tell_no_provider_are_not_held_against_days_that_do(
    reader: Client, used: Organization
) -> None:
    yesterday = today() - DAY
    for at in range(8, 15):
        DaySum.objects.update_or_create(
            organization=used, day=yesterday - at * DAY, defaults={"source": Source.ANALYTICS}
        )
    query = f"?since={yesterday - 6 * DAY}&until={yesterday}"
    assert "against" in page_of(reader, f"{query}&group=model")
    assert "no earlier days to compare with" in page_of(reader, f"{query}&group=provider")
    longer = page_of(reader, "?range=30d&group=provider")
    assert "does not tell providers" in longer
    assert "does not tell providers" not in page_of(reader, "?range=30d&group=model")


@pytest.mark.parametrize("group", ["model", "key", "workspace", "member"])
def test_the_changes_of_the_rows_add_up_to_the_change_of_the_sum(used: Organization, group: str) -> None:
    yesterday = today() - DAY
    since = yesterday - 6 * DAY
    found = spend(used, filters(f"since={since}&until={yesterday}&group={group}"), {})
    assert found.before is not None
    lines = [*found.lines, *([found.rest] if found.rest else [])]
    grown = sum((line.difference("total") for line in lines), Decimal(0))
    assert grown == found.closed.total - found.before.total


def test_twelve_months_are_twelve_on_every_day() -> None:
    for at in range(1200):
        day = date(2026, 1, 1) + at * DAY
        span = filters("range=12m").span(day, None)
        assert span.since.day == 1
        months = (day.year - span.since.year) * 12 + day.month - span.since.month
        assert (months, span.until) == (11, day), day


def test_nobodys_part_of_today_leads_to_the_same_sum(reader: Client) -> None:
    rows = dict(rows_of(page_of(reader, "?range=today&group=member")))
    assert headline(page_of(reader, "?range=today&member=none")) == rows["No member"]


def test_what_lies_below_zero_is_said_to_be_in_the_table() -> None:
    chart = Chart("Spend", [Bucket("1", "1")], [Series("A", 1, [Decimal(-1)])], str)
    assert chart.has_refunds
    assert not Chart("Spend", [Bucket("1", "1")], [Series("A", 1, [Decimal(1)])], str).has_refunds
