from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from orgadmin.accounts.models import InferenceKey, Organization, User
from orgadmin.inventory.models import Preset, SyncRun, Workspace
from orgadmin.sandbox.app import Options
from tests.conftest import PASSWORD, Bells, SignIn
from tests.connections.conftest import entry_text, last_entry
from tests.lending import lend, secret_of_workspace
from tests.sandbox_server import RunningSandbox, running_sandbox

ADD = "/o/acme/settings/inference-keys/add/"
SETTINGS = "/o/acme/settings/"


@pytest.fixture
def key(synced: Organization, sandbox: RunningSandbox) -> InferenceKey:
    return lend(synced, sandbox.sandbox)


def replace(key: InferenceKey) -> str:
    return f"/o/acme/settings/inference-keys/{key.pk}/replace/"


def remove(key: InferenceKey) -> str:
    return f"/o/acme/settings/inference-keys/{key.pk}/remove/"


def said(answer: Any, status: int = 400) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def test_a_key_is_proved_kept_and_used(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn, bells: Bells
) -> None:
    raw = sandbox.sandbox.inference_key
    browser = sign_in(owner)
    assert browser.post(ADD, {"inference_key": raw, "workspace": ""}).status_code == 302
    row = InferenceKey.objects.get()
    assert row.workspace_uid == sandbox.sandbox.account.workspaces.default_id
    assert row.key_hash == hashlib.sha256(raw.encode()).hexdigest()
    assert (row.added_by, row.base_url, row.refused_at) == (owner, synced.base_url, None)
    entry = last_entry("inference_key.create")
    assert entry.target_name == "Key of Default"
    assert entry.after == {"inference_key_label": row.key_label, "workspace_uid": row.workspace_uid}
    assert raw not in entry_text(entry)
    page = browser.get(SETTINGS).content.decode()
    assert row.key_label in page
    assert raw not in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_inferencekey")
        assert raw not in repr(cursor.fetchall())
    assert SyncRun.objects.filter(kind="presets", requested_by=owner).exists()
    bells.work()
    assert Preset.objects.filter(workspace_uid=row.workspace_uid).count() == 3


