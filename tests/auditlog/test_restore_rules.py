"""Restoring guardrails and who holds them, workspaces, their budgets and members."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.guardrails.assigning import KEYS, guardrail_assign, guardrails_take_off, subjects_of_keys
from orgadmin.guardrails.drafts import GuardrailEdit, rules_as_values
from orgadmin.guardrails.services import guardrail_delete, guardrail_update
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, Workspace, WorkspaceMember
from orgadmin.workspaces.budgeting import BudgetPlan, budgets_set
from orgadmin.workspaces.drafts import WorkspaceEdit, settings_of
from orgadmin.workspaces.membership import members_add, members_remove
from orgadmin.workspaces.selectors import limits_of
from orgadmin.workspaces.services import workspace_update
from tests.auditlog.restoring import address, last, sent, text_of, ticked
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


# --- guardrails ---


def change_guardrail(actor: User, guardrail: Guardrail, **fields: Any) -> Entry:
    seen = rules_as_values(guardrail)
    guardrail_update(actor=actor, guardrail=guardrail, edit=GuardrailEdit(seen, {**seen, **fields}))
    guardrail.refresh_from_db()
    return last("guardrail.update")


def test_a_guardrail_gets_its_rules_back(
    desk: Client, guardrail: Guardrail, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_guardrail(
        admin, guardrail, ignored_models=None, limit_usd=None, reset_interval=None, description="Loose"
    )
    sandbox.sandbox.clear_requests()
    desk.post(address(entry), ticked("ignored_models", "limit_usd"))
    (call, body), *others = sent(sandbox)
    assert (call, others) == (f"PATCH /guardrails/{guardrail.uid}", [])
    assert (body["limit_usd"], body["reset_interval"]) == (20, "daily")
    assert set(body) == {"limit_usd", "reset_interval", "ignored_models"}
    guardrail.refresh_from_db()
    assert guardrail.ignored_models
    assert guardrail.description == "Loose"


def test_a_deleted_guardrail_comes_back_under_a_new_id_to_those_who_held_it(
    desk: Client, guardrail: Guardrail, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys([key]))
    guardrail_delete(actor=admin, guardrail=guardrail)
    sheet = text_of(desk.get(address(last("guardrail.delete"))))
    assert "1 key and 0 members" in sheet
    names = ["name", "limit_usd", "reset_interval", "ignored_models", "holders"]
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(last("guardrail.delete")), ticked(*names), follow=True)
    assert "made again, under a new id. 1 key holds it again." in text_of(answer)
    made = Guardrail.objects.get(name="Strict", gone_at=None)
    assert made.uid != guardrail.uid
    assert (made.limit, made.reset_interval) == (Decimal(20), "daily")
    assert KeyAssignment.objects.get(key_hash=key.hash, gone_at=None).guardrail_uid == made.uid
    assert [call for call, _ in sent(sandbox)] == [
        "POST /guardrails",
        f"POST /guardrails/{made.uid}/assignments/keys",
    ]
    assert last("guardrail.create").restores == last("guardrail.delete")


def test_who_held_which_is_put_back_in_both_directions(
    desk: Client, guardrail: Guardrail, key: Key, admin: User
) -> None:
    def held() -> str | None:
        found = KeyAssignment.objects.filter(key_hash=key.hash, gone_at=None).first()
        return found.guardrail_uid if found else None

    subjects = subjects_of_keys([key])
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects)
    desk.post(address(last("key_assignment.create")), ticked("guardrail_uid"))
    assert held() is None
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects)
    guardrails_take_off(actor=admin, organization=key.organization, side=KEYS, subjects=subjects)
    desk.post(address(last("key_assignment.delete")), ticked("guardrail_uid"))
    assert held() == guardrail.uid
    other = Guardrail.objects.exclude(uid=guardrail.uid).filter(gone_at=None, workspace_uid__isnull=False)[0]
    guardrail_assign(actor=admin, guardrail=other, side=KEYS, subjects=subjects)
    sheet = text_of(desk.get(address(last("key_assignment.update"))))
    assert f"<ins>{guardrail.name}</ins>" in sheet
    desk.post(address(last("key_assignment.update")), ticked("guardrail_uid"))
    assert held() == guardrail.uid
    assert last("key_assignment.update").restores is not None


def test_a_guardrail_that_is_gone_cannot_be_held_again(
    desk: Client, guardrail: Guardrail, key: Key, admin: User
) -> None:
    subjects = subjects_of_keys([key])
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects)
    guardrails_take_off(actor=admin, organization=key.organization, side=KEYS, subjects=subjects)
    guardrail_delete(actor=admin, guardrail=guardrail)
    page = text_of(desk.get(address(last("key_assignment.delete"))))
    assert "does not exist any more" in page


def test_who_gave_the_guardrail_back_before_is_not_given_it_again(
    desk: Client, guardrail: Guardrail, key: Key, admin: User
) -> None:
    subjects = subjects_of_keys([key])
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects)
    guardrails_take_off(actor=admin, organization=key.organization, side=KEYS, subjects=subjects)
    guardrail_delete(actor=admin, guardrail=guardrail)
    assert "Held again by" not in text_of(desk.get(address(last("guardrail.delete"))))


def test_a_guardrail_that_is_there_again_is_told_whatever_its_holders_become(
    desk: Client, guardrail: Guardrail, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys([key]))
    guardrail_delete(actor=admin, guardrail=guardrail)
    sandbox.sandbox.fault(
        method="POST", path="/guardrails/*/assignments/keys", kind="status", status=400, message="No", times=9
    )
    names = ["name", "limit_usd", "reset_interval", "ignored_models", "holders"]
    deletion = last("guardrail.delete")
    answer = desk.post(address(deletion), ticked(*names), follow=True)
    assert "made again, under a new id. It could not be given back to its keys: No" in text_of(answer)
    assert "It was made again already" in text_of(desk.get(address(deletion)))
    assert Guardrail.objects.filter(name="Strict", gone_at=None).count() == 1


# --- workspaces ---


def test_a_workspace_gets_its_settings_back(
    desk: Client, workspace: Workspace, admin: User, sandbox: RunningSandbox
) -> None:
    seen = settings_of(workspace)
    workspace_update(
        actor=admin,
        workspace=workspace,
        edit=WorkspaceEdit(seen, {**seen, "description": "Changed", "default_provider_sort": "price"}),
    )
    sandbox.sandbox.clear_requests()
    entry = last("workspace.update")
    desk.post(address(entry), ticked("description", "default_provider_sort"))
    assert sent(sandbox) == [
        (
            f"PATCH /workspaces/{workspace.uid}",
            {"description": "For trials", "default_provider_sort": None},
        )
    ]


def test_budgets_are_put_back_by_window(
    desk: Client, workspace: Workspace, admin: User, sandbox: RunningSandbox
) -> None:
    first = {"daily": Decimal(10), "monthly": Decimal(100)}
    budgets_set(actor=admin, workspace=workspace, plan=BudgetPlan({}, first))
    budgets_set(actor=admin, workspace=workspace, plan=BudgetPlan(first, {**first, "monthly": Decimal(900)}))
    entry = last("workspace_budgets.update")
    assert "<ins>$100.00</ins>" in text_of(desk.get(address(entry)))
    desk.post(address(entry), ticked("monthly"))
    assert limits_of(workspace) == first
    # And taken back altogether.
    desk.post(address(last("workspace_budgets.create")), ticked("daily"))
    assert limits_of(workspace) == {"monthly": Decimal(100)}


def test_budgets_out_of_order_are_not_sent(desk: Client, workspace: Workspace, admin: User) -> None:
    first = {"daily": Decimal(50)}
    budgets_set(actor=admin, workspace=workspace, plan=BudgetPlan({}, first))
    budgets_set(actor=admin, workspace=workspace, plan=BudgetPlan(first, {"daily": Decimal(5)}))
    entry = last("workspace_budgets.update")
    seen = {"daily": Decimal(5)}
    budgets_set(actor=admin, workspace=workspace, plan=BudgetPlan(seen, {**seen, "weekly": Decimal(20)}))
    answer = desk.post(address(entry), ticked("daily"))
    assert answer.status_code == 409
    assert "wants more in the wider window" in text_of(answer)
    assert limits_of(workspace)["daily"] == Decimal(5)


def test_somebody_is_in_the_workspace_again(desk: Client, workspace: Workspace, admin: User) -> None:
    member = Member.objects.order_by("pk")[0]

    def is_in() -> bool:
        rows = WorkspaceMember.objects.filter(workspace_uid=workspace.uid, user_id=member.uid, gone_at=None)
        return rows.exists()

    members_add(actor=admin, workspace=workspace, members=[member])
    members_remove(actor=admin, workspace=workspace, members=[member])
    desk.post(address(last("workspace_member.delete")), ticked("is_in_workspace"))
    assert is_in()
    desk.post(address(last("workspace_member.create")), ticked("is_in_workspace"))
    assert not is_in()


def test_what_is_no_noun_of_openrouter_has_no_way_back(desk: Client, synced: Organization) -> None:
    entry = Entry.objects.create(
        organization=synced, actor_kind="person", action="person.role", target_type="person", outcome="ok"
    )
    assert "Restore" not in text_of(desk.get(f"/o/acme/audit-log/{entry.pk}/"))
    assert "Changes of this kind" in text_of(desk.get(address(entry)))


def test_what_cannot_be_sent_from_here_is_said(desk: Client, workspace: Workspace) -> None:
    entry = Entry.objects.create(
        organization=workspace.organization,
        actor_kind="outside",
        action="workspace.update",
        target_type="workspace",
        target_id=workspace.uid,
        before={"default_guardrail_id": "a"},
        after={"default_guardrail_id": "b"},
        outcome="ok",
    )
    assert "cannot be put back from here" in text_of(desk.get(address(entry)))
