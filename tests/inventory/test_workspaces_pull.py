"""The budgets of workspaces and who is in them, as they are mirrored."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Member, SyncRun, Workspace, WorkspaceBudgets, WorkspaceMember
from orgadmin.inventory.workspace_models import place_of
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


def outside() -> list[tuple[str, str]]:
    found = Entry.objects.filter(actor_kind="outside").order_by("action", "target_name")
    return list(found.values_list("action", "target_name"))


def with_budgets() -> tuple[WorkspaceBudgets, Workspace]:
    row = WorkspaceBudgets.objects.exclude(monthly=None).order_by("pk").first()
    assert row is not None
    return row, Workspace.objects.get(uid=row.workspace_uid)


def test_every_budget_of_every_workspace_is_there(
    organization: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    sync()
    upstream = {
        (row.workspace_id, row.interval): Decimal(str(row.limit_usd))
        for row in sandbox.sandbox.account.budgets
    }
    rows = WorkspaceBudgets.objects.all()
    ours = {(row.workspace_uid, name): limit for row in rows for name, limit in row.limits.items()}
    assert upstream
    assert ours == upstream
    assert all(set(row.since) == set(row.limits) for row in rows)
    sync()
    assert outside() == []


def test_who_is_in_each_workspace_but_the_default_one(
    organization: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    account = sandbox.sandbox.account
    organization.default_workspace_uid = account.workspaces.default_id or ""
    organization.save()
    sync()
    upstream = {place_of(row.workspace_id, row.user_id): row.role for row in account.memberships}
    assert upstream
    assert dict(WorkspaceMember.objects.values_list("place", "role")) == upstream
    asked = sandbox.sandbox.requests().count("GET /workspaces/{id}/members")
    assert asked == Workspace.objects.count() - 1


def test_budgets_changed_elsewhere_are_in_the_log(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    row, workspace = with_budgets()
    bare = Workspace.objects.exclude(uid__in=WorkspaceBudgets.objects.values("workspace_uid")).first()
    assert bare is not None
    elsewhere = sandbox.sandbox.outside
    elsewhere.set_budget(workspace.uid, "monthly", 9000.5)
    elsewhere.set_budget(bare.uid, "weekly", 12)
    sync()
    row.refresh_from_db()
    assert row.monthly == Decimal("9000.5")
    assert outside() == [
        ("workspace_budgets.create", bare.name),
        ("workspace_budgets.update", workspace.name),
    ]
    changed = Entry.objects.get(action="workspace_budgets.update")
    assert changed.after is not None
    assert list(changed.after) == ["monthly"]

    elsewhere.set_budget(bare.uid, "weekly", None)
    sync()
    assert WorkspaceBudgets.objects.get(workspace_uid=bare.uid).gone_at is not None
    assert ("workspace_budgets.delete", bare.name) in outside()


def test_people_who_join_and_leave_elsewhere_are_in_the_log(
    synced: Organization, sync: Sync, sandbox: RunningSandbox
) -> None:
    leaving = WorkspaceMember.objects.order_by("pk").first()
    assert leaving is not None
    there = WorkspaceMember.objects.filter(workspace_uid=leaving.workspace_uid).values("user_id")
    joining = Member.objects.exclude(uid__in=there).first()
    assert joining is not None
    workspace = Workspace.objects.get(uid=leaving.workspace_uid)
    sandbox.sandbox.outside.leave_workspace(workspace.uid, leaving.user_id)
    sandbox.sandbox.outside.join_workspace(workspace.uid, joining.uid)
    sync()
    gone = Member.objects.get(uid=leaving.user_id)
    assert outside() == [
        ("workspace_member.create", f"{joining} in {workspace}"),
        ("workspace_member.delete", f"{gone} in {workspace}"),
    ]


@pytest.mark.parametrize(
    ("path", "capability", "kind"),
    [
        ("/workspaces/*/budgets", "workspace_budgets", "workspace-budgets"),
        ("/workspaces/*/members", "workspace_members", "workspace-members"),
    ],
)
def test_an_account_without_them_is_told_so_and_nothing_is_broken(
    organization: Organization,
    sync: Sync,
    sandbox: RunningSandbox,
    path: str,
    capability: str,
    kind: str,
) -> None:
    sandbox.sandbox.fault(kind="status", status=404, path=path, message="Not found", times=99)
    sync()
    organization.refresh_from_db()
    assert organization.capabilities[capability] is False
    assert organization.is_connected
    assert SyncRun.objects.get(kind=kind).state == SyncRun.State.OK
