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
from orgadmin.inventory import guardrails
from orgadmin.inventory.models import Key, Member, MemberAssignment, Workspace
from orgadmin.usage.models import Dimension
from orgadmin.usage.openday import spent_this_month
from tests.conftest import SignIn, Sync
from tests.members.conftest import LIST, workspaces
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]


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


def test_it_is_filtered_by_what_they_are_and_hold(
    reader: Client, leaver: Member, synced: Organization
) -> None:
    first, _, *others = workspaces(synced)
    everybody = {row["member_id"] for row in listed(reader)}

    def found(query: str) -> set[str]:
        return {row["member_id"] for row in listed(reader, query)}

    assert leaver.uid in found("?role=org:member")
    assert leaver.uid not in found("?role=org:admin")
    assert found("?role=org:member") | found("?role=org:admin") == everybody
    assert leaver.uid in found(f"?workspace={first.slug}")
    assert all(leaver.uid not in found(f"?workspace={other.slug}") for other in others)
    default = Workspace.objects.get(organization=synced, uid=synced.default_workspace_uid)
    assert found(f"?workspace={default.slug}") == everybody
    for name in ("guardrail", "keys"):
        assert leaver.uid in found(f"?{name}=with")
        assert found(f"?{name}=with") | found(f"?{name}=without") == everybody
        assert not found(f"?{name}=with") & found(f"?{name}=without")
    Key.objects.filter(owner=leaver).update(gone_at=timezone.now())
    assert leaver.uid in found("?keys=without")
    assert "Nobody fits all of these filters" in page_of(reader, f"{LIST}?role=org:ghost&keys=with")
    assert found("?guardrail=nonsense&keys=nonsense") == everybody


def test_the_csv_says_what_the_list_says(reader: Client, leaver: Member, synced: Organization) -> None:
    held = guardrails.of_members(synced, [leaver.uid])[leaver.uid]
    (row,) = listed(reader, f"?q={leaver.email}")
    assert row == {
        "name": "Leo Leaver",
        "email": "leo@house.test",
        "member_id": leaver.uid,
        "role": "org:member",
        "workspaces": "2",
        "keys": "3",
        "guardrail": held.name,
        "guardrail_id": held.uid,
        "spent_this_month_usd": "",
    }
    page = page_of(reader, f"{LIST}?q={leaver.email}")
    for text in ("Member", held.name, f"/o/acme/guardrails/{held.uid}/", ">2<", ">3<"):
        assert text in page, text


@pytest.mark.parametrize("column", ["workspaces", "keys", "guardrail", "role"])
def test_it_is_sorted_by_what_they_hold(reader: Client, leaver: Member, column: str) -> None:
    ways = [[row["member_id"] for row in listed(reader, f"?sort={sign}{column}")] for sign in ("", "-")]
    values = {row["member_id"]: row[column] for row in listed(reader)}
    for way, backwards in zip(ways, (False, True), strict=True):
        shown = [values[uid] for uid in way]
        if column in ("workspaces", "keys"):
            assert [int(value) for value in shown] == sorted(map(int, shown), reverse=backwards)
        elif column == "guardrail":
            named = [value.casefold() for value in shown if value]
            assert named == sorted(named, reverse=backwards)
    assert sorted(ways[0]) == sorted(ways[1])


def test_a_role_nobody_heard_of_is_shown_as_it_is(reader: Client, leaver: Member) -> None:
    Member.objects.filter(pk=leaver.pk).update(role="org:auditor")
    for address in (f"{LIST}?q={leaver.email}", f"{LIST}{leaver.uid}/"):
        assert "org:auditor" in page_of(reader, address)
    assert '<option value="org:auditor" selected>' in page_of(reader, f"{LIST}?role=org:auditor")


def test_one_shows_role_workspaces_guardrail_and_their_history(
    reader: Client, leaver: Member, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    first, second = workspaces(synced)[:2]
    page = page_of(reader, f"{LIST}{leaver.uid}/")
    for workspace in (first, second):
        assert f"/o/acme/workspaces/{workspace.uid}/" in page
    default = Workspace.objects.get(organization=synced, uid=synced.default_workspace_uid)
    assert f"{default.name}</a>, the default workspace, as everybody" in page
    assert guardrails.of_members(synced, [leaver.uid])[leaver.uid].name in page
    assert f"/o/acme/policy/?member={leaver.uid}" in page
    sandbox.sandbox.outside.leave_workspace(second.uid, leaver.uid)
    sync("workspace-members")
    page = page_of(reader, f"{LIST}{leaver.uid}/")
    assert "Remove member from workspace" in page
    assert f"Leo Leaver in {second.name}" in page
    assert f"/o/acme/workspaces/{second.uid}/" not in page
    assert "Guardrail of a member" in page or "Assign guardrail to member" in page


def test_a_personal_account_is_explained(reader: Client, synced: Organization) -> None:
    Member.objects.filter(organization=synced).update(gone_at=timezone.now())
    synced.capabilities = {**synced.capabilities, "members": False}
    synced.save()
    page = page_of(reader)
    assert "A personal account has no members" in page
    assert "of the organization at OpenRouter" not in page
    assert reader.get(f"{LIST}user_nobody/").status_code == 404


@pytest.mark.parametrize("lacking", ["workspace_members", "member_assignments"])
def test_what_is_not_told_is_not_shown_as_none(
    reader: Client, leaver: Member, synced: Organization, lacking: str
) -> None:
    synced.capabilities = {**synced.capabilities, lacking: False}
    synced.save()
    MemberAssignment.objects.filter(organization=synced).update(gone_at=timezone.now())
    words = {
        "workspace_members": "OpenRouter does not tell here who is in a workspace",
        "member_assignments": "OpenRouter does not tell here which member holds a guardrail",
    }[lacking]
    assert words in page_of(reader)
    assert words in page_of(reader, f"{LIST}{leaver.uid}/")


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


def test_it_asks_as_often_for_many_as_for_few(reader: Client, synced: Organization, pulled: Pull) -> None:
    for kind in ("activity", "today"):
        pulled(kind)
    with CaptureQueriesContext(connection) as few:
        page_of(reader)
    Member.objects.bulk_create(
        Member(organization=synced, uid=f"user_{n}", email=f"m{n}@house.test") for n in range(2000)
    )
    with CaptureQueriesContext(connection) as many:
        assert "1–50 of 2,00" in page_of(reader)
    # Five are about what was spent, three about who asks.
    assert len(many) == len(few) <= 9, [query["sql"][:90] for query in few]
