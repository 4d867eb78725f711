"""Use as CSV: what stands in it, whom it shows what, and that memory stays flat."""

from __future__ import annotations

import csv
import gc
import tracemalloc
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.spend.csv import stream
from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.columns import COLUMNS
from orgadmin.usage.models import NO_KEY, DaySum, Source, UsageDay, UsageModel
from orgadmin.usage.reading import Question
from orgadmin.usage.spans import Span
from orgadmin.usage.store import Scope, replace_facts
from tests.conftest import SignIn
from tests.usage.conftest import NOON, Pull
from tests.usage.facts import fact
from tests.usage.upstream import ago

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
ADDRESS = "/o/acme/spend/csv/"
EVERYTHING = f"{ADDRESS}?range=all"


def lines(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(text.splitlines()))


def test_every_fact_is_a_line_with_all_its_digits(
    synced: Organization, pulled: Pull, viewer: User, sign_in: SignIn
) -> None:
    pulled("activity")
    response: Any = sign_in(viewer).get(EVERYTHING)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="use-acme-2026-03-17.csv"'
    found = lines(response)
    assert tuple(found[0]) == COLUMNS
    assert len(found) == UsageDay.objects.count()
    facts = UsageDay.objects.all()
    for column, name in (("usage_usd", "usage"), ("byok_usage_usd", "byok_usage")):
        assert sum(Decimal(line[column]) for line in found) == sum(getattr(row, name) for row in facts)
    for column in ("requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens"):
        assert sum(int(line[column]) for line in found) == sum(getattr(row, column) for row in facts)
    assert [line["day"] for line in found] == sorted(line["day"] for line in found)
    assert {line["source"] for line in found} == {Source.ACTIVITY}
    hashes = {line["key_hash"] for line in found}
    assert "none" in hashes
    assert hashes - {"none"} == set(
        Key.objects.filter(pk__in=facts.values("key_id")).values_list("hash", flat=True)
    )
    first = next(line for line in found if line["key_hash"] != "none")
    key = Key.objects.get(hash=first["key_hash"])
    assert first["key_name"] == key.name
    assert first["member_id"] == (key.owner.uid if key.owner else "")
    assert first["provider"]
    assert UsageModel.objects.filter(permaslug=first["model_permaslug"], slug=first["model"]).exists()


def test_the_filters_of_the_page_are_those_of_the_file(
    synced: Organization, pulled: Pull, viewer: User, sign_in: SignIn
) -> None:
    pulled("activity")
    browser = sign_in(viewer)
    everything = lines(browser.get(EVERYTHING))
    day = ago(TODAY, 3).isoformat()
    key = next(line["key_hash"] for line in everything if line["day"] == day)
    model = next(line["model_permaslug"] for line in everything if line["key_hash"] == key)
    for query, kept in (
        (f"since={day}&until={day}", lambda line: line["day"] == day),
        ("range=7d", lambda line: line["day"] >= ago(TODAY, 6).isoformat()),
        (f"range=all&key={key}", lambda line: line["key_hash"] == key),
        (
            f"range=all&key={key}&model={model}",
            lambda line: (line["key_hash"], line["model_permaslug"]) == (key, model),
        ),
        ("range=all&key=none", lambda line: line["key_hash"] == "none"),
        ("range=all&provider=Nobody", lambda line: False),
        ("range=today", lambda line: False),
    ):
        wanted = [line for line in everything if kept(line)]
        assert lines(browser.get(f"{ADDRESS}?{query}")) == wanted, query


def test_a_member_gets_the_lines_of_their_own_keys_whatever_they_ask_for(
    synced: Organization, pulled: Pull, member: User, viewer: User, sign_in: SignIn
) -> None:
    pulled("activity")
    own = set(Key.objects.filter(owner__email__iexact=member.email).values_list("hash", flat=True))
    everything = lines(sign_in(viewer).get(EVERYTHING))
    other = Key.objects.exclude(hash__in=own).exclude(owner=None).order_by("-usage_monthly")[0]
    me = Member.objects.get(email__iexact=member.email)
    browser = sign_in(member)
    assert lines(browser.get(EVERYTHING)) == [line for line in everything if line["key_hash"] in own]
    workspace = Workspace.objects.order_by("pk")[0]
    for query in (
        f"key={other.hash}",
        "key=none",
        "key=unknown",
        f"member={other.owner.uid}",  # type: ignore[union-attr]
        f"member={me.uid}",
        "member=none",
        f"workspace={workspace.slug}",
        f"key={other.hash}&key={other.hash}",
        "group=member",
        "provider=OpenAI",
    ):
        found = lines(browser.get(f"{EVERYTHING}&{query}"))
        assert {line["key_hash"] for line in found} <= own, query


