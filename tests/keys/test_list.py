"""The key list: who sees it, in which form, and at what price."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.inventory.summary import refresh_summary
from tests.conftest import SignIn
from tests.keys.conftest import add_keys, shown, text_of

LIST = "/o/acme/keys/"
HTMX = {"HX-Request": "true"}


def queries(desk: Client, address: str) -> list[str]:
    """Every statement one request makes, session and user included."""
    desk.get(address)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert desk.get(address).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("role", ["owner", "admin", "viewer"])
def test_it_shows_every_key_to_those_who_read_everything(
    synced: Organization, sign_in: SignIn, request: pytest.FixtureRequest, role: str
) -> None:
    desk = sign_in(request.getfixturevalue(role))
    page = desk.get(LIST)
    assert len(shown(page)) == 40
    assert "40 keys in 3 workspaces" in text_of(page)
    assert ("Create key" in text_of(page)) is (role != "viewer")
    assert ('name="selected"' in text_of(page)) is (role != "viewer")


def test_it_sends_whoever_is_not_signed_in_to_sign_in(synced: Organization, client: Client) -> None:
    response: Any = client.get(LIST)
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/o/acme/keys/"


def test_it_does_not_exist_for_a_stranger(synced: Organization, stranger: User, sign_in: SignIn) -> None:
    assert sign_in(stranger).get(LIST).status_code == 404


def test_htmx_gets_the_region_and_a_person_the_page_around_it(desk: Client, synced: Organization) -> None:
    page = text_of(desk.get(LIST))
    fragment = text_of(desk.get(LIST, headers=HTMX))
    assert page.startswith("<!DOCTYPE html>")
    assert "<html" not in fragment
    assert fragment.strip().startswith('<section class="list" id="list"')
    assert shown(desk.get(LIST)) == shown(desk.get(LIST, headers=HTMX))


def test_the_browsers_back_button_gets_the_whole_page(desk: Client, synced: Organization) -> None:
    again = desk.get(LIST, headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<html" in text_of(again)


def test_a_shared_cache_never_keeps_it(desk: Client, synced: Organization) -> None:
    response = desk.get(LIST)
    assert "private" in response["Cache-Control"]
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("role", ["admin", "member"])
def test_it_takes_at_most_seven_queries_whatever_the_size(
    synced: Organization, sign_in: SignIn, request: pytest.FixtureRequest, role: str
) -> None:
    desk = sign_in(request.getfixturevalue(role))
    addresses = [LIST, f"{LIST}?q=a&sort=owner&state=active", f"{LIST}?sort=-used&page=99"]
    few = [queries(desk, address) for address in addresses]
    add_keys(synced, 360)
    many = [queries(desk, address) for address in addresses]
    assert [len(sql) for sql in many] == [len(sql) for sql in few]
    assert max(map(len, many)) <= 7, many


def test_before_the_first_sync_it_says_that_the_list_will_fill(
    organization: Organization, admin: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(admin).get(LIST))
    assert "No keys yet" in page
    assert 'hx-trigger="every 2s"' in page


def test_names_from_elsewhere_are_text_and_never_markup(desk: Client, synced: Organization) -> None:
    name = '<img src=x onerror="alert(1)">{{ 7*7 }}'
    Key.objects.filter(organization=synced, name="test").update(name=name)
    page = text_of(desk.get(LIST))
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;{{ 7*7 }}" in page


def test_the_counts_above_lead_to_the_keys_they_count(desk: Client, synced: Organization) -> None:
    now = timezone.now()
    keys = list(Key.objects.filter(organization=synced).order_by("pk"))
    Key.objects.update(limit=None, limit_remaining=None, expires_at=None, disabled=False)
    Key.objects.filter(pk__in=[key.pk for key in keys[:3]]).update(disabled=True)
    Key.objects.filter(pk=keys[3].pk).update(expires_at=now - timedelta(days=1))
    soon = Key.objects.filter(pk__in=[key.pk for key in keys[2:9]])
    soon.exclude(pk=keys[3].pk).update(expires_at=now + timedelta(days=9))
    Key.objects.filter(pk=keys[8].pk).update(limit=1, limit_remaining=0)
    refresh_summary(synced)

    page = text_of(desk.get("/o/acme/keys/"))

    counted = re.findall(r'<a href="(/o/acme/keys/[?]state=active[^"]*)">(\d+) active', page)
    assert [int(number) for _, number in counted] == [35, 4]
    for address, number in counted:
        assert f"of {number} keys" in text_of(desk.get(address.replace("&amp;", "&")))
