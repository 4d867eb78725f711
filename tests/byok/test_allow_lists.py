"""Keys that credentials name: when they are rotated, retired and deleted, and when their owner leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.byok import allow_lists
from orgadmin.inventory import leavers
from orgadmin.inventory.models import Credential, Key
from orgadmin.inventory.successors import Succession, mentions_of
from orgadmin.keys.models import Rotation
from tests.byok.conftest import at
from tests.inventory.pulling import pulled
from tests.keys.conftest import form_in, text_of
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def named(credential: Credential, sandbox: RunningSandbox) -> Credential:
    """It lets one key in and no other."""
    key = Key.objects.filter(gone_at=None, disabled=False, expires_at=None).exclude(owner=None)[0]
    sandbox.sandbox.outside.update_credential(credential.uid, allowed_api_key_hashes=[key.hash])
    Credential.objects.filter(pk=credential.pk).update(allowed_api_key_hashes=[key.hash])
    credential.refresh_from_db()
    return credential


def key_of(credential: Credential) -> Key:
    return Key.objects.get(hash=(credential.allowed_api_key_hashes or [])[0])


def listed(sandbox: RunningSandbox, credential: Credential) -> Any:
    """Who may use it at OpenRouter."""
    return sandbox.sandbox.account.credentials.get(credential.uid).allowed_api_key_hashes


def rotated(desk: Client, key: Key) -> Rotation:
    address = f"/o/acme/keys/{key.hash}/rotate/"
    assert desk.post(address, form_in(desk.get(address), address)).status_code == 201
    return Rotation.objects.get()


def retire(desk: Client, rotation: Rotation) -> str:
    address = f"/o/acme/keys/rotations/{rotation.pk}/retire/"
    return text_of(desk.post(address, {"still_used": "on"}, follow=True))


def test_a_successor_may_use_what_the_old_key_may(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    rotation = rotated(desk, key_of(named))
    assert listed(sandbox, named) == [rotation.old.hash, rotation.new.hash]
    entry = Entry.objects.get(action="credential.update", outcome="ok")
    assert entry.after == {"allowed_api_key_hashes": [rotation.old.hash, rotation.new.hash]}
    named.refresh_from_db()
    assert named.allowed_api_key_hashes == [rotation.old.hash, rotation.new.hash]


def test_retiring_leaves_the_successor_in_the_list(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    rotation = rotated(desk, key_of(named))
    assert "is disabled" in retire(desk, rotation)
    assert listed(sandbox, named) == [rotation.new.hash]


def test_retiring_never_empties_a_list_that_lost_the_successor_meanwhile(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    rotation = rotated(desk, key_of(named))
    sandbox.sandbox.outside.update_credential(named.uid, allowed_api_key_hashes=[rotation.old.hash])
    retire(desk, rotation)
    assert listed(sandbox, named) == [rotation.new.hash]


def test_a_list_without_the_old_key_is_left_alone(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    rotation = rotated(desk, key_of(named))
    sandbox.sandbox.outside.update_credential(named.uid, allowed_api_key_hashes=None)
    retire(desk, rotation)
    assert listed(sandbox, named) is None


def test_a_full_list_gives_the_old_keys_place_to_the_successor(
    desk: Client, named: Credential, sandbox: RunningSandbox, admin: Any
) -> None:
    keys = list(Key.objects.filter(gone_at=None).values_list("hash", flat=True))
    full = (keys * 4)[: allow_lists.MOST_LISTED]
    sandbox.sandbox.outside.update_credential(named.uid, allowed_api_key_hashes=full)
    new = sandbox.sandbox.outside.create_key(name="successor")
    old = key_of(named)
    with pytest.raises(allow_lists.NotCarriedOver, match="lost its place"):
        allow_lists.carry_over(admin, Succession(named.organization, old.hash, new, "successor"))
    found = listed(sandbox, named)
    assert new in found
    assert old.hash not in found
    assert len(found) <= allow_lists.MOST_LISTED


def test_what_cannot_be_changed_is_told_and_nothing_is_lost(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    rotation = rotated(desk, key_of(named))
    sandbox.sandbox.fault(kind="status", status=500, method="PATCH", path=f"/byok/{named.uid}", times=9)
    page = retire(desk, rotation)
    assert "still names it" in page
    rotation.refresh_from_db()
    assert rotation.retired_at is not None
    assert listed(sandbox, named) == [rotation.old.hash, rotation.new.hash]


def test_a_deletion_says_which_list_names_the_key_alone(desk: Client, named: Credential) -> None:
    key = key_of(named)
    (mention,) = [one for one in mentions_of(named.organization, key.hash) if one.name == named.name]
    assert mention.is_alone
    page = text_of(desk.get(f"/o/acme/keys/{key.hash}/delete/"))
    assert named.name is not None
    assert named.name in page
    assert "no key could use it" in page


def test_a_leaver_page_names_the_credentials(desk: Client, named: Credential) -> None:
    key = key_of(named)
    assert key.owner is not None
    held = leavers.holdings_of(key.owner, [])
    found = next(one for one in held if one.address == at(named.uid))
    assert (found.noun, found.note) == ("BYOK credential", "for their keys alone")
    page = text_of(desk.get(f"/o/acme/members/{key.owner.uid}/leaving/"))
    assert named.name is not None
    assert named.name in page


def test_a_workspace_that_is_deleted_says_which_credentials_go_with_it(
    desk: Client, synced: Organization
) -> None:
    row = Credential.objects.filter(workspace_uid__isnull=False)[0]
    Key.objects.filter(workspace_uid=row.workspace_uid).update(disabled=True)
    Organization.objects.update(default_workspace_uid="")
    page = text_of(desk.get(f"/o/acme/workspaces/{row.workspace_uid}/delete/"))
    assert "BYOK credential" in page
    assert f"({row.provider})" in page


def second(sandbox: RunningSandbox, named: Credential) -> str:
    """Another credential that lets the same key in alone."""
    made = sandbox.sandbox.outside.create_credential(
        provider="groq", workspace_id=named.workspace_uid, allowed_api_key_hashes=named.allowed_api_key_hashes
    )
    pulled(named.organization, "byok-credentials")
    return made


@pytest.mark.parametrize("trouble", ["refused", "gone"])
def test_one_that_fails_keeps_no_other_from_the_successor(
    desk: Client, named: Credential, sandbox: RunningSandbox, trouble: str
) -> None:
    other, key = second(sandbox, named), key_of(named)
    if trouble == "gone":
        sandbox.sandbox.outside.delete_credential(named.uid)
    else:
        sandbox.sandbox.fault(
            kind="status", status=403, message="No", method="PATCH", path=f"/byok/{named.uid}", times=9
        )
    address = f"/o/acme/keys/{key.hash}/rotate/"
    page = text_of(desk.post(address, form_in(desk.get(address), address)))
    rotation = Rotation.objects.get()
    assert sandbox.sandbox.account.credentials.get(other).allowed_api_key_hashes == [
        rotation.old.hash,
        rotation.new.hash,
    ]
    assert (f"“{named}”" in page) is (trouble == "refused")
    said = retire(desk, rotation)
    assert sandbox.sandbox.account.credentials.get(other).allowed_api_key_hashes == [rotation.new.hash]
    assert (f"“{named}”" in said) is (trouble == "refused")


def test_a_deleted_key_in_a_list_keeps_nobody_out(
    desk: Client, named: Credential, sandbox: RunningSandbox
) -> None:
    key = key_of(named)
    dead = Key.objects.filter(gone_at=None).exclude(pk=key.pk)[0]
    sandbox.sandbox.outside.update_credential(named.uid, allowed_api_key_hashes=[dead.hash, key.hash])
    sandbox.sandbox.outside.delete_key(dead.hash)
    pulled(named.organization, "keys")
    rotation = rotated(desk, key)
    assert listed(sandbox, named) == [rotation.old.hash, rotation.new.hash]


def test_a_list_that_changed_since_the_last_sync_is_met(
    desk: Client, credential: Credential, sandbox: RunningSandbox
) -> None:
    key = Key.objects.filter(workspace_uid=credential.workspace_uid, gone_at=None, disabled=False)[0]
    sandbox.sandbox.outside.update_credential(credential.uid, allowed_api_key_hashes=[key.hash])
    rotation = rotated(desk, key)
    assert listed(sandbox, credential) == [rotation.old.hash, rotation.new.hash]
    retire(desk, rotation)
    assert listed(sandbox, credential) == [rotation.new.hash]
