"""Guardrails and who holds them, as they are mirrored."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.guardrail_nouns import plain
from orgadmin.inventory.models import Guardrail, KeyAssignment, MemberAssignment, Workspace
from orgadmin.openrouter import guardrails
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def outside() -> list[tuple[str, str]]:
    return list(Entry.objects.filter(actor_kind="outside").values_list("action", "target_name"))


def test_every_guardrail_of_every_workspace_is_there_and_those_no_list_shows(
    organization: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    sync()
    held = set(KeyAssignment.objects.values_list("guardrail_uid", flat=True))
    held |= set(MemberAssignment.objects.values_list("guardrail_uid", flat=True))
    rows = {row.uid: row for row in Guardrail.objects.all()}
    assert held
    assert held <= set(rows)
    assert any(row.workspace_uid is None for row in rows.values()), "one from before workspaces"
    for uid, row in rows.items():
        upstream = sandbox.sandbox.guardrail(uid)
        assert (row.name, row.description) == (upstream["name"], upstream.get("description"))
        assert row.allowed_models == upstream.get("allowed_models")
        assert row.content_filters == upstream.get("content_filters")
    sync()
    assert outside() == []


def test_changes_made_elsewhere_are_in_the_log(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    elsewhere = sandbox.sandbox.outside
    assigned = KeyAssignment.objects.order_by("pk").first()
    other = Guardrail.objects.exclude(uid=assigned.guardrail_uid if assigned else "").filter(
        workspace_uid__isnull=False
    )
    defaults = Workspace.objects.values("default_guardrail_id")
    target = other.exclude(uid__in=defaults).order_by("pk").first()
    assert assigned is not None
    assert target is not None
    elsewhere.update_guardrail(target.uid, name="Renamed elsewhere", limit_usd=12, reset_interval="daily")
    elsewhere.assign_guardrail(target.uid, keys=[assigned.key_hash])
    sync()
    sync()
    target.refresh_from_db()
    assert (target.name, target.limit) == ("Renamed elsewhere", Decimal(12))
    assigned.refresh_from_db()
    assert assigned.guardrail_uid == target.uid
    assert sorted(outside()) == [
        ("guardrail.update", "Renamed elsewhere"),
        ("key_assignment.update", assigned.key_name),
    ]


def test_a_deleted_guardrail_is_gone_and_so_are_its_assignments(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    assigned = KeyAssignment.objects.order_by("pk").first()
    assert assigned is not None
    sandbox.sandbox.outside.delete_guardrail(assigned.guardrail_uid)
    sync()
    row = Guardrail.objects.get(uid=assigned.guardrail_uid)
    assert row.gone_at is not None
    assert not KeyAssignment.objects.filter(guardrail_uid=row.uid, gone_at=None).exists()
    assert ("guardrail.delete", row.name) in outside()


def test_what_a_server_does_not_know_is_named() -> None:
    bare = plain(guardrails.Guardrail(id="1", name="old", workspace_id=None, created_at=None))
    assert "enforce_zdr_xai" in bare.lacks
    assert bare.enforce_zdr_xai is None