def test_names_of_other_people_are_no_formulas(
    synced: Organization, pulled: Pull, viewer: User, sign_in: SignIn
) -> None:
    pulled("activity")
    key = Key.objects.order_by("-usage_monthly")[0]
    Key.objects.filter(pk=key.pk).update(name='=HYPERLINK("http://x.test")')
    found = lines(sign_in(viewer).get(f"{EVERYTHING}&key={key.hash}"))
    assert {line["key_name"] for line in found} == {'\'=HYPERLINK("http://x.test")'}


def test_refunds_and_small_amounts_keep_their_digits(synced: Organization) -> None:
    replace_facts(
        organization_id=synced.pk,
        scopes=[Scope(NO_KEY, TODAY, TODAY)],
        facts=[fact(TODAY, key=NO_KEY, nano=-1, byok=10**18 + 1, requests=0)],
    )
    (line,) = lines(stream(synced, Question(synced.pk, Span(TODAY, TODAY))))
    assert (line["usage_usd"], line["byok_usage_usd"]) == ("-0.000000001", "1000000000.000000001")
    assert (line["key_hash"], line["model"], line["endpoint_id"]) == ("none", "#1", "#1")


# --- size ------------------------------------------------------------------------------------------


def many(organization: Organization, days: int, each: int) -> Question:
    """So many facts on each of so many days."""
    first = date(2025, 1, 1)
    for ahead in range(days):
        day = first + timedelta(days=ahead)
        replace_facts(
            organization_id=organization.pk,
            scopes=[Scope(key, day, day) for key in range(1, 51)],
            facts=(
                # Fifty keys, forty models; ten times as many lines come of ten endpoints.
                fact(
                    day,
                    key=number % 50 + 1,
                    model=number // 50 % 40 + 1,
                    endpoint=number // 2000 + 1,
                    nano=number + 1,
                )
                for number in range(each)
            ),
        )
        DaySum.objects.create(organization=organization, day=day, source=Source.ACTIVITY)
    return Question(organization.pk, Span(first, first + timedelta(days=days - 1)))


def peak(organization: Organization, question: Question) -> tuple[int, int]:
    """Bytes at the highest, and lines."""
    gc.collect()
    tracemalloc.start()
    try:
        count = sum(1 for _ in _drained(stream(organization, question)))
        return tracemalloc.get_traced_memory()[1], count
    finally:
        tracemalloc.stop()


def _drained(response: Any) -> Iterator[bytes]:
    yield from response.streaming_content


def test_memory_is_flat_and_no_statement_reads_more_than_a_day(
    synced: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several chunks a day in both.
    monkeypatch.setattr("dashboard.spend.csv.CHUNK", 500)
    question = many(synced, days=3, each=2000)
    # What is loaded once is loaded now.
    assert len(lines(stream(synced, question))) == 6000
    small, lines_of_small = peak(synced, question)
    DaySum.objects.all().delete()
    large, lines_of_large = peak(synced, many(synced, days=3, each=20_000))
    assert (lines_of_small, lines_of_large) == (6001, 60_001)
    assert large < small * 1.2

    with CaptureQueriesContext(connection) as captured:
        assert len(lines(stream(synced, question))) == 60_000
    reading = [query["sql"] for query in captured.captured_queries if "usage_usageday" in query["sql"]]
    # A cursor on the server is not among the captured on PostgreSQL.
    assert len(reading) in (0, 3)
    assert all(sum(sql.count(f"2025-01-0{day}") > 0 for day in (1, 2, 3)) == 1 for sql in reading)
