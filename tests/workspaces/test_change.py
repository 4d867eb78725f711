"""Creating, editing and deleting workspaces: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import (
    Guardrail,
    Key,
    KeyAssignment,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
)
from orgadmin.workspaces.drafts import settings_of
from orgadmin.workspaces.forms import seen_text
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox
from tests.workspaces.conftest import at, log, outside, sent

pytestmark = pytest.mark.django_db
CREATE = "/o/acme/workspaces/create/"


def new(**fields: Any) -> dict[str, Any]:
    return {"name": "Blue Team", "form_token": str(uuid.uuid4()), "io_logging_sampling_rate": "1", **fields}


def edited(workspace: Workspace, **fields: Any) -> dict[str, Any]:
    values = settings_of(workspace)
    form = {
        name: value for name, value in values.items() if value not in (None, False, []) and value is not True
    }
    switches = {name: "on" for name, value in values.items() if value is True}
    return {**form, **switches, "seen": seen_text(values), **fields}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- create ---


def test_one_is_created_with_what_was_said_and_nothing_else(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    answer = desk.post(CREATE, new(default_provider_sort="price", disabled_server_tools=["openrouter:bash"]))
    row = Workspace.objects.get(name="Blue Team")
    assert (answer.status_code, answer["Location"]) == (302, at(row))
    assert sent(sandbox) == [
        (
            "POST",
            "workspaces",
            {
                "name": "Blue Team",
                "slug": "blue-team",
                "default_provider_sort": "price",
                "disabled_server_tools": ["openrouter:bash"],
            },
        )
    ]
    assert log() == [("workspace.create", "started"), ("workspace.create", "ok")]
    assert synced.summary["workspaces"] + 1 == Organization.objects.get().summary["workspaces"]


def test_the_next_pull_takes_it_for_ours(desk: Client, sync: Sync) -> None:
    desk.post(CREATE, new())
    sync("workspaces")
    assert outside() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Give the workspace a name"),
        ({"slug": "Blue Team"}, "single hyphens"),
        ({"name": "Команда"}, "none can be made from this name"),
        ({"default_text_model": "gpt"}, "author and name"),
        ({"io_logging_sampling_rate": "2"}, "The largest share is 1"),
        ({"io_logging_api_key_ids": "one"}, "numbers of the keys"),
        ({"is_data_discount_logging_enabled": "on"}, "Tick it to go on"),
    ],
)
def test_what_cannot_be_is_said_and_not_sent(
    desk: Client, sandbox: RunningSandbox, fields: dict[str, str], words: str
) -> None:
    sandbox.sandbox.clear_requests()
    answer = desk.post(CREATE, new(**fields))
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert sandbox.sandbox.requests().total == 0
    assert log() == []


def test_a_taken_slug_is_openrouters_word_and_the_form_can_be_sent_again(
    desk: Client, synced: Organization
) -> None:
    taken = Workspace.objects.exclude(slug="").order_by("pk")[0].slug
    form = new(slug=taken)
    answer = desk.post(CREATE, form)
    assert answer.status_code == 400
    assert "No workspace was created." in text_of(answer)
    assert log() == [("workspace.create", "started"), ("workspace.create", "failed")]
    token = text_of(answer).split('name="form_token" value="')[1].split('"')[0]
    assert token != form["form_token"]


def test_a_lost_create_is_found_by_its_slug(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(method="POST", path="/workspaces", kind="drop_after")
    assert desk.post(CREATE, new()).status_code == 302
    assert Workspace.objects.filter(name="Blue Team").count() == 1
    assert log()[-1] == ("workspace.create", "ok")
    assert "It was found" in Entry.objects.order_by("-id")[0].message
    sync("workspaces")
    assert outside() == []


def test_a_form_sent_twice_makes_one_workspace(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    form = new()
    desk.post(CREATE, form)
    sandbox.sandbox.clear_requests()
    answer = desk.post(CREATE, form, follow=True)
    assert "nothing was sent again. It came to: done." in text_of(answer)
    assert sent(sandbox) == []


# --- edit ---


def test_only_what_was_changed_is_sent(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    answer = desk.post(at(lab, "edit"), edited(lab, description="For trials"))
    assert (answer.status_code, answer["Location"]) == (302, at(lab))
    assert sent(sandbox) == [("PATCH", lab.uid, {"description": "For trials"})]
    lab.refresh_from_db()
    assert lab.description == "For trials"
    assert log() == [("workspace.update", "started"), ("workspace.update", "ok")]


def test_nothing_changed_sends_nothing(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    answer = desk.post(at(lab, "edit"), edited(lab), follow=True)
    assert "Nothing to save" in text_of(answer)
    assert sandbox.sandbox.requests().total == 0


def test_an_edit_made_elsewhere_is_shown_three_ways(
    desk: Client, lab: Workspace, sandbox: RunningSandbox
) -> None:
    form = edited(lab, description="Ours")
    sandbox.sandbox.outside.update_workspace(lab.uid, description="Theirs")
    answer = desk.post(at(lab, "edit"), form)
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Nothing was saved" in page
    assert '<th scope="row">Description</th>' in page
    assert "Theirs" in page
    assert sent(sandbox) == []
    assert outside() == ["workspace.update"]
    # The form that is shown holds theirs as seen, ours on top.
    lab.refresh_from_db()
    assert desk.post(at(lab, "edit"), edited(lab, description="Ours")).status_code == 302
    assert sent(sandbox) == [("PATCH", lab.uid, {"description": "Ours"})]


def test_one_that_was_deleted_elsewhere_is_noted_at_once(
    desk: Client, lab: Workspace, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.delete_workspace(lab.uid)
    answer = desk.post(at(lab, "edit"), edited(lab, description="Ours"), follow=True)
    assert "deleted elsewhere" in text_of(answer)
    lab.refresh_from_db()
    assert lab.gone_at is not None
    assert outside() == ["workspace.delete"]
    assert desk.get(at(lab, "edit")).status_code == 404


def test_a_lost_edit_is_read_again(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(method="PATCH", path="/workspaces/*", kind="drop_after")
    desk.post(at(lab, "edit"), edited(lab, description="Lost"))
    assert log()[-1] == ("workspace.update", "ok")
    sandbox.sandbox.fault(method="PATCH", path="/workspaces/*", kind="drop_before", times=9)
    lab.refresh_from_db()
    answer = desk.post(at(lab, "edit"), edited(lab, description="Never"))
    assert answer.status_code == 502
    assert log()[-1] == ("workspace.update", "failed")


def test_logging_prompts_wants_a_tick_of_its_own(
    desk: Client, lab: Workspace, sandbox: RunningSandbox
) -> None:
    form = edited(lab, is_observability_io_logging_enabled="on")
    answer = desk.post(at(lab, "edit"), form)
    assert answer.status_code == 400
    assert "Yes, switch it on" in text_of(answer)
    assert sent(sandbox) == []
    desk.post(at(lab, "edit"), {**form, "confirms_privacy": "on"})
    assert sent(sandbox) == [("PATCH", lab.uid, {"is_observability_io_logging_enabled": True})]


def test_words_we_do_not_know_stay(desk: Client, lab: Workspace, sandbox: RunningSandbox, sync: Sync) -> None:
    sandbox.sandbox.outside.update_workspace(
        lab.uid, default_provider_sort="vibes", disabled_server_tools=["openrouter:new"]
    )
    sync("workspaces")
    lab.refresh_from_db()
    sandbox.sandbox.clear_requests()
    desk.post(at(lab, "edit"), edited(lab, description="Kept"))
    assert sent(sandbox) == [("PATCH", lab.uid, {"description": "Kept"})]


# --- delete ---


def confirm(name: str) -> dict[str, str]:
    return {"confirmation": name, "form_token": str(uuid.uuid4())}


def test_one_with_active_keys_is_not_deleted(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    synced.default_workspace_uid = sandbox.sandbox.account.workspaces.default_id or ""
    synced.save()
    key = Key.objects.filter(disabled=False, expires_at=None).exclude(
        workspace_uid=synced.default_workspace_uid
    )[0]
    workspace = Workspace.objects.get(uid=key.workspace_uid)
    sandbox.sandbox.clear_requests()
    page = text_of(desk.get(at(workspace, "delete")))
    assert "no workspace with active keys" in page
    assert "Delete workspace</button>" not in page
    assert desk.post(at(workspace, "delete"), confirm(workspace.name)).status_code == 400
    assert sent(sandbox) == []


def test_the_default_one_is_not_deleted(desk: Client, lab: Workspace, synced: Organization) -> None:
    default = Workspace.objects.get(uid=synced.default_workspace_uid)
    assert "This is the default workspace" in text_of(desk.get(at(default, "delete")))
    assert desk.post(at(default, "delete"), confirm(default.name)).status_code == 400


def test_all_that_dies_is_shown_and_kept_by_the_log(
    desk: Client, lab: Workspace, sandbox: RunningSandbox, sync: Sync
) -> None:
    account, elsewhere = sandbox.sandbox.account, sandbox.sandbox.outside
    key = elsewhere.create_key(name="Old bot", workspace_id=lab.uid)
    elsewhere.update_key(key, disabled=True)
    guardrail = elsewhere.create_guardrail(name="Strict", workspace_id=lab.uid, ignored_models=["a/b"])
    elsewhere.assign_guardrail(guardrail, keys=[key])
    elsewhere.set_budget(lab.uid, "monthly", 500)
    member = next(iter(account.members)).id
    elsewhere.join_workspace(lab.uid, member)
    sync()
    Entry.objects.all()._raw_delete("default")
    page = text_of(desk.get(at(lab, "delete")))
    for words in ("1 key</strong>", "Old bot", "1 guardrail</strong>", "Strict", "$500", "1 membership"):
        assert words in page, words
    assert desk.post(at(lab, "delete"), confirm("lab")).status_code == 400
    sandbox.sandbox.clear_requests()
    answer = desk.post(at(lab, "delete"), confirm("Lab"), follow=True)
    assert "Workspace “Lab” deleted." in text_of(answer)
    assert [call[0] for call in sent(sandbox)] == ["DELETE"]
    before = Entry.objects.get(action="workspace.delete", outcome="started").before
    assert before is not None
    assert (before["name"], before["slug"], before["monthly"]) == ("Lab", "lab", "500.00")
    assert before["guardrails"][0]["ignored_models"] == ["a/b"]
    assert (before["keys"][0]["hash"], before["keys"][0]["disabled"]) == (key, True)
    assert before["held_by_keys"] == [{"key_hash": key, "guardrail_uid": guardrail}]
    assert before["members"][0]["user_id"] == member
    gone = [
        *Workspace.objects.filter(uid=lab.uid),
        *Key.objects.filter(hash=key),
        *Guardrail.objects.filter(uid=guardrail),
        *KeyAssignment.objects.filter(key_hash=key),
        *WorkspaceBudgets.objects.filter(workspace_uid=lab.uid),
        *WorkspaceMember.objects.filter(workspace_uid=lab.uid),
    ]
    assert len(gone) == 6
    assert all(row.gone_at is not None for row in gone)
    sync()
    assert outside() == []


def test_a_lost_deletion_is_looked_for(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(method="DELETE", path="/workspaces/*", kind="drop_after", times=9)
    assert desk.post(at(lab, "delete"), confirm("Lab")).status_code == 302
    assert log()[-1] == ("workspace.delete", "ok")


def test_a_refusal_is_told_and_nothing_is_gone(desk: Client, lab: Workspace, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.outside.create_key(name="New bot", workspace_id=lab.uid)
    answer = desk.post(at(lab, "delete"), confirm("Lab"))
    assert answer.status_code == 400
    assert "still has active API keys" in text_of(answer)
    lab.refresh_from_db()
    assert lab.gone_at is None
    assert log()[-1] == ("workspace.delete", "failed")
