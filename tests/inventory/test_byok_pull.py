"""BYOK credentials as they are mirrored."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Credential
from tests.conftest import Sync
from tests.inventory.pulling import pulled
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db
KIND = "byok-credentials"


def outside() -> list[tuple[str, str, Any]]:
    rows = Entry.objects.filter(actor_kind="outside", target_type="credential").order_by("id")
    return list(rows.values_list("action", "target_name", "after"))


def test_those_of_every_workspace_are_there_and_those_of_all_once(
    organization: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    sync()
    rows = {row.uid: row for row in Credential.objects.all()}
    twin = list(sandbox.sandbox.account.credentials)
    assert rows.keys() == {row.id for row in twin}
    assert [row.provider for row in rows.values() if row.workspace_uid is None] == ["google-vertex"]
    for one in twin:
        row = rows[one.id]
        assert (row.name, row.label, row.is_fallback) == (one.name, one.label, one.is_fallback)
        assert (row.allowed_models, row.allowed_user_ids) == (one.allowed_models, one.allowed_user_ids)
        assert row.allowed_api_key_hashes == one.allowed_api_key_hashes
        assert (row.is_required, row.lacks) == (one.is_required, [])
    sync()
    assert outside() == []


def test_one_of_all_workspaces_that_most_lists_leave_out_stays(
    synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.account.credentials.listed_everywhere = False
    pulled(synced, KIND)
    assert Credential.objects.get(workspace_uid=None).gone_at is None


def test_what_is_done_elsewhere_is_in_the_log(synced: Organization, sandbox: RunningSandbox) -> None:
    elsewhere = sandbox.sandbox.outside
    row, gone = Credential.objects.filter(provider="openai", is_fallback=False).order_by("sort_order")
    made = elsewhere.create_credential(provider="xai", workspace_id=row.workspace_uid, name="New")
    elsewhere.update_credential(row.uid, label="sk-...wxyz", sort_order=5, is_required=True)
    elsewhere.delete_credential(gone.uid)
    pulled(synced, KIND)
    pulled(synced, KIND)
    name = f"{row.name} (openai)"
    assert {(action, target) for action, target, _ in outside()} == {
        ("credential.create", "New (xai)"),
        ("credential.update", name),
        ("credential.delete", f"{gone.name} (openai)"),
    }
    changed = next(after for action, _, after in outside() if action == "credential.update")
    assert changed == {"label": "sk-...wxyz", "sort_order": 5, "is_required": True}
    assert Credential.objects.get(uid=made).gone_at is None
    assert Credential.objects.get(uid=gone.uid).gone_at is not None


def test_a_server_without_newer_fields_is_known_by_them(
    organization: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.sandbox.wire import byok

    whole = byok.credential_object
    newer = {"is_required", "is_byok_only", "declared_region", "declared_zdr"}

    def older(row: Any) -> dict[str, Any]:
        return {name: value for name, value in whole(row).items() if name not in newer}

    monkeypatch.setattr(byok, "credential_object", older)
    pulled(organization, KIND)
    row = Credential.objects.first()
    assert row is not None
    assert (set(row.lacks), row.is_required) == (newer, None)
