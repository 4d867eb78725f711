"""The members: what each holds and costs, and one of them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import spent_this_month
from tests.conftest import SignIn
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]
LIST = "/o/acme/members/"


@pytest.fixture
def reader(synced: Organization, viewer: User, sign_in: SignIn) -> Client:
    return sign_in(viewer)


def page_of(browser: Client, address: str = LIST) -> str:
    response: Any = browser.get(address)
    assert response.status_code == 200, address
    text: str = response.content.decode()
    return text


def listed(browser: Client, query: str = "") -> list[dict[str, str]]:
    """The rows of the CSV of the list."""
    answer: Any = browser.get(f"{LIST}csv/{query}")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def busiest(organization: Organization) -> Member:
    rows = Member.objects.filter(organization=organization, gone_at=None)
    return max(rows, key=lambda row: row.keys.filter(gone_at=None).count())


def test_the_list_says_who_they_are_and_what_they_hold(
    reader: Client, synced: Organization, pulled: Pull
) -> None:
    for kind in ("activity", "today"):
        pulled(kind)
    member, page = busiest(synced), page_of(reader)
    row = next(row for row in listed(reader) if row["member_id"] == member.uid)
    assert row["name"] == str(member)
    assert int(row["keys"]) == member.keys.filter(gone_at=None).count()
    everybody = spent_this_month(synced, Dimension.MEMBER)
    assert everybody is not None
    spent = everybody[member.pk]
    assert row["spent_this_month_usd"] == f"{spent:f}"
    for text in (str(member), member.email, f"${spent:,.2f}"):
        assert text in page, text
    assert spent > 0


def test_it_is_searched_and_sorted(reader: Client, synced: Organization) -> None:
    member = busiest(synced)
    assert [row["email"] for row in listed(reader, f"?q={member.email}")] == [member.email]
    assert [row["name"] for row in listed(reader)] == sorted(
        (row["name"] for row in listed(reader)), key=str.casefold
    )
    keys = [int(row["keys"]) for row in listed(reader, "?sort=-keys")]
    assert keys == sorted(keys, reverse=True)
    assert "No member matches" in page_of(reader, f"{LIST}?q=nobody-is-called-this")


def test_who_left_is_there_on_request(reader: Client, synced: Organization) -> None:
    member = busiest(synced)
    Member.objects.filter(pk=member.pk).update(gone_at=timezone.now())
    assert member.uid not in {row["member_id"] for row in listed(reader)}
    assert [row["member_id"] for row in listed(reader, "?gone=1")] == [member.uid]
    page = page_of(reader, f"{LIST}{member.uid}/")
    assert "no longer a member" in page
    assert member.keys.filter(gone_at=None).first().name in page  # type: ignore[union-attr]


def test_one_shows_keys_and_its_spend_by_address(reader: Client, synced: Organization, pulled: Pull) -> None:
    pulled("activity")
    member = busiest(synced)
    page = page_of(reader, f"{LIST}{member.uid}/")
    for key in member.keys.filter(gone_at=None):
        assert key.name in page
    panel = f"/o/acme/spend/panel/?member={member.uid}"
    assert panel in page
    assert "Spend of 30 days" in page_of(reader, panel)
    assert f"/o/acme/keys/?owner={member.uid}" in page


def test_it_shows_the_first_fifty_keys_and_leads_to_the_rest(reader: Client, synced: Organization) -> None:
    member = busiest(synced)
    Key.objects.bulk_create(
        Key(organization=synced, owner=member, hash=f"{n:064x}", name=f"Many {n}", creator_user_id=member.uid)
        for n in range(60)
    )
    page = page_of(reader, f"{LIST}{member.uid}/")
    assert page.count('class="name" href="/o/acme/keys/') == 50
    assert "All of their keys" in page


def test_a_member_reaches_nobody_elses_numbers(
    synced: Organization, member: User, sign_in: SignIn, pulled: Pull
) -> None:
    pulled("activity")
    browser = sign_in(member)
    others = Member.objects.filter(organization=synced).exclude(email__iexact=member.email)
    other = max(others, key=lambda row: sum(key.usage for key in row.keys.all()))
    assert browser.get(LIST).status_code == 403
    assert browser.get(f"{LIST}{other.uid}/").status_code == 403
    theirs = Key.objects.filter(organization=synced, owner=other)
    workspace = Workspace.objects.filter(organization=synced)[0]
    assert theirs.filter(usage__gt=0).exists(), "there would be nothing to hide"
    for name, called in (("member", str(other)), ("workspace", workspace.name)):
        value = other.uid if name == "member" else workspace.slug
        assert browser.get(f"/o/acme/spend/panel/?{name}={value}").status_code == 404
        page: Any = browser.get(f"/o/acme/spend/?{name}={value}")
        text = page.content.decode()
        assert "This cannot be shown" in text
        assert called not in text.replace(workspace.slug, ""), "its name is told"
        assert not any(key.name in text for key in theirs)


def test_another_organizations_is_not_there(reader: Client, synced: Organization) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1")
    Member.objects.create(organization=other, uid="user_theirs", email="them@there.test")
    assert reader.get(f"{LIST}user_theirs/").status_code == 404
    assert "them@there.test" not in page_of(reader)


def test_it_asks_as_often_for_many_as_for_few(reader: Client, synced: Organization) -> None:
    with CaptureQueriesContext(connection) as few:
        page_of(reader)
    Member.objects.bulk_create(
        Member(organization=synced, uid=f"user_{n}", email=f"m{n}@house.test") for n in range(70)
    )
    with CaptureQueriesContext(connection) as many:
        assert "1–50 of" in page_of(reader)
    assert len(many) == len(few)