def test_a_management_key_is_refused(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    raw = sandbox.sandbox.management_key
    page = said(sign_in(owner).post(ADD, {"inference_key": raw}))
    assert "This is a management key" in page
    assert raw not in page
    assert not InferenceKey.objects.exists()


@pytest.mark.parametrize("raw", ["", "sk or v1", "sk-or-v1-" + "0" * 64, "x" * 400])
def test_what_is_no_key_is_refused(synced: Organization, owner: User, sign_in: SignIn, raw: str) -> None:
    page = said(sign_in(owner).post(ADD, {"inference_key": raw}))
    assert "The key was not kept" in page
    assert not raw or raw not in page


def test_a_key_of_another_account_is_refused(synced: Organization, owner: User, sign_in: SignIn) -> None:
    with running_sandbox(Options(seed=21, keys=2, members=2, workspaces=2, days=5)) as other:
        Organization.objects.update(base_url=other.url)
        page = said(sign_in(owner).post(ADD, {"inference_key": other.sandbox.inference_key}))
        assert "workspace that this dashboard does not know" in page
        Organization.objects.update(capabilities={"upstream_organization_id": "org_ours"})
        page = said(sign_in(owner).post(ADD, {"inference_key": other.sandbox.inference_key}))
        assert "another OpenRouter account" in page


def test_the_workspace_is_asked_for_where_openrouter_does_not_say(
    synced: Organization,
    owner: User,
    sandbox: RunningSandbox,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = Workspace.objects.exclude(slug="default").earliest("pk")
    raw = secret_of_workspace(sandbox.sandbox, workspace.uid)
    from dataclasses import replace as with_changes

    from orgadmin.openrouter import key as upstream

    current = upstream.current
    monkeypatch.setattr(upstream, "current", lambda client: with_changes(current(client), workspace_id=None))
    browser = sign_in(owner)
    assert "Choose it" in said(browser.post(ADD, {"inference_key": raw, "workspace": ""}))
    assert browser.post(ADD, {"inference_key": raw, "workspace": workspace.uid}).status_code == 302
    assert InferenceKey.objects.get().workspace_uid == workspace.uid
    # A key that the mirror knows needs nobody to say it.
    assert browser.post(ADD, {"inference_key": sandbox.sandbox.inference_key}).status_code == 302


def test_openrouters_word_goes_before_the_persons(
    synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    workspace = Workspace.objects.exclude(slug="default").earliest("pk")
    form = {"inference_key": sandbox.sandbox.inference_key, "workspace": workspace.uid}
    assert "belongs to another workspace" in said(sign_in(owner).post(ADD, form))


def test_one_that_was_refused_is_replaced(
    key: InferenceKey, synced: Organization, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    InferenceKey.objects.update(refused_at=synced.created_at, refusal="Gone")
    browser = sign_in(owner)
    assert "Gone" in browser.get(SETTINGS).content.decode()
    raw = secret_of_workspace(sandbox.sandbox, key.workspace_uid)
    assert browser.post(replace(key), {"inference_key": raw}).status_code == 302
    row = InferenceKey.objects.get()
    assert row.secret is not None
    assert (row.secret.reveal(), row.refused_at, row.refusal) == (raw, None, "")
    entry = last_entry("inference_key.update")
    assert entry.before == {"inference_key_label": key.key_label, "workspace_uid": key.workspace_uid}


def test_it_is_not_replaced_by_one_of_another_workspace(
    key: InferenceKey, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    other = Workspace.objects.exclude(uid=key.workspace_uid).earliest("pk")
    raw = secret_of_workspace(sandbox.sandbox, other.uid)
    page = said(sign_in(owner).post(replace(key), {"inference_key": raw}))
    assert "another workspace" in page
    assert InferenceKey.objects.get().key_hash == key.key_hash


def test_it_is_forgotten(key: InferenceKey, owner: User, sign_in: SignIn) -> None:
    browser = sign_in(owner)
    assert "goes on working" in browser.get(remove(key)).content.decode()
    assert browser.post(remove(key)).status_code == 302
    assert not InferenceKey.objects.exists()
    assert last_entry("inference_key.delete").before == {
        "inference_key_label": key.key_label, "workspace_uid": key.workspace_uid,
    }  # fmt: skip
    assert browser.post(remove(key)).status_code == 404


def test_a_disconnected_organization_keeps_none_and_takes_none(
    key: InferenceKey, owner: User, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    browser = sign_in(owner)
    browser.post("/o/acme/settings/disconnect/", {"confirmation": "Acme Research"})
    assert not InferenceKey.objects.exists()
    assert last_entry("organization.disconnect").before["inference_key_label"] == [key.key_label]  # type: ignore[index]
    assert "Connect it again" in said(browser.post(ADD, {"inference_key": sandbox.sandbox.inference_key}))


def test_one_of_another_address_is_told_to_be_out_of_use(
    key: InferenceKey, owner: User, sign_in: SignIn
) -> None:
    Organization.objects.update(base_url="https://elsewhere.test/api/v1")
    assert "is not sent to this one" in sign_in(owner).get(SETTINGS).content.decode()


def test_it_asks_for_the_password_and_carries_no_key(
    key: InferenceKey, owner: User, sandbox: RunningSandbox, stale: Callable[[User], Client]
) -> None:
    raw = sandbox.sandbox.inference_key
    browser = stale(owner)
    page = browser.post(ADD, {"inference_key": raw}).content.decode()
    assert "Is it still you?" in page
    assert raw not in page
    assert browser.post(ADD, {"inference_key": raw, "proof_password": PASSWORD}).status_code == 302


def test_nobody_else_reaches_it(
    key: InferenceKey, admin: User, viewer: User, stranger: User, sign_in: SignIn
) -> None:
    for user, status in ((admin, 403), (viewer, 403), (stranger, 404)):
        for address in (ADD, replace(key), remove(key)):
            assert sign_in(user).post(address).status_code == status
    page = sign_in(viewer).get(SETTINGS).content.decode()
    assert key.key_label in page
    assert ADD not in page


def test_a_key_of_another_organization_is_not_found(key: InferenceKey, owner: User, sign_in: SignIn) -> None:
    other = Organization.objects.create(name="Other", slug="other", base_url="https://a.test")
    InferenceKey.objects.update(organization=other)
    assert sign_in(owner).post(remove(key)).status_code == 404
    assert InferenceKey.objects.exists()
