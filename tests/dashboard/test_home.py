"""The way in, and the choice of theme."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.models import Membership, Organization, Role, User
from tests.conftest import SignIn


def test_who_is_signed_out_signs_in(db: None, client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/"


def test_it_leads_to_the_overview(organization: Organization, viewer: User, sign_in: SignIn) -> None:
    assert sign_in(viewer).get("/")["Location"] == "/o/acme/"


def test_a_member_is_led_to_their_keys(synced: Organization, member: User, sign_in: SignIn) -> None:
    assert sign_in(member).get("/")["Location"] == "/o/acme/keys/"


def test_it_leads_to_the_organization_looked_at_last(
    organization: Organization, viewer: User, sign_in: SignIn
) -> None:
    second = Organization.objects.create(name="Zeta", slug="zeta", base_url="http://127.0.0.1:1/api/v1")
    Membership.objects.create(organization=second, user=viewer, role=Role.VIEWER)
    browser = sign_in(viewer)
    assert browser.get("/")["Location"] == "/o/acme/"
    session = browser.session
    session["organization"] = "zeta"
    session.save()
    assert browser.get("/")["Location"] == "/o/zeta/"
    Membership.objects.filter(organization=second).delete()
    assert browser.get("/")["Location"] == "/o/acme/"


def test_who_belongs_nowhere_is_told_how_to_get_in(stranger: User, sign_in: SignIn) -> None:
    page = sign_in(stranger).get("/").content.decode()
    assert "You are not in an organization yet" in page
    assert stranger.email in page
    assert "/organizations/new/" not in page


def test_who_may_connect_one_is_led_there(stranger: User, sign_in: SignIn) -> None:
    User.objects.update(is_staff=True)
    assert "/organizations/new/" in sign_in(stranger).get("/").content.decode()


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_a_theme_is_remembered(organization: Organization, viewer: User, sign_in: SignIn, theme: str) -> None:
    browser = sign_in(viewer)
    response = browser.post("/theme/", {"theme": theme, "next": "/o/acme/sync/?page=2"})
    assert response["Location"] == "/o/acme/sync/?page=2"
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"], bool(cookie["httponly"])) == (theme, "Lax", True)
    assert f'data-theme="{theme}"' in browser.get("/o/acme/sync/").content.decode()


@pytest.mark.parametrize(
    "away", ["https://evil.test/", "//evil.test/", "javascript:alert(1)", "/\\evil.test", ""]
)
def test_a_theme_leads_nowhere_else(db: None, client: Client, away: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": away})["Location"] == "/"


def test_only_themes_there_are(db: None, client: Client) -> None:
    response = client.post("/theme/", {"theme": "<script>"})
    assert response.status_code == 400
    assert "theme" not in response.cookies
    assert client.get("/theme/").status_code == 405


def test_a_theme_needs_the_token(db: None) -> None:
    assert Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"}).status_code == 403


def test_a_page_of_no_organization_leads_back(synced: Organization, admin: User, sign_in: SignIn) -> None:
    browser = sign_in(admin)
    back = '<a class="way-back" href="/o/acme/keys/">'
    assert back in browser.get("/accounts/email/").content.decode()
    Membership.objects.filter(user=admin).delete()
    assert "way-back" not in browser.get("/accounts/email/").content.decode()


def test_a_wrong_address_of_an_organization_keeps_its_pages_at_hand(
    synced: Organization, admin: User, stranger: User, sign_in: SignIn
) -> None:
    for address in ("/o/acme/nowhere/", "/o/acme/keys/nowhere/", "/o/acme/sync/jobs/9999/"):
        response = sign_in(admin).get(address)
        assert response.status_code == 404
        assert "There is nothing here" in response.content.decode()
        assert 'id="sidebar"' in response.content.decode()
        assert 'id="sidebar"' not in sign_in(stranger).get(address).content.decode()
    assert sign_in(admin).get("/o/acme/keys")["Location"] == "/o/acme/keys/"
