from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orgadmin.accounts.invitations import invite
from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from tests.conftest import PASSWORD, SignIn, person
from tests.connections.conftest import last_entry

PEOPLE = "/o/acme/settings/people/"


def membership(user: User) -> Membership:
    return Membership.objects.get(user=user, organization__slug="acme")


def role_url(user: User) -> str:
    return f"{PEOPLE}{membership(user).pk}/role/"


def remove_url(user: User) -> str:
    return f"{PEOPLE}{membership(user).pk}/remove/"


# --- the page ---


def test_it_lists_everybody_with_their_role(
    organization: Organization, owner: User, admin: User, viewer: User, sign_in: SignIn
) -> None:
    invite(actor=owner, organization=organization, email="new@house.test", role=Role.VIEWER)
    page = sign_in(owner).get(PEOPLE).content.decode()
    for text in ("olivia@house.test", "adam@house.test", "vera@house.test", "new@house.test"):
        assert text in page
    assert "The last owner keeps this role." in page
    assert remove_url(owner) not in page
    assert role_url(admin) in page


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_others_read_it_without_forms(
    request: pytest.FixtureRequest, organization: Organization, owner: User, sign_in: SignIn, who: str
) -> None:
    answer = sign_in(request.getfixturevalue(who)).get(PEOPLE)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "olivia@house.test" in page
    assert role_url(owner) not in page
    assert f"{PEOPLE}invite/" not in page


def test_a_member_does_not_see_it(member: User, sign_in: SignIn) -> None:
    assert sign_in(member).get(PEOPLE).status_code == 403


def test_it_makes_as_many_queries_for_many_people_as_for_few(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    client.get(PEOPLE)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(PEOPLE)
    for number in range(12):
        person(f"number{number}@house.test", organization, Role.VIEWER)
        invite(actor=owner, organization=organization, email=f"i{number}@house.test", role=Role.VIEWER)
    with CaptureQueriesContext(connection) as many:
        client.get(PEOPLE)
    assert len(many) == len(few)


# --- roles ---


def test_a_new_role_takes_effect_at_once(
    organization: Organization, owner: User, viewer: User, sign_in: SignIn
) -> None:
    answer = sign_in(owner).post(role_url(viewer), {"role": "admin"}, follow=True)
    assert "Vera is now admin." in answer.content.decode()
    assert membership(viewer).role == Role.ADMIN
    entry = last_entry("person.role")
    assert (entry.actor, entry.target_id) == (owner, str(viewer.pk))
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "admin"})


@pytest.mark.parametrize("role", ["", "emperor", "OWNER", "x" * 5000, "owner\x00"])
def test_a_role_there_is_not_is_refused(
    organization: Organization, owner: User, viewer: User, sign_in: SignIn, role: str
) -> None:
    page = sign_in(owner).post(role_url(viewer), {"role": role}, follow=True).content.decode()
    assert "Choose one of the roles in the list." in page
    assert membership(viewer).role == Role.VIEWER


def test_the_last_owner_is_not_demoted(organization: Organization, owner: User, sign_in: SignIn) -> None:
    page = sign_in(owner).post(role_url(owner), {"role": "admin"}, follow=True).content.decode()
    assert "is the last owner" in page
    assert membership(owner).role == Role.OWNER
    assert not Entry.objects.exists()


