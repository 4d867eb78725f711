from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.accounts.people import user_prepare
from orgadmin.accounts.selectors import connected_organizations, may_connect, memberships_of, verified_emails
from orgadmin.openrouter.errors import Unauthorized
from tests.conftest import person


def test_users_are_created_by_address_in_lower_case(db: None) -> None:
    user = User.objects.create_user("Olivia@House.TEST", "secret-enough")
    assert (user.email, str(user), user.initials) == ("olivia@house.test", "olivia@house.test", "O")
    root = User.objects.create_superuser("root@house.test", "secret-enough")
    assert root.is_staff
    assert root.is_superuser


def test_a_name_is_shown_where_there_is_one(db: None) -> None:
    user = User.objects.create_user("ml@house.test", first_name="Maya", last_name="Keller")
    assert (str(user), user.initials) == ("Maya Keller", "MK")


def test_preparing_a_user_is_safe_to_repeat(db: None) -> None:
    user, is_new = user_prepare(email="Olivia@House.test")
    again, is_new_again = user_prepare(email="olivia@house.test", is_staff=True)
    assert (user, is_new, is_new_again) == (again, True, False)
    assert User.objects.get().is_staff
    assert EmailAddress.objects.get().verified
    # Staff is granted here, never taken away.
    user_prepare(email="olivia@house.test")
    assert User.objects.get().is_staff


def test_preparing_verifies_an_address_that_was_not(db: None) -> None:
    user = User.objects.create_user("olivia@house.test", "secret-enough")
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)
    user_prepare(email="olivia@house.test")
    assert EmailAddress.objects.get().verified
    user.refresh_from_db()
    assert user.check_password("secret-enough")


def test_memberships_leave_the_key_in_the_database(organization: Organization, owner: User) -> None:
    (membership,) = memberships_of(user=owner)
    assert "management_key" in membership.organization.get_deferred_fields()


def test_verified_addresses_only(db: None) -> None:
    user = person("olivia@house.test")
    EmailAddress.objects.create(user=user, email="Second@House.test", verified=True)
    EmailAddress.objects.create(user=user, email="third@house.test", verified=False)
    assert sorted(verified_emails(user=user)) == ["olivia@house.test", "second@house.test"]


@pytest.mark.parametrize(("role", "may"), [(Role.OWNER, True), (Role.ADMIN, False), (Role.MEMBER, False)])
def test_owners_may_connect_another_organization(organization: Organization, role: str, may: bool) -> None:
    assert may_connect(user=person("x@house.test", organization, role)) is may


def test_only_connected_organizations_are_pulled(organization: Organization) -> None:
    assert connected_organizations() == [organization]
    Organization.objects.update(status=Organization.Status.DISCONNECTED)
    assert connected_organizations() == []


def test_no_client_without_a_key(organization: Organization) -> None:
    organization.management_key = None
    with pytest.raises(Unauthorized, match="disconnected"):
        client_for(organization)


@pytest.mark.django_db(transaction=True)
def test_no_client_inside_a_transaction(organization: Organization) -> None:
    assert not connection.in_atomic_block
    client_for(organization)
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
        client_for(organization)


def test_one_role_each(organization: Organization, owner: User) -> None:
    from django.db import IntegrityError

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=organization, user=owner, role=Role.VIEWER)
