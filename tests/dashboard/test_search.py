"""The palette: what is found, by whom, in which order."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.search.selectors import found
from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import Key, Member, Workspace
from tests.conftest import SignIn

SEARCH = "/o/acme/search/"
HTMX = {"HX-Request": "true"}


def groups(browser: Client, query: str) -> dict[str, list[tuple[str, str, str]]]:
    """What the palette shows: its groups with (label, detail, address)."""
    response: Any = browser.get(SEARCH, {"q": query})
    assert response.status_code == 200
    request = response.wsgi_request
    return {
        heading: [(hit.label, hit.detail, hit.url) for hit in hits] for heading, hits in found(request, query)
    }


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_who_may(synced: Organization, viewer: User, member: User, stranger: User, sign_in: SignIn) -> None:
    assert sign_in(viewer).get(SEARCH).status_code == 200
    assert sign_in(member).get(SEARCH).status_code == 200
    assert sign_in(stranger).get(SEARCH).status_code == 404
    assert sign_in(viewer).post(SEARCH).status_code == 405


def test_the_palette_gets_results_alone(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    key = Key.objects.earliest("id")
    page = text_of(sign_in(viewer).get(SEARCH, {"q": key.name}, headers=HTMX))
    assert "<html" not in page
    assert f'href="/o/acme/keys/{key.hash}/"' in page
    assert 'role="option"' in page


def test_without_javascript_it_is_a_page(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    key = Key.objects.earliest("id")
    page = text_of(sign_in(viewer).get(SEARCH, {"q": key.name}))
    assert "<html" in page
    assert f'value="{key.name}"' in page
    assert f'<a href="/o/acme/keys/{key.hash}/">{key.name}</a>' in page


@pytest.mark.parametrize("part", ["name", "label", "hash", "email"])
def test_a_key_is_found_by(synced: Organization, viewer: User, sign_in: SignIn, part: str) -> None:
    key = Key.objects.select_related("owner").exclude(owner=None).latest("id")
    assert key.owner is not None
    query = {"name": key.name.upper(), "label": key.label, "hash": key.hash[:20], "email": key.owner.email}[
        part
    ]
    hits = groups(sign_in(viewer), query)["Keys"]
    if part == "email":
        assert {label for label, _, _ in hits} <= set(key.owner.keys.values_list("name", flat=True))
    else:
        assert any(key.hash in url for _, _, url in hits)


def test_names_that_begin_so_come_first(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    rows = list(Key.objects.order_by("id")[:3])
    for row, name in zip(rows, ["the zebra", "zebra crossing", "a zebra"], strict=True):
        Key.objects.filter(pk=row.pk).update(name=name, sort_name=name, search_text=name)
    hits = groups(sign_in(viewer), "Zebra")["Keys"]
    assert [label for label, _, _ in hits] == ["zebra crossing", "a zebra", "the zebra"]


def test_every_word_counts(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    row = Key.objects.earliest("id")
    Key.objects.filter(pk=row.pk).update(
        name="night batch", sort_name="night batch", search_text="night batch ada"
    )
    assert [label for label, _, _ in groups(sign_in(viewer), "ada night")["Keys"]] == ["night batch"]
    assert "Keys" not in groups(sign_in(viewer), "ada noon")


def test_deleted_keys_are_not_offered(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    row = Key.objects.earliest("id")
    Key.objects.filter(pk=row.pk).update(gone_at=row.first_seen_at)
    assert "Keys" not in groups(sign_in(viewer), row.hash)


def test_workspaces_and_members_lead_to_their_pages(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    workspace, member = Workspace.objects.earliest("id"), Member.objects.earliest("id")
    browser = sign_in(viewer)
    assert (workspace.name, workspace.slug, f"/o/acme/workspaces/{workspace.uid}/") in groups(
        browser, workspace.name
    )["Workspaces"]
    assert (str(member), member.email, f"/o/acme/members/{member.uid}/") in groups(browser, member.email)[
        "Members"
    ]


def test_at_most_eight_of_a_kind(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    browser = sign_in(viewer)
    *hits, rest = groups(browser, "SK-or")["Keys"]
    assert len(hits) == 8
    assert rest == ("All keys with “sk-or”", "", "/o/acme/keys/?q=sk-or")
    assert len(groups(browser, hits[0][0])["Keys"]) < 9
    Key.objects.exclude(pk__in=Key.objects.order_by("pk").values("pk")[:8]).update(gone_at=timezone.now())
    assert len(groups(browser, "sk-or")["Keys"]) == 8


def test_a_person_comes_before_the_keys_they_own(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    member = Member.objects.filter(keys__gone_at=None).earliest("id")
    browser = sign_in(viewer)
    assert list(groups(browser, member.email))[:2] == ["Members", "Keys"]
    named = member.keys.earliest("id")
    Key.objects.filter(pk=named.pk).update(name=member.email, sort_name=member.email.casefold())
    assert next(iter(groups(browser, member.email))) == "Keys"


def test_the_other_organizations_of_a_person_are_found(
    synced: Organization, viewer: User, member: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Umbrella Labs", slug="um", base_url="http://127.0.0.1:1/api/v1")
    assert "Organizations" not in groups(sign_in(viewer), "umbrella")
    for user in (viewer, member):
        Membership.objects.create(organization=other, user=user, role=Role.VIEWER)
        found_there = groups(sign_in(user), "umbrella")["Organizations"]
        assert found_there == [("Umbrella Labs", "Organization", "/o/um/keys/")]
    assert "Organizations" not in groups(sign_in(viewer), "acme")


def test_who_sees_their_own_keys_finds_those_only(
    synced: Organization, member: User, viewer: User, sign_in: SignIn
) -> None:
    own = set(Key.objects.filter(owner__email__iexact=member.email).values_list("hash", flat=True))
    assert own
    browser = sign_in(member)
    for query in ("sk-or", "a", member.email):
        hits = groups(browser, query)
        assert {"Workspaces", "Members"}.isdisjoint(hits)
        keys = [url for _, _, url in hits.get("Keys", []) if "?q=" not in url]
        hashes = {url.rstrip("/").rsplit("/", 1)[-1] for url in keys}
        assert hashes <= own
    other = Key.objects.exclude(hash__in=own).earliest("id")
    assert "Keys" not in groups(browser, other.hash)
    assert "Keys" in groups(sign_in(viewer), other.hash)


def test_another_organizations_things_are_not_found(
    synced: Organization, viewer: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="http://127.0.0.1:1/api/v1")
    Key.objects.create(
        organization=other, hash="ef" * 32, name="quince", sort_name="quince", search_text="quince"
    )
    Workspace.objects.create(organization=other, uid="w", name="quince", slug="quince")
    Member.objects.create(organization=other, uid="u", email="quince@other.test")
    assert groups(sign_in(viewer), "quince") == {}


def test_pages_are_offered_by_permission(
    synced: Organization, owner: User, viewer: User, member: User, sign_in: SignIn
) -> None:
    def offered(user: User, query: str = "") -> set[str]:
        return {label for label, _, _ in groups(sign_in(user), query).get("Pages", [])}

    assert {"Create key", "Keys", "Audit log", "Sync", "Jobs", "People"} <= offered(owner)
    assert "Create key" not in offered(viewer)
    assert "Audit log" in offered(viewer)
    assert {"Create key", "Keys", "Jobs"} <= offered(member)
    assert {"Audit log", "Sync", "Settings", "People"}.isdisjoint(offered(member))
    assert offered(owner, "new key") == {"Create key", "Add BYOK credential"}
    assert offered(owner, "2fa") == {"Two-step sign-in"}


def test_every_page_that_is_offered_opens(
    synced: Organization, owner: User, viewer: User, member: User, sign_in: SignIn
) -> None:
    for user in (owner, viewer, member):
        browser = sign_in(user)
        for label, _, url in groups(browser, "")["Pages"]:
            assert browser.get(url).status_code == 200, (user, label)


@pytest.mark.parametrize("query", ["%", "_", "'", '"', "\\", "\x00", "<b>", "💥", "x" * 5000, "a " * 300])
def test_any_text_may_be_typed(synced: Organization, viewer: User, sign_in: SignIn, query: str) -> None:
    browser = sign_in(viewer)
    for headers in ({}, HTMX):
        response = browser.get(SEARCH, {"q": query}, headers=headers)
        assert response.status_code == 200
        assert "<b>" not in response.content.decode()
    assert "Keys" not in groups(browser, "%") or all(
        "%" in label for label, _, _ in groups(browser, "%")["Keys"]
    )


def test_nothing_found(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    assert "Nothing is called “qqqq”" in text_of(sign_in(viewer).get(SEARCH, {"q": "qqqq"}))


def test_it_costs_seven_queries_at_most(synced: Organization, viewer: User, sign_in: SignIn) -> None:
    browser = sign_in(viewer)
    # The first page of a session notes the organization in it.
    browser.get("/o/acme/keys/")
    with CaptureQueriesContext(connection) as queries:
        browser.get(SEARCH, {"q": "a"}, headers=HTMX)
    assert len(queries) <= 7
