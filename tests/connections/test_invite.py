from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from orgadmin.accounts.invitations import find_open, invite
from orgadmin.accounts.models import Invitation, Organization, Role, User
from orgadmin.audit.models import Entry
from tests.conftest import PASSWORD, SignIn
from tests.connections.conftest import entry_text, last_entry

ADDRESS = "/o/acme/settings/people/invite/"
BY_MAIL = {"by": "mail", "email": "New.Person@House.test", "role": "viewer"}
BY_LINK = {"by": "link", "email": "", "role": "admin"}
LINK = re.compile(r"http://testserver/invite/([\w-]{43})/")


def token_in(text: object) -> str:
    found = LINK.search(str(text))
    assert found is not None
    return found[1]


def test_an_invitation_goes_out_by_mail(organization: Organization, owner: User, sign_in: SignIn) -> None:
    answer = sign_in(owner).post(ADDRESS, BY_MAIL, follow=True)
    page = answer.content.decode()
    assert "Invitation sent to new.person@house.test." in page
    (sent,) = mail.outbox
    assert sent.to == ["new.person@house.test"]
    assert sent.subject == "Olivia invites you to Acme Research"
    assert "within 7 days" in sent.body
    found = find_open(token_in(sent.body))
    assert found is not None
    assert (found.email, found.role, found.invited_by) == ("new.person@house.test", "viewer", owner)
    # What only its reader may know is nowhere else: not on the page, not in the row, not in the audit.
    token = token_in(sent.body)
    entry = last_entry("person.invite")
    assert token not in page + found.token_hash + entry_text(entry)
    assert entry.after is not None
    assert entry.after["by"] == "e-mail"


def test_a_link_is_shown_once(organization: Organization, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    answer = client.post(ADDRESS, BY_LINK)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    token = token_in(answer.content.decode())
    found = find_open(token)
    assert found is not None
    assert (found.email, found.role) == ("", "admin")
    assert mail.outbox == []
    assert token not in client.get("/o/acme/settings/people/").content.decode()
    assert token not in entry_text(last_entry("person.invite"))


def test_a_typed_address_does_not_bind_a_link(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    sign_in(owner).post(ADDRESS, {**BY_LINK, "email": "somebody@house.test"})
    assert Invitation.objects.get().email == ""


def test_a_newer_invitation_takes_the_place_of_an_older(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    client.post(ADDRESS, BY_MAIL)
    client.post(ADDRESS, {**BY_MAIL, "role": "admin"})
    first, second = (find_open(token_in(message.body)) for message in mail.outbox)
    assert first is None
    assert second is not None
    assert second.role == "admin"
    assert last_entry("invitation.revoke").message == "A newer invitation takes its place."


def test_somebody_who_belongs_is_not_invited_again(
    organization: Organization, owner: User, admin: User, sign_in: SignIn
) -> None:
    answer = sign_in(owner).post(ADDRESS, {**BY_MAIL, "email": "ADAM@house.test"})
    assert answer.status_code == 400
    assert "belongs to this organization already, as admin" in answer.content.decode()
    assert mail.outbox == []


def test_a_mail_that_cannot_be_sent_leaves_nothing_open(
    organization: Organization, owner: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("orgadmin.connections.mail.send_mail", refuse)
    answer = sign_in(owner).post(ADDRESS, BY_MAIL)
    assert answer.status_code == 400
    assert "could not be sent (ConnectionRefusedError)" in answer.content.decode()
    assert Invitation.objects.get().revoked_at is not None
    assert last_entry("invitation.revoke").message == "The e-mail could not be sent."


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ""},
        {"email": "not an address"},
        {"email": "a@b.test\nBcc: c@d.test"},
        {"email": "x" * 300 + "@house.test"},
        {"email": "a@b.test\x00"},
        {"role": "emperor"},
        {"role": ""},
        {"by": "pigeon"},
        {"by": ""},
    ],
)
def test_bad_input_invites_nobody(
    organization: Organization, owner: User, sign_in: SignIn, changes: dict[str, str]
) -> None:
    answer = sign_in(owner).post(ADDRESS, {**BY_MAIL, **changes})
    assert answer.status_code == 400
    assert "Nobody was invited" in answer.content.decode()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_a_name_of_many_lines_cannot_forge_a_header(
    organization: Organization, owner: User, sign_in: SignIn
) -> None:
    Organization.objects.update(name="Acme\nBcc: everybody@house.test")
    sign_in(owner).post(ADDRESS, BY_MAIL)
    assert mail.outbox[0].subject == "Olivia invites you to Acme Bcc: everybody@house.test"
    assert mail.outbox[0].bcc == []


@pytest.mark.parametrize("who", ["admin", "viewer"])
def test_it_requires_an_owner(
    request: pytest.FixtureRequest, organization: Organization, sign_in: SignIn, who: str
) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, BY_LINK).status_code == 403
    assert not Invitation.objects.exists()


