"""The first pull fills an empty mirror; what it finds was not "created outside"."""

from __future__ import annotations

import pytest
from django.utils import timezone

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, SyncRun, Workspace
from orgadmin.sandbox.app import Options
from tests.conftest import Bells, Sync
from tests.inventory.pulling import pull, pulled
from tests.sandbox_server import RunningSandbox, running_sandbox


def test_it_mirrors_everything_and_audits_nothing(synced: Organization, sandbox: RunningSandbox) -> None:
    upstream = sandbox.sandbox.every_key()
    assert Key.objects.count() == len(upstream) == 40
    assert Member.objects.count() == 8
    assert Workspace.objects.count() == 3
    assert not Entry.objects.exists()


def test_disabled_and_expired_keys_of_every_workspace_are_there(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    upstream = sandbox.sandbox.every_key()
    assert Key.objects.filter(disabled=True).count() == sum(key["disabled"] for key in upstream) > 0
    assert Key.objects.filter(expires_at__lte=timezone.now()).exists()
    assert set(Key.objects.values_list("workspace_uid", flat=True)) == {
        key["workspace_id"] for key in upstream
    }


def test_keys_are_linked_to_workspace_and_owner(synced: Organization) -> None:
    for key in Key.objects.select_related("workspace", "owner"):
        assert key.workspace is not None
        assert key.workspace.uid == key.workspace_uid
        assert key.owner is None or key.owner.uid == key.creator_user_id
        assert key.name.casefold() in key.search_text
    assert Key.objects.exclude(owner=None).exists()


def test_keys_pulled_before_their_workspaces_are_linked_later(
    organization: Organization, bells: Bells
) -> None:
    pulled(organization, "keys")
    assert not Key.objects.exclude(workspace=None).exists()
    # The workspaces are asked for at once: nobody waits half an hour for a name.
    assert [SyncRun.objects.get(pk=number).kind for number in bells.pulls] == ["keys", "workspaces"]
    bells.work()
    pulled(organization, "members")
    assert not Key.objects.filter(workspace=None).exists()
    assert Key.objects.exclude(owner=None).exists()
    assert not Entry.objects.exists()


def test_it_counts_what_it_saw_and_what_it_called(
    organization: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    run = pulled(organization, "keys")
    assert (run.seen, run.added, run.changed, run.gone) == (40, 40, 0, 0)
    # One page of workspaces, one page of keys for each of the three.
    assert run.calls == sandbox.sandbox.requests().total == 4


def test_an_account_without_members_lacks_them(db: None, organization: Organization) -> None:
    with running_sandbox(Options(keys=3, personal=True)) as personal:
        Organization.objects.filter(pk=organization.pk).update(
            base_url=personal.url, management_key=organization.management_key
        )
        organization.refresh_from_db()
        run = pull(organization, "members")
    organization.refresh_from_db()
    assert (run.state, run.error, run.seen) == (SyncRun.State.OK, "", 0)
    assert organization.capabilities == {"members": False}


def test_a_first_pull_that_broke_off_still_audits_nothing(
    organization: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="status", status=400, path="/keys", times=1)
    assert pull(organization, "keys").state == SyncRun.State.FAILED
    sync()
    assert Key.objects.count() == 40
    assert not Entry.objects.exists()


@pytest.mark.parametrize("rows", [100, 101])
def test_one_call_for_a_hundred_keys(db: None, organization: Organization, rows: int) -> None:
    with running_sandbox(Options(keys=rows, workspaces=1, members=2)) as running:
        Organization.objects.filter(pk=organization.pk).update(base_url=running.url)
        organization.refresh_from_db()
        run = pulled(organization, "keys")
    # A full page does not say that it is the last one: the second call finds the end.
    assert (run.seen, run.calls) == (rows, 1 + 2)
