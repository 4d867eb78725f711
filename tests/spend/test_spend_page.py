"""Where the money goes: what a person sees is what OpenRouter says, for everybody only what is theirs."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.models import Organization, Role, User
from orgadmin.inventory.models import Key
from orgadmin.usage.clock import today
from orgadmin.usage.models import DaySum
from tests.conftest import SignIn, person

SPEND = "/o/acme/spend/"


def page_of(browser: Client, query: str = "", **headers: str) -> str:
    response: Any = browser.get(f"{SPEND}{query}", headers=headers)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def headline(page: str) -> str:
    found = re.search(r'tile-value">([^<]+)<', page)
    assert found
    return found[1]


def money(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def amount(text: str) -> Decimal:
    return Decimal(text.strip("<$").replace(",", ""))


def rows_of(page: str) -> list[tuple[str, str]]:
    """The table: name and measure of every line."""
    name = r'<th scope="row">(?:<a class="name"[^>]*>|<span class="muted">)([^<]+)<'
    amount = r'<td class="end">(?:<span class="money"[^>]*>)?([^<]+)<'
    return re.findall(f"{name}.*?{amount}", page, re.DOTALL)


def names_of(page: str) -> set[str]:
    return {name for name, _ in rows_of(page)}


def test_the_complete_days_are_what_openrouter_says(reader: Client, used: Organization) -> None:
    yesterday = today() - timedelta(days=1)
    since = yesterday - timedelta(days=6)
    wanted = sum(
        (row.upstream or Decimal(0))
        for row in DaySum.objects.filter(organization=used, day__range=(since, yesterday))
    )
    page = page_of(reader, f"?since={since}&until={yesterday}")
    assert headline(page) == money(Decimal(wanted))
    assert "activity" in page


@pytest.mark.parametrize("group", ["model", "provider", "key", "member", "workspace"])
def test_every_grouping_has_the_same_total(reader: Client, group: str) -> None:
    everything = headline(page_of(reader, "?range=7d"))
    page = page_of(reader, f"?range=7d&group={group}")
    # Counters are read a moment before analytics.
    assert abs(amount(headline(page)) / amount(everything) - 1) < Decimal("0.005")
    everything = headline(page)
    lines = [amount(text) for _, text in rows_of(page)]
    assert abs(sum(lines) - amount(everything)) < Decimal("0.01") * len(lines)


def test_a_line_leads_to_what_it_is_made_of(reader: Client, used: Organization) -> None:
    # Shortly after midnight nobody may have spent anything yet.
    Key.objects.filter(gone_at=None, usage_daily=0).update(usage_daily=1)
    page = page_of(reader, "?range=7d&group=key")
    name, spent = rows_of(page)[0]
    href = re.search(rf'<a class="name" href="([^"]+)">{re.escape(name)}<', page)
    assert href
    narrowed = reader.get(href[1].replace("&amp;", "&")).content.decode()
    assert headline(narrowed) == spent
    assert "is not split by model yet" in narrowed
    assert "Remove the filter key" in narrowed


def test_filters_combine_for_a_month_and_not_beyond(reader: Client, used: Organization) -> None:
    workspace = next(iter(used.summary["workspace_choices"]))["slug"]
    month = page_of(reader, f"?range=30d&workspace={workspace}&group=key&model=nobody/knows-it")
    assert "There is no model" in month
    long = page_of(reader, f"?range=90d&workspace={workspace}&group=model")
    assert "a workspace is shown as a whole, not by model" in long
    assert len(rows_of(long)) == 1
    model = re.search(r"model=([^&\"]+)", page_of(reader, "?range=7d"))
    assert model
    long = page_of(reader, f"?range=90d&workspace={workspace}&model={model[1]}")
    assert "at most 31 days" in long
    assert "Show everything" in long


def test_the_measures_are_told_apart(reader: Client) -> None:
    figures = {
        measure: headline(page_of(reader, f"?range=30d&measure={measure}"))
        for measure in ("total", "usage", "byok_usage", "requests", "tokens", "per_million")
    }
    amounts = {
        name: Decimal(text.strip("$").replace(",", ""))
        for name, text in figures.items()
        if name in ("total", "usage", "byok_usage")
    }
    assert abs(amounts["total"] - amounts["usage"] - amounts["byok_usage"]) <= Decimal("0.01")
    assert "$" not in figures["requests"]
    assert figures["per_million"].startswith("$")


def test_today_is_told_by_the_hour_and_said_to_be_open(reader: Client) -> None:
    page = page_of(reader, "?range=today")
    assert "Hour (UTC)" in page
    assert "so far" in page_of(reader, "?range=7d")
    both = page_of(reader, "?range=today&group=key&workspace=default")
    assert "tells this combination tomorrow" in both or "There is no workspace" in both


def test_the_figures_are_in_a_table_too(reader: Client) -> None:
    page = page_of(reader, "?range=7d")
    assert "Figures as a table" in page
    assert page.count('<td class="end" data-value=') >= 7


def test_an_htmx_request_gets_the_figures_alone(reader: Client) -> None:
    part = page_of(reader, "?range=7d&group=key", **{"HX-Request": "true"})
    assert 'id="ranges"' in part
    assert 'hx-swap-oob="true"' in part
    assert "?range=90d&amp;group=key" in part
    assert part.lstrip().startswith('<div class="stack" id="spend">')
    assert "<html" not in part


def test_a_key_that_is_gone_keeps_its_name(reader: Client, used: Organization) -> None:
    largest = Key.objects.filter(organization=used).order_by("-usage_monthly").first()
    assert largest is not None
    Key.objects.filter(pk=largest.pk).update(gone_at="2026-01-01T00:00:00Z")
    page = page_of(reader, "?range=30d&group=key")
    assert largest.name in names_of(page)
    assert "deleted" in page


def test_an_organization_without_use_says_so(used: Organization, sign_in: SignIn) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url=used.base_url)
    response: Any = sign_in(person("vic@beta.test", other, Role.VIEWER)).get("/o/beta/spend/")
    page = response.content.decode()
    assert "Nothing was used" in page
    assert headline(page) == "$0.00"


# --- members ---


@pytest.fixture
def own(used: Organization, member: User, sign_in: SignIn) -> Client:
    return sign_in(member)


def test_a_member_sees_their_own_keys_and_nothing_else(
    own: Client, reader: Client, used: Organization, member: User
) -> None:
    mine = Key.objects.filter(organization=used, owner__email__iexact=member.email)
    others = Key.objects.filter(organization=used).exclude(pk__in=mine)
    names = {key.name for key in others} - {key.name for key in mine}
    page = page_of(own, "?range=30d&group=key")
    assert rows_of(page)
    assert not names & names_of(page)
    assert headline(page) != headline(page_of(reader, "?range=30d"))
    assert "By member" not in page


def test_no_parameter_leads_a_member_to_others(own: Client, used: Organization, member: User) -> None:
    mine = Key.objects.filter(organization=used, owner__email__iexact=member.email)
    other = Key.objects.filter(organization=used).exclude(pk__in=mine).order_by("-usage_monthly").first()
    assert other is not None
    own_total = headline(page_of(own, "?range=30d"))
    for query in (
        "group=member",
        "group=workspace",
        "group=provider",
        "measure=usage&group=key",
        "grain=week",
    ):
        page = page_of(own, f"?range=30d&{query}")
        assert other.name not in page
        assert headline(page) == own_total or "measure" in query
    for query in (f"key={other.hash}", "key=none", "key=unknown"):
        page = page_of(own, f"?range=30d&{query}")
        assert "There is no key" in page
        assert other.name not in page
    for query in (f"member={other.owner.uid}" if other.owner else "member=none", "workspace=none"):
        page = page_of(own, f"?range=30d&{query}")
        assert other.name not in page


# --- speed ---


def test_the_number_of_queries_is_small_and_does_not_depend_on_the_span(reader: Client) -> None:
    counts = {}
    for query in ("?range=7d", "?range=30d", "?range=12m", "?range=30d&group=key", "?range=12m&group=key"):
        with CaptureQueriesContext(connection) as queries:
            page_of(reader, query)
        counts[query] = len(queries)
    assert max(counts.values()) <= 24, counts


def test_one_day_alone_waits_for_the_other(reader: Client) -> None:
    page = page_of(reader, f"?since={today() - timedelta(days=4)}")
    assert f'name="since" value="{today() - timedelta(days=4)}"' in page
    assert "Choose the last day too" in page
    assert f'name="until" value="{today()}"' in page_of(reader, f"?until={today()}")


def test_days_the_wrong_way_round_are_turned_and_years_being_typed_wait(reader: Client) -> None:
    first, last = today() - timedelta(days=6), today() - timedelta(days=1)
    assert headline(page_of(reader, f"?since={last}&until={first}")) == headline(
        page_of(reader, f"?since={first}&until={last}")
    )
    for query in (f"?since=0001-01-01&until={last}", "?since=0002-11-01&until=0001-01-01"):
        assert "Spend" in page_of(reader, query)


@pytest.mark.parametrize("group", ["model", "provider", "key", "member", "workspace"])
def test_every_part_of_a_long_span_leads_somewhere(reader: Client, group: str) -> None:
    page = page_of(reader, f"?range=90d&group={group}")
    links = re.findall(r'class="name" href="([^"]+)"', page)
    assert links
    for link in links[:3]:
        answer: Any = reader.get(link.replace("&amp;", "&"))
        assert "This cannot be shown" not in answer.content.decode(), link


def bars(page: str) -> Decimal:
    """Everything that is drawn, added up from the table of the chart."""
    return sum((Decimal(value) for value in re.findall(r'data-value="([^"]+)"', page)), Decimal(0))


@pytest.mark.parametrize("group", ["model", "provider", "key"])
def test_the_hours_of_today_are_nobody_elses(
    used: Organization, member: User, sign_in: SignIn, group: str
) -> None:
    """Hours are known for everybody together: a member must not see them."""
    page = page_of(sign_in(member), f"?range=today&group={group}")
    assert bars(page) == 0


@pytest.mark.parametrize("group", ["model", "provider", "key", "member", "workspace"])
def test_the_hours_of_today_never_show_more_than_was_asked_for(
    reader: Client, used: Organization, group: str
) -> None:
    key = Key.objects.filter(organization=used, gone_at=None).order_by("-usage_daily")[0]
    page = page_of(reader, f"?range=today&group={group}&key={key.hash}")
    assert bars(page) == 0
    assert "No hours for this" in page
    everything = page_of(reader, f"?range=today&group={group}")
    assert bars(everything) == bars(page_of(reader, "?range=today")) > 0
    workspace = key.workspace
    assert workspace is not None
    one = page_of(reader, f"?range=today&group={group}&workspace={workspace.slug}")
    assert 0 < bars(one) < bars(everything)