def test_it_hides_from_a_stranger(organization: Organization, stranger: User, sign_in: SignIn) -> None:
    assert sign_in(stranger).post(ADDRESS, BY_LINK).status_code == 404


def test_it_asks_for_the_password(
    organization: Organization, owner: User, stale: Callable[[User], Client]
) -> None:
    client = stale(owner)
    assert "Is it still you?" in client.post(ADDRESS, BY_LINK).content.decode()
    assert not Invitation.objects.exists()
    assert client.post(ADDRESS, {**BY_LINK, "proof_password": PASSWORD}).status_code == 201


# --- without a mail server ---


def test_without_mail_only_a_link_is_offered(
    organization: Organization, owner: User, sign_in: SignIn, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "dashboard.mail.NoMail"
    client = sign_in(owner)
    page = client.get(ADDRESS).content.decode()
    assert "Send an e-mail" not in page
    assert 'name="email"' not in page
    assert "This dashboard sends no e-mail, so you hand the link over yourself." in page
    assert "manage.py verify_email" in page
    assert client.post(ADDRESS, BY_LINK).status_code == 201
    assert client.post(ADDRESS, BY_MAIL).status_code == 400
    assert Invitation.objects.count() == 1


# --- withdrawing ---


def revoke_url(invitation: Invitation) -> str:
    return f"/o/acme/settings/people/invitations/{invitation.pk}/revoke/"


@pytest.fixture
def open_one(organization: Organization, owner: User) -> tuple[Invitation, str]:
    made = invite(actor=owner, organization=organization, email="", role=Role.VIEWER)
    return made.invitation, made.token


def test_a_withdrawn_link_no_longer_works(
    open_one: tuple[Invitation, str], owner: User, sign_in: SignIn, client: Client
) -> None:
    invitation, token = open_one
    page = sign_in(owner).post(revoke_url(invitation), follow=True).content.decode()
    assert "Its link no longer works." in page
    assert client.get(f"/invite/{token}/").status_code == 410
    assert last_entry("invitation.revoke").before == {"email": "", "role": "viewer"}


def test_withdrawing_twice_is_said_and_not_audited_again(
    open_one: tuple[Invitation, str], owner: User, sign_in: SignIn
) -> None:
    client = sign_in(owner)
    client.post(revoke_url(open_one[0]))
    page = client.post(revoke_url(open_one[0]), follow=True).content.decode()
    assert "used or withdrawn already" in page
    assert Entry.objects.filter(action="invitation.revoke").count() == 1


def test_only_an_owner_withdraws(open_one: tuple[Invitation, str], admin: User, sign_in: SignIn) -> None:
    assert sign_in(admin).post(revoke_url(open_one[0])).status_code == 403


def test_somebody_elses_invitation_is_not_found(
    organization: Organization, owner: User, stranger: User, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url=organization.base_url)
    foreign = invite(actor=stranger, organization=other, email="", role=Role.OWNER).invitation
    assert sign_in(owner).post(revoke_url(foreign)).status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


def test_an_expired_invitation_is_not_listed(
    open_one: tuple[Invitation, str], owner: User, sign_in: SignIn
) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Nobody is invited" in sign_in(owner).get("/o/acme/settings/people/").content.decode()
