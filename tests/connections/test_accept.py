"""From an invitation's link to belonging: signed in, signing in, signing up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.invitations import SESSION_KEY, find_open, invite
from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from tests.conftest import PASSWORD, SignIn
from tests.connections.conftest import last_entry

ACCEPT = "/invite/"
NEW_PASSWORD = "a-long-new-password-1"


@pytest.fixture
def by_mail(organization: Organization, owner: User) -> str:
    """The token of an invitation that went to new@house.test."""
    return invite(actor=owner, organization=organization, email="new@house.test", role=Role.ADMIN).token


@pytest.fixture
def by_link(organization: Organization, owner: User) -> str:
    return invite(actor=owner, organization=organization, email="", role=Role.VIEWER).token


def sign_up(client: Client, email: str) -> str:
    data = {"email": email, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    return client.post("/accounts/signup/", data, follow=True).content.decode()


def test_the_token_leaves_the_address_bar_and_is_not_in_the_session(client: Client, by_link: str) -> None:
    answer = client.get(f"/invite/{by_link}/")
    assert (answer.status_code, answer["Location"]) == (302, ACCEPT)
    assert client.session[SESSION_KEY] == Invitation.objects.get().pk
    assert by_link not in str(dict(client.session))
    page = client.get(ACCEPT).content.decode()
    assert "Join Acme Research" in page
    assert "/accounts/signup/?" in page
    assert "/accounts/login/?" in page


def test_opening_a_link_accepts_nothing(stranger: User, sign_in: SignIn, by_link: str) -> None:
    client = sign_in(stranger)
    client.get(f"/invite/{by_link}/", follow=True)
    assert not Membership.objects.filter(user=stranger).exists()


def test_somebody_signed_in_joins_with_a_click(stranger: User, sign_in: SignIn, by_link: str) -> None:
    client = sign_in(stranger)
    assert (
        "You are signed in as sam@elsewhere.test"
        in client.get(f"/invite/{by_link}/", follow=True).content.decode()
    )
    page = client.post(ACCEPT, follow=True).content.decode()
    assert "You belong to Acme Research now, as viewer." in page
    assert Membership.objects.get(user=stranger).role == Role.VIEWER
    assert SESSION_KEY not in client.session
    entry = last_entry("person.join")
    assert entry.actor == stranger
    assert entry.after == {
        "role": "viewer",
        "email": "sam@elsewhere.test",
        "invited_by": "Olivia",
        "by": "link",
    }


def test_an_invitation_works_once(
    stranger: User, viewer: User, sign_in: SignIn, by_link: str, client: Client
) -> None:
    first, second = sign_in(stranger), client
    first.get(f"/invite/{by_link}/")
    second.get(f"/invite/{by_link}/")
    first.post(ACCEPT)
    assert "no longer works" in second.get(ACCEPT).content.decode()
    assert second.get(f"/invite/{by_link}/").status_code == 410


@pytest.mark.parametrize(
    "change", [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(days=1)}]
)
def test_a_withdrawn_or_old_invitation_is_not_accepted(
    stranger: User, sign_in: SignIn, by_link: str, change: dict[str, object]
) -> None:
    client = sign_in(stranger)
    client.get(f"/invite/{by_link}/")
    Invitation.objects.update(**change)
    answer = client.post(ACCEPT)
    assert answer.status_code == 410
    assert not Membership.objects.filter(user=stranger).exists()


@pytest.mark.parametrize("token", ["nope", "x" * 500, "%00", "<script>"])
def test_a_link_that_never_was(client: Client, db: None, token: str) -> None:
    assert client.get(f"/invite/{token}/").status_code == 410


def test_accepting_without_an_invitation(stranger: User, sign_in: SignIn) -> None:
    assert sign_in(stranger).post(ACCEPT).status_code == 410


def test_posting_without_signing_in_accepts_nothing(client: Client, by_link: str) -> None:
    client.get(f"/invite/{by_link}/")
    assert client.post(ACCEPT).status_code == 200
    assert Invitation.objects.get().accepted_at is None


def test_an_invitation_for_another_address_is_refused(stranger: User, sign_in: SignIn, by_mail: str) -> None:
    client = sign_in(stranger)
    client.get(f"/invite/{by_mail}/")
    answer = client.post(ACCEPT)
    assert answer.status_code == 409
    assert "This invitation is for new@house.test" in answer.content.decode()
    assert not Membership.objects.filter(user=stranger).exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_second_verified_address_is_mine_too(stranger: User, sign_in: SignIn, by_mail: str) -> None:
    EmailAddress.objects.create(user=stranger, email="new@house.test", verified=True)
    client = sign_in(stranger)
    client.get(f"/invite/{by_mail}/")
    client.post(ACCEPT)
    assert Membership.objects.get(user=stranger).role == Role.ADMIN


def test_a_second_address_nobody_verified_is_not(stranger: User, sign_in: SignIn, by_mail: str) -> None:
    EmailAddress.objects.create(user=stranger, email="new@house.test", verified=False)
    client = sign_in(stranger)
    client.get(f"/invite/{by_mail}/")
    assert client.post(ACCEPT).status_code == 409


@pytest.mark.parametrize("spelled", ["new@house.test", "New@House.test"])
def test_an_address_that_another_account_has_verified_is_refused(
    stranger: User, sign_in: SignIn, by_mail: str, spelled: str
) -> None:
    invited = User.objects.create_user("new@house.test", PASSWORD)
    EmailAddress.objects.create(user=invited, email="new@house.test", primary=True)
    EmailAddress.objects.create(user=stranger, email=spelled, verified=True)
    client = sign_in(invited)
    client.get(f"/invite/{by_mail}/")
    answer = client.post(ACCEPT)
    assert answer.status_code == 409
    assert "Another account here has new@house.test as its verified address." in answer.content.decode()
    assert not Membership.objects.filter(user=invited).exists()
    assert Invitation.objects.get().accepted_at is None
    theirs = sign_in(stranger)
    theirs.get(f"/invite/{by_mail}/")
    assert theirs.post(ACCEPT).status_code == 302
    assert Membership.objects.get(user=stranger).role == Role.ADMIN


def test_somebody_who_belongs_does_not_use_it_up(viewer: User, sign_in: SignIn, by_link: str) -> None:
    client = sign_in(viewer)
    page = client.get(f"/invite/{by_link}/", follow=True).content.decode()
    assert "You belong to Acme Research already" in page
    assert client.post(ACCEPT).status_code == 409
    assert Invitation.objects.get().accepted_at is None


def test_other_invitations_of_whoever_joined_are_withdrawn(
    organization: Organization, owner: User, stranger: User, sign_in: SignIn, by_link: str, by_mail: str
) -> None:
    EmailAddress.objects.create(user=stranger, email="sam@second.test", verified=True)
    mine = [
        invite(actor=owner, organization=organization, email=email, role=Role.OWNER).token
        for email in ("sam@elsewhere.test", "sam@second.test")
    ]
    client = sign_in(stranger)
    client.get(f"/invite/{by_link}/")
    client.post(ACCEPT)
    assert [find_open(token) for token in mine] == [None, None]
    assert find_open(by_mail) is not None
    assert last_entry("invitation.revoke").message == "This person joined by another invitation."


def test_signing_in_leads_back_to_the_invitation(stranger: User, client: Client, by_link: str) -> None:
    client.get(f"/invite/{by_link}/")
    answer = client.post("/accounts/login/", {"login": stranger.email, "password": PASSWORD})
    assert answer["Location"] == ACCEPT
    client.post(ACCEPT)
    assert Membership.objects.filter(user=stranger).exists()


def test_nobody_signs_up_without_an_invitation(client: Client, db: None) -> None:
    assert "By invitation only" in client.get("/accounts/signup/").content.decode()
    sign_up(client, "new@house.test")
    assert not User.objects.exists()


def test_signing_up_with_the_invited_address_needs_no_second_mail(client: Client, by_mail: str) -> None:
    client.get(f"/invite/{by_mail}/")
    page = sign_up(client, "New@House.test")
    assert "Join Acme Research" in page
    assert mail.outbox == []
    made = User.objects.get(email="new@house.test")
    assert EmailAddress.objects.get(user=made).verified
    client.post(ACCEPT)
    assert Membership.objects.get(user=made).role == Role.ADMIN


def test_signing_up_with_another_address_than_the_invited_one_is_refused(
    client: Client, by_mail: str
) -> None:
    client.get(f"/invite/{by_mail}/")
    page = sign_up(client, "other@house.test")
    assert "This invitation is for new@house.test" in page
    assert not User.objects.filter(email="other@house.test").exists()


def test_signing_up_with_a_link_verifies_the_address_by_mail(client: Client, by_link: str) -> None:
    client.get(f"/invite/{by_link}/")
    sign_up(client, "new@house.test")
    (sent,) = mail.outbox
    assert sent.to == ["new@house.test"]
    assert client.post(ACCEPT).status_code == 200
    assert not Membership.objects.filter(user__email="new@house.test").exists()
    confirm = next(word for word in sent.body.split() if "/accounts/confirm-email/" in word)
    client.post(confirm.removeprefix("http://testserver"))
    answer = client.post("/accounts/login/", {"login": "new@house.test", "password": NEW_PASSWORD})
    assert answer["Location"] == ACCEPT
    client.post(ACCEPT)
    assert Membership.objects.get(user__email="new@house.test").role == Role.VIEWER


def test_a_revoked_invitation_closes_the_sign_up(client: Client, by_mail: str) -> None:
    client.get(f"/invite/{by_mail}/")
    Invitation.objects.update(revoked_at=timezone.now())
    sign_up(client, "new@house.test")
    assert not User.objects.filter(email="new@house.test").exists()
