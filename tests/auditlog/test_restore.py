"""Restoring what an act changed: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import re
import uuid
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
from orgadmin.keys.drafts import KeyEdit
from orgadmin.keys.services import key_delete, key_set_disabled, key_update
from orgadmin.keys.services.update import editable
from orgadmin.workspaces.budgeting import BudgetPlan, budgets_set
from orgadmin.workspaces.drafts import WorkspaceEdit, settings_of
from orgadmin.workspaces.membership import members_add, members_remove
from orgadmin.workspaces.selectors import limits_of
from orgadmin.workspaces.services import workspace_update
from tests.conftest import SignIn, Sync
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Client:
    hurry(monkeypatch)
    browser = sign_in(admin)
    plain = browser.post

    def post(path: str, data: Any, **options: Any) -> Any:
        """A form as it is on the page: with what the person saw."""
        if "field" in data and "seen" not in data:
            found = re.search(r'name="seen" value="(\w+)"', browser.get(path).content.decode())
            data = {**data, "seen": found.group(1) if found else ""}
        return plain(path, data, **options)

    monkeypatch.setattr(browser, "post", post)
    return browser


@pytest.fixture
def key(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Key:
    workspace = Workspace.objects.order_by("pk")[0]
    made = sandbox.sandbox.outside.create_key(name="bot", workspace_id=workspace.uid, limit=50)
    sync("keys")
    return Key.objects.get(hash=made)


@pytest.fixture
def guardrail(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Guardrail:
    workspace = Workspace.objects.order_by("pk")[0]
    uid = sandbox.sandbox.outside.create_guardrail(
        name="Strict",
        workspace_id=workspace.uid,
        limit_usd=20,
        reset_interval="daily",
        ignored_models=["openai/gpt-4o"],
    )
    sync()
    return Guardrail.objects.get(uid=uid)


@pytest.fixture
def workspace(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Workspace:
    uid = sandbox.sandbox.outside.create_workspace(name="Lab", slug="lab", description="For trials")
    sync("workspaces")
    return Workspace.objects.get(uid=uid)


def last(action: str) -> Entry:
    """The act that was done last."""
    return Entry.objects.filter(action=action, about=None).latest("id")


def address(entry: Entry) -> str:
    return f"/o/acme/audit-log/{entry.pk}/restore/"


def ticked(*names: str) -> dict[str, Any]:
    return {"field": list(names), "form_token": str(uuid.uuid4())}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def sent(sandbox: RunningSandbox) -> list[tuple[str, Any]]:
    """What arrived upstream and changed something."""
    calls = [call for call in sandbox.sandbox.requests().last if call.method != "GET"]
    return [(f"{call.method} {call.path.removeprefix('/api/v1')}", call.body) for call in calls]


def change_key(actor: User, key: Key, **fields: Any) -> Entry:
    key.refresh_from_db()
    seen = editable(key)
    key_update(actor=actor, key=key, edit=KeyEdit(seen=seen, wanted={**seen, **fields}))
    key.refresh_from_db()
    return last("key.update")


# --- what a person sees ---


def test_an_entry_offers_it_to_those_who_may_change(
    desk: Client, key: Key, admin: User, viewer: User, sign_in: SignIn
) -> None:
    entry = change_key(admin, key, limit=Decimal(80), name="robot")
    page = f"/o/acme/audit-log/{entry.pk}/"
    assert "Restore…" in text_of(desk.get(page))
    assert "Restore…" not in text_of(sign_in(viewer).get(page))
    assert sign_in(viewer).get(address(entry)).status_code == 403
    assert sign_in(viewer).post(address(entry), ticked("limit")).status_code == 403
    sheet = text_of(desk.get(address(entry)))
    for words in ("<del>$80.00</del>", "<ins>$50.00</ins>", "<del>robot</del>", "<ins>bot</ins>"):
        assert words in sheet, words
    assert "changed again since" not in sheet


def test_somebody_elses_entry_is_not_there(desk: Client, key: Key, admin: User, synced: Organization) -> None:
    entry = change_key(admin, key, name="robot")
    other = Organization.objects.create(name="Beta", slug="beta", base_url=synced.base_url)
    theirs = Entry.objects.create(
        organization=other, actor_kind="person", action="key.update", target_type="key", outcome="ok"
    )
    assert desk.get(address(theirs)).status_code == 404
    assert desk.get(address(entry)).status_code == 200


# --- keys ---


def test_a_key_gets_back_what_is_ticked_and_nothing_else(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80), name="robot")
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), ticked("limit"), follow=True)
    assert "“robot” is as it was." in text_of(answer)
    assert sent(sandbox) == [(f"PATCH /keys/{key.hash}", {"limit": 50})]
    key.refresh_from_db()
    assert (key.name, key.limit) == ("robot", Decimal(50))
    again = last("key.update")
    assert (again.restores, again.before, again.after) == (entry, {"limit": "80.00"}, {"limit": "50.00"})
    assert "Restored by" in text_of(desk.get(f"/o/acme/audit-log/{entry.pk}/"))
    assert "It restores" in text_of(desk.get(f"/o/acme/audit-log/{again.pk}/"))


def test_a_form_sent_twice_restores_once(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, name="robot")
    form = ticked("name")
    desk.post(address(entry), form)
    change_key(admin, key, name="third")
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), form, follow=True)
    assert "nothing was restored twice" in text_of(answer)
    assert sent(sandbox) == []


def test_what_was_changed_again_since_is_said(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    change_key(admin, key, limit=Decimal(90))
    sheet = text_of(desk.get(address(entry)))
    assert "changed again since" in sheet
    assert "<del>$90.00</del>" in sheet


def test_where_it_is_as_it_was_there_is_nothing_to_restore(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    change_key(admin, key, limit=Decimal(50))
    assert "Nothing to restore" in text_of(desk.get(address(entry)))
    assert desk.post(address(entry), ticked("limit")).status_code == 409


def test_nothing_ticked_sends_nothing(desk: Client, key: Key, admin: User, sandbox: RunningSandbox) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), {"form_token": str(uuid.uuid4()), "field": ["usage", "hash"]})
    assert answer.status_code == 400
    assert sent(sandbox) == []


def test_a_disabled_key_is_enabled_again(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    key_set_disabled(actor=admin, key=key, disabled=True)
    sandbox.sandbox.clear_requests()
    desk.post(address(last("key.disable")), ticked("disabled"))
    assert sent(sandbox) == [(f"PATCH /keys/{key.hash}", {"disabled": False})]


def test_a_deleted_key_cannot_come_back(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    key_delete(actor=admin, key=key)
    said = "A deleted key cannot come back"
    assert said in text_of(desk.get(address(entry)))
    deletion = last("key.delete")
    assert said in text_of(desk.get(f"/o/acme/audit-log/{deletion.pk}/"))
    assert "Restore…" not in text_of(desk.get(f"/o/acme/audit-log/{deletion.pk}/"))
    assert desk.post(address(deletion), ticked("name")).status_code == 409


def test_a_change_made_elsewhere_is_put_back_too(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(key.hash, limit=500)
    sync("keys")
    entry = Entry.objects.get(actor_kind="outside", action="key.update", target_id=key.hash)
    desk.post(address(entry), ticked("limit"))
    key.refresh_from_db()
    assert key.limit == Decimal(50)


def test_a_refusal_is_told_and_it_can_be_tried_again(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    sandbox.sandbox.fault(method="PATCH", kind="status", status=400, message="Not now", path="/keys/*")
    form = ticked("limit")
    answer = desk.post(address(entry), form)
    assert answer.status_code == 400
    assert "OpenRouter: Not now. Nothing was restored." in text_of(answer)
    assert form["form_token"] not in text_of(answer)
    failed = Entry.objects.latest("id")
    assert (failed.action, failed.outcome) == ("key.update", "failed")
    assert "did not take effect" in text_of(desk.get(f"/o/acme/audit-log/{failed.about_id}/"))
    assert desk.post(address(entry), ticked("limit")).status_code == 302


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
    assert "Only changes of keys" in text_of(desk.get(address(entry)))


def test_what_changed_since_the_sheet_was_opened_is_not_overwritten(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    found = re.search(r'name="seen" value="(\w+)"', desk.get(address(entry)).content.decode())
    assert found is not None
    change_key(admin, key, limit=Decimal(90))
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), {**ticked("limit"), "seen": found.group(1)})
    assert answer.status_code == 409
    assert "no longer as you saw it" in text_of(answer)
    assert "<del>$90.00</del>" in text_of(answer)
    assert sent(sandbox) == []


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
