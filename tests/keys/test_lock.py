"""The lock of an administrator on a member's key: when it holds, and what it holds against."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job
from orgadmin.keys.models import Rotation
from orgadmin.keys.selectors import lockable
from tests.conftest import Bells, SignIn
from tests.keys.conftest import form_in, key_form, last_entry, live_keys, sent, text_of
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/keys/"
BULK, START = f"{LIST}bulk/", f"{LIST}bulk/start/"


@pytest.fixture
def mine(member: User, synced: Organization, sandbox: RunningSandbox) -> Key:
    """A live key of the member's own."""
    keys = Key.objects.filter(organization=synced, owner__email__iexact=member.email, disabled=False)
    return keys.filter(expires_at=None).order_by("id")[0]


@pytest.fixture
def theirs(member: User, sign_in: SignIn) -> Client:
    """The member's browser."""
    return sign_in(member)


def press(browser: Client, key: Key, verb: str) -> None:
    assert browser.post(f"{LIST}{key.hash}/{verb}/").status_code == 302


def is_disabled(sandbox: RunningSandbox, key: Key) -> bool:
    return bool(sandbox.sandbox.key(key.hash)["disabled"])


# --- a key that its owner disabled ---


def test_the_page_offers_an_administrator_to_disable_it_too(
    theirs: Client, desk: Client, mine: Key, viewer: User, sign_in: SignIn, sandbox: RunningSandbox
) -> None:
    press(theirs, mine, "disable")
    address, offer = f"{LIST}{mine.hash}/", "A member disabled this key and may enable it again."
    assert offer in text_of(desk.get(address))
    assert offer not in text_of(theirs.get(address))
    assert offer not in text_of(sign_in(viewer).get(address))
    form_in(desk.get(address), f"{address}disable/")
    press(desk, mine, "disable")
    assert offer not in text_of(desk.get(address))
    press(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_disabling_it_among_many_locks_it(
    theirs: Client,
    desk: Client,
    admin: User,
    mine: Key,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
) -> None:
    press(theirs, mine, "disable")
    other = next(key for key in live_keys(synced) if key.pk != mine.pk)
    press(desk, other, "disable")
    chosen = {"action": "disable", "selected": [mine.hash, other.hash]}
    assert "1 key is disabled already" in text_of(desk.post(BULK, chosen))
    desk.post(START, {**chosen, "form_token": str(uuid.uuid4())})
    bells.work()
    found = dict(Job.objects.get().items.values_list("target_id", "message"))
    assert found == {mine.hash: "Disabled.", other.hash: "It was disabled already."}
    assert last_entry().actor == admin
    press(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_a_member_disabling_it_among_many_changes_nothing(
    theirs: Client, mine: Key, sandbox: RunningSandbox, bells: Bells
) -> None:
    press(theirs, mine, "disable")
    sandbox.sandbox.clear_requests()
    chosen = {"action": "disable", "selected": mine.hash}
    assert "1 key is disabled already" in text_of(theirs.post(BULK, chosen))
    theirs.post(START, {**chosen, "form_token": str(uuid.uuid4())})
    bells.work()
    assert sent(sandbox) == []


def test_it_is_lockable_as_long_as_whoever_disabled_it_is_no_administrator(
    theirs: Client, desk: Client, member: User, mine: Key, synced: Organization, sandbox: RunningSandbox
) -> None:
    def found() -> list[str]:
        return list(lockable(Key.objects.filter(organization=synced)).values_list("hash", flat=True))

    assert found() == []
    press(theirs, mine, "disable")
    assert found() == [mine.hash]
    membership = Membership.objects.filter(user=member)
    for role, expected in ((Role.ADMIN, []), (Role.OWNER, []), (Role.VIEWER, [mine.hash])):
        membership.update(role=role)
        assert found() == expected, role
    press(desk, mine, "enable")
    assert found() == []
    press(desk, mine, "disable")
    assert found() == []


# --- a key that an administrator disabled ---


def test_its_owner_cannot_rotate_it(
    theirs: Client, desk: Client, mine: Key, synced: Organization, sandbox: RunningSandbox
) -> None:
    press(desk, mine, "disable")
    sandbox.sandbox.clear_requests()
    address = f"{LIST}{mine.hash}/rotate/"
    assert "/rotate/" not in text_of(theirs.get(f"{LIST}{mine.hash}/"))
    form = key_form(synced, creator=mine.creator_user_id, workspace=mine.workspace_uid)
    for answer in (theirs.get(address), theirs.post(address, form)):
        assert answer.status_code == 403
        assert "An administrator disabled this key. Ask them to enable it." in text_of(answer)
    fragment: Any = theirs.post(address, form, headers={"HX-Request": "true"})
    assert (fragment.status_code, "<html" in text_of(fragment)) == (403, False)
    assert sent(sandbox) == []
    assert not Rotation.objects.exists()


def test_what_they_disabled_themselves_they_can_rotate_and_an_administrator_either(
    theirs: Client, desk: Client, mine: Key, synced: Organization, sandbox: RunningSandbox
) -> None:
    press(theirs, mine, "disable")
    address = f"{LIST}{mine.hash}/rotate/"
    assert theirs.post(address, form_in(theirs.get(address), address)).status_code == 201
    press(desk, mine, "disable")
    assert desk.post(address, form_in(desk.get(address), address)).status_code == 201


def test_its_owner_may_still_change_its_limit_and_create_another(
    theirs: Client, desk: Client, mine: Key, sandbox: RunningSandbox
) -> None:
    """As docs/security.md says: the lock stops one key, and not its owner."""
    press(desk, mine, "disable")
    edit, create = f"{LIST}{mine.hash}/edit/", f"{LIST}create/"
    assert theirs.post(edit, {**form_in(theirs.get(edit), edit), "limit": "7"}).status_code == 302
    form = {**form_in(theirs.get(create), create), "name": "another"}
    assert theirs.post(create, form).status_code == 201
    assert is_disabled(sandbox, mine)