def test_an_owner_who_cannot_sign_in_does_not_count(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    second = person("omar@house.test", organization, Role.OWNER)
    second.is_active = False
    second.save()
    sign_in(owner).post(role_url(owner), {"role": "admin"})
    assert membership(owner).role == Role.OWNER


def test_an_owner_may_step_down_when_there_is_another(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    person("omar@house.test", organization, Role.OWNER)
    invite(actor=owner, organization=organization, email="new@house.test", role=Role.OWNER)
    answer = sign_in(owner).post(role_url(owner), {"role": "member"})
    assert answer["Location"] == "/"
    assert membership(owner).role == Role.MEMBER
    # What an owner may give away ends with being one.
    assert Invitation.objects.get().revoked_at is not None
    assert last_entry("invitation.revoke").message == "Whoever invited is no longer an owner."


# --- removing ---


def test_removing_ends_access_and_keeps_the_account(
    organization: Organization, owner: User, admin: User, sign_in: SignIn
) -> None:
    theirs = sign_in(admin)
    assert theirs.get(PEOPLE).status_code == 200
    client = sign_in(owner)
    assert "Remove Adam" in client.get(remove_url(admin)).content.decode()
    answer = client.post(remove_url(admin), follow=True)
    assert "Adam was removed." in answer.content.decode()
    assert theirs.get(PEOPLE).status_code == 404
    assert User.objects.filter(pk=admin.pk).exists()
    entry = last_entry("person.remove")
    assert entry.before == {"role": "admin", "email": "adam@house.test"}


def test_the_last_owner_cannot_leave(organization: Organization, owner: User, sign_in: SignIn) -> None:
    page = sign_in(owner).post(remove_url(owner), follow=True).content.decode()
    assert "is the last owner" in page
    assert membership(owner).role == Role.OWNER


def test_an_owner_may_leave_when_there_is_another(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    person("omar@house.test", organization, Role.OWNER)
    answer = sign_in(owner).post(remove_url(owner))
    assert answer["Location"] == "/"
    assert not Membership.objects.filter(user=owner).exists()


# --- who may ---


@pytest.mark.parametrize("act", ["role", "remove"])
@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_only_an_owner_changes_people(
    request: pytest.FixtureRequest,
    organization: Organization,
    owner: User,
    sign_in: SignIn,
    act: str,
    who: str,
) -> None:
    client = sign_in(request.getfixturevalue(who))
    answer = client.post(f"{PEOPLE}{membership(owner).pk}/{act}/", {"role": "viewer"})
    assert answer.status_code == 403
    assert membership(owner).role == Role.OWNER


@pytest.mark.parametrize("act", ["role", "remove"])
def test_somebody_elses_people_are_not_found(
    organization: Organization, owner: User, stranger: User, sign_in: SignIn, act: str
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=organization.base_url)
    foreign = Membership.objects.create(organization=other, user=stranger, role=Role.OWNER)
    answer = sign_in(owner).post(f"{PEOPLE}{foreign.pk}/{act}/", {"role": "viewer"})
    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.role == Role.OWNER


@pytest.mark.parametrize("act", ["role", "remove"])
def test_it_asks_for_the_password_and_carries_the_form(
    organization: Organization, owner: User, viewer: User, stale: Callable[[User], Client], act: str
) -> None:
    client = stale(owner)
    url = f"{PEOPLE}{membership(viewer).pk}/{act}/"
    page = client.post(url, {"role": "admin"}).content.decode()
    assert "Is it still you?" in page
    assert '<input type="hidden" name="role" value="admin">' in page
    assert membership(viewer).role == Role.VIEWER
    assert client.post(url, {"role": "admin", "proof_password": PASSWORD}).status_code == 302


def test_the_question_comes_as_a_dialog_to_htmx(
    organization: Organization, owner: User, viewer: User, stale: Callable[[User], Client]
) -> None:
    answer = stale(owner).post(role_url(viewer), {"role": "admin"}, headers={"HX-Request": "true"})
    assert answer["HX-Retarget"] == "#dialog"
    assert "<html" not in answer.content.decode()


def test_somebody_without_a_password_is_told_to_set_one(
    organization: Organization, owner: User, viewer: User, stale: Callable[[User], Client]
) -> None:
    owner.set_unusable_password()
    owner.save()
    client = Client()
    client.force_login(owner)
    session = client.session
    session.pop("proved_at", None)
    session.save()
    page = client.post(role_url(viewer), {"role": "admin"}).content.decode()
    assert "Set a password" in page
    assert membership(viewer).role == Role.VIEWER
