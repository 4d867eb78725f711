"""Two people at once, in two threads with a database connection each."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import OperationalError, connection

from orgadmin.accounts.invitations import InvitationRefused, invite
from orgadmin.accounts.models import Membership, Organization, Role
from orgadmin.audit.models import Entry
from orgadmin.connections.drafts import KeyAt, OrganizationDraft
from orgadmin.connections.refusals import Refused
from orgadmin.connections.services import (
    invitation_accept,
    organization_connect,
    person_remove,
    person_set_role,
)
from orgadmin.openrouter.secret import Secret
from tests.conftest import person
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], object]) -> list[str]:
    """Run the acts at the same moment; the name of what each raised, "" for what went well."""
    start, ends = Barrier(len(acts)), [""] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            _until_unlocked(act)
        except (Refused, InvitationRefused) as error:
            ends[place] = type(error).__name__
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return ends


def _until_unlocked(act: Callable[[], object]) -> None:
    """SQLite in memory answers "locked" at once where a file, or a server, would wait."""
    for _ in range(200):
        try:
            act()
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.01)
        else:
            return
    raise TimeoutError


def test_two_owners_who_demote_each_other_leave_one(organization: Organization) -> None:
    one = person("one@house.test", organization, Role.OWNER)
    two = person("two@house.test", organization, Role.OWNER)
    first, second = Membership.objects.order_by("pk")
    ends = together(
        lambda: person_set_role(actor=one, membership=second, role=Role.VIEWER),
        lambda: person_remove(actor=two, membership=first),
    )
    assert sorted(ends) == ["", "Refused"]
    assert Membership.objects.filter(role=Role.OWNER).count() == 1


def test_one_key_is_connected_once(sandbox: RunningSandbox) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory refuses a second writer; make test-services runs this on PostgreSQL.")
    actor, other = person("one@house.test"), person("two@house.test")
    at = KeyAt(base_url=sandbox.url, management_key=Secret(sandbox.sandbox.management_key))
    ends = together(
        lambda: organization_connect(
            actor=actor, draft=OrganizationDraft(name="One", slug="", connection=at)
        ),
        lambda: organization_connect(
            actor=other, draft=OrganizationDraft(name="Two", slug="", connection=at)
        ),
    )
    assert sorted(ends) == ["", "Refused"]
    assert Organization.objects.count() == 1


def test_one_invitation_lets_one_in(organization: Organization) -> None:
    owner = person("olivia@house.test", organization, Role.OWNER)
    one, two = person("one@house.test"), person("two@house.test")
    invitation = invite(actor=owner, organization=organization, email="", role=Role.ADMIN).invitation
    ends = together(
        lambda: invitation_accept(actor=one, invitation=invitation),
        lambda: invitation_accept(actor=two, invitation=invitation),
    )
    assert sorted(ends) == ["", "InvitationRefused"]
    assert Membership.objects.filter(role=Role.ADMIN).count() == 1
    assert Entry.objects.filter(action="person.join").count() == 1
