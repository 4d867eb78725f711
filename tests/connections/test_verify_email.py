"""``manage.py verify_email``: what the operator's word proves, and for whom."""

from __future__ import annotations

import io

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.accounts.selectors import verified_emails
from orgadmin.audit.models import Entry

pytestmark = pytest.mark.django_db


def verify(email: str) -> str:
    out = io.StringIO()
    call_command("verify_email", email, stdout=out)
    return out.getvalue().strip()


def user(email: str, *claims: str) -> User:
    made = User.objects.create_user(email, None)
    for claim in claims:
        EmailAddress.objects.create(user=made, email=claim)
    return made


def test_the_address_of_an_account() -> None:
    mara = user("mara@house.test", "mara@house.test")
    assert verify("Mara@House.test") == "Mara@House.test is now verified."
    assert verified_emails(user=mara) == ["mara@house.test"]
    assert verify("mara@house.test") == "mara@house.test is already verified."
    assert EmailAddress.objects.count() == 1


def test_every_organization_of_theirs_keeps_an_entry(organization: Organization) -> None:
    mara = user("mara@house.test", "mara@house.test")
    labs = Organization.objects.create(name="Labs", slug="labs")
    Organization.objects.create(name="Elsewhere", slug="elsewhere")
    for each in (organization, labs):
        Membership.objects.create(organization=each, user=mara, role=Role.MEMBER)
    verify("Mara@House.test")
    verify("mara@house.test")
    entries = Entry.objects.order_by("id")
    assert {entry.organization for entry in entries} == {organization, labs}
    assert len(entries) == 2
    (entry, _) = entries
    assert (entry.actor_kind, entry.actor, entry.outcome) == ("system", None, "ok")
    assert (entry.action, entry.target_type, entry.target_id) == ("person.verify", "person", str(mara.pk))
    assert entry.after == {"email": "mara@house.test"}
    assert entry.message == "By the command manage.py verify_email."


def test_a_second_address() -> None:
    mara = user("mara@house.test", "mara@house.test", "mara@work.test")
    verify("mara@work.test")
    assert verified_emails(user=mara) == ["mara@work.test"]


def test_somebody_elses_claim_does_not_win() -> None:
    mallory = user("mallory@house.test", "mara@house.test")
    mara = user("mara@house.test")
    verify("mara@house.test")
    assert verified_emails(user=mara) == ["mara@house.test"]
    assert verified_emails(user=mallory) == []


def test_claims_of_several_are_not_decided_here() -> None:
    user("a@house.test", "shared@house.test")
    user("b@house.test", "shared@house.test")
    with pytest.raises(CommandError, match=r"Several accounts claim shared@house\.test: a@house\.test"):
        verify("shared@house.test")


def test_nobody() -> None:
    with pytest.raises(CommandError, match=r"Nobody here has the address x@house\.test"):
        verify("x@house.test")
