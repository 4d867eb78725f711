"""The rules around every view that no single slice owns: methods, proofs, and secrets that cannot be read."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.urls import reverse

from orgadmin.accounts.models import Membership, Organization, User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job, JobItem
from orgadmin.openrouter import keys as upstream
from tests.conftest import PASSWORD, Bells, SignIn


def stale(client: Client) -> Client:
    session = client.session
    session[PROOF_KEY] = 0
    session.save()
    return client


def test_head_is_answered_like_get_and_does_nothing(
    organization: Organization, owner: User, viewer: User, sign_in: SignIn
) -> None:
    membership = Membership.objects.get(user=viewer)
    address = reverse("connections:remove", kwargs={"organization": "acme", "membership_id": membership.pk})

    answer = stale(sign_in(owner)).head(address)

    assert answer.status_code == 200
    assert Membership.objects.filter(pk=membership.pk).exists()


def test_head_does_not_reach_what_takes_posts_only(
    synced: Organization, admin: User, sign_in: SignIn
) -> None:
    key = Key.objects.values_list("hash", flat=True)[0]
    assert sign_in(admin).head(f"/o/acme/keys/{key}/disable/").status_code == 405


def test_trying_deletes_again_asks_for_the_password(
    synced: Organization, admin: User, sign_in: SignIn, bells: Bells
) -> None:
    client = sign_in(admin)
    key = Key.objects.values_list("hash", flat=True)[0]
    client.post("/o/acme/keys/bulk/start/", {"action": "delete", "selected": key, "confirmation": "delete 1"})
    job = Job.objects.get()
    Job.objects.update(state=Job.State.DONE)
    JobItem.objects.update(state=JobItem.State.FAILED)

    answer = stale(client).post(f"/o/acme/sync/jobs/{job.pk}/retry/")

    assert "proof_password" in answer.content.decode()
    assert JobItem.objects.get().state == JobItem.State.FAILED


@pytest.mark.parametrize("fresh", [True, False])
def test_a_secret_is_shown_although_the_database_died(
    synced: Organization, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    client = sign_in(admin)
    client.get("/o/acme/keys/")
    workspace = Key.objects.values_list("workspace_uid", flat=True)[0]
    form = {"name": "x", "workspace": workspace, "form_token": "0b5c3c0c-6a5a-4a0e-8a1e-000000000003"}
    if not fresh:
        stale(client)
        form["proof_password"] = PASSWORD
    died: list[bool] = []
    create, execute = upstream.create, CursorWrapper.execute

    def create_then_die(*args, **kwargs):
        made = create(*args, **kwargs)
        died.append(True)
        return made

    def execute_while_alive(self, sql, params=None):
        if died:
            raise OperationalError("the database is down")
        return execute(self, sql, params)

    with monkeypatch.context() as broken:
        broken.setattr(upstream, "create", create_then_die)
        broken.setattr(CursorWrapper, "execute", execute_while_alive)
        answer = client.post("/o/acme/keys/create/", form)

    assert died
    assert "sk-or-v1-" in answer.content.decode()


def test_a_management_key_nobody_can_read_is_explained_and_replaced(
    synced: Organization, owner: User, sign_in: SignIn, settings, sandbox
) -> None:
    client = sign_in(owner)
    settings.ENCRYPTION_KEYS = ["Zk5bC0o4pKq3Yk0mJp8b0m7Xr1h5QyqJ9m0m3o0c2xY="]
    client = sign_in(owner)
    key = Key.objects.filter(disabled=False).values_list("hash", flat=True)[0]

    assert client.get(f"/o/acme/keys/{key}/").status_code == 200
    told = client.post(f"/o/acme/keys/{key}/disable/", follow=True).content.decode()
    assert "ENCRYPTION_KEYS has changed" in told
    assert client.post("/o/acme/sync/run/", {"kind": "keys"}).status_code < 500
    Organization.objects.update(key_hash="c" * 64)
    form = {"base_url": synced.base_url, "management_key": sandbox.sandbox.management_key}
    assert client.post("/o/acme/settings/rekey/", form).status_code == 302
    assert client.post(f"/o/acme/keys/{key}/disable/").status_code == 302
    assert Key.objects.get(hash=key).disabled
