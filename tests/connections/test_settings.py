from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from orgadmin.accounts.models import Organization, User
from tests.conftest import SignIn

ADDRESS = "/o/acme/settings/"


def test_it_shows_the_connection_and_never_the_key(
    synced: Organization, owner: User, sign_in: SignIn
) -> None:
    page = sign_in(owner).get(ADDRESS).content.decode()
    assert "sk-or-v1-mgm...0001" in page
    assert synced.base_url in page
    assert synced.management_key is not None
    assert synced.management_key.reveal() not in page


@pytest.mark.parametrize("act", ["rekey", "rename", "default-workspace", "check", "disconnect"])
def test_it_offers_the_owner_every_act(
    organization: Organization, owner: User, sign_in: SignIn, act: str
) -> None:
    page = sign_in(owner).get(ADDRESS).content.decode()
    assert reverse(f"connections:{act}", kwargs={"organization": "acme"}) in page


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_it_shows_others_the_page_without_forms(
    request: pytest.FixtureRequest, organization: Organization, sign_in: SignIn, who: str
) -> None:
    page = sign_in(request.getfixturevalue(who)).get(ADDRESS)
    assert page.status_code == 200
    for act in ("rekey", "rename", "check", "disconnect"):
        assert reverse(f"connections:{act}", kwargs={"organization": "acme"}) not in page.content.decode()


def test_it_refuses_a_member(member: User, sign_in: SignIn) -> None:
    assert sign_in(member).get(ADDRESS).status_code == 403


def test_it_hides_from_a_stranger(organization: Organization, stranger: User, sign_in: SignIn) -> None:
    assert sign_in(stranger).get(ADDRESS).status_code == 404


def test_it_requires_a_sign_in(organization: Organization, client: Client) -> None:
    answer = client.get(ADDRESS)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_it_says_what_a_broken_connection_means(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    Organization.objects.update(status=Organization.Status.BROKEN, status_message="Key was disabled.")
    page = sign_in(owner).get(ADDRESS).content.decode()
    assert "OpenRouter refused the key. Key was disabled." in page


def test_it_says_how_to_connect_again(organization: Organization, owner: User, sign_in: SignIn) -> None:
    Organization.objects.update(status=Organization.Status.DISCONNECTED, management_key=None, key_label="")
    page = sign_in(owner).get(ADDRESS).content.decode()
    assert "Connect again" in page
    assert "Test connection" not in page
