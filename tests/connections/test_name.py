"""How people are called: asked at sign-up, changed on their own page."""

from __future__ import annotations

import pytest
from django.test import Client

from orgadmin.accounts.invitations import invite
from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from tests.conftest import SignIn

PAGE, SIGN_UP = "/account/name/", "/accounts/signup/"
PASSWORD = "a-long-new-password-1"


@pytest.fixture
def invited(client: Client, organization: Organization, owner: User) -> Client:
    made = invite(actor=owner, organization=organization, email="new@house.test", role=Role.VIEWER)
    client.get(f"/invite/{made.token}/")
    return client


@pytest.mark.parametrize(
    ("typed", "called"), [(" Ada King  Lovelace ", "Ada King  Lovelace"), ("", "new@house.test")]
)
def test_signing_up_asks_for_a_name_and_does_without(invited: Client, typed: str, called: str) -> None:
    page = invited.get(SIGN_UP).content.decode()
    assert "Your name" in page
    assert page.index("Your name") < page.index("Password again")
    data = {"email": "new@house.test", "first_name": typed, "password1": PASSWORD, "password2": PASSWORD}
    assert invited.post(SIGN_UP, data)["Location"] == "/invite/"
    assert str(User.objects.get(email="new@house.test")) == called


def test_a_name_nobody_could_read_is_refused(invited: Client, owner: User, sign_in: SignIn) -> None:
    data = {"email": "new@house.test", "password1": PASSWORD, "password2": PASSWORD}
    for odd in ("a\nb", "x" * 151, "\u202eevil"):
        assert 'class="error-summary"' in invited.post(SIGN_UP, {**data, "first_name": odd}).content.decode()
        assert sign_in(owner).post(PAGE, {"name": odd}).status_code == 400
    assert not User.objects.filter(email="new@house.test").exists()
    assert str(User.objects.get(pk=owner.pk)) == "Olivia"


def test_it_is_changed_on_a_page_of_ones_own(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    labs = Organization.objects.create(name="Labs", slug="labs")
    Membership.objects.create(organization=labs, user=owner, role=Role.VIEWER)
    Organization.objects.create(name="Elsewhere", slug="elsewhere")
    browser = sign_in(owner)
    assert 'value="Olivia"' in browser.get(PAGE).content.decode()
    page = browser.post(PAGE, {"name": "Olivia Okafor"}, follow=True).content.decode()
    assert "Name saved." in page
    assert 'value="Olivia Okafor"' in page
    entries = list(Entry.objects.all())
    assert {entry.organization for entry in entries} == {organization, labs}
    for entry in entries:
        assert (entry.action, entry.actor, entry.actor_name) == ("person.rename", owner, "Olivia")
        assert (entry.before, entry.after) == ({"name": "Olivia"}, {"name": "Olivia Okafor"})
    assert "already" in browser.post(PAGE, {"name": "Olivia Okafor"}, follow=True).content.decode()
    assert Entry.objects.count() == 2


def test_without_one_the_address_stands_for_it(owner: User, sign_in: SignIn) -> None:
    sign_in(owner).post(PAGE, {"name": ""})
    assert str(User.objects.get(pk=owner.pk)) == "olivia@house.test"
