"""Who is in a workspace: seen, added, removed, and what came of each."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Member, Workspace, WorkspaceMember
from tests.conftest import SignIn, Sync
from tests.sandbox_server import RunningSandbox
from tests.workspaces.conftest import at, log, outside, sent

pytestmark = pytest.mark.django_db


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def ticked(*people: Member) -> dict[str, Any]:
    return {"selected": [one.uid for one in people], "form_token": str(uuid.uuid4())}


@pytest.fixture
def people(synced: Organization) -> list[Member]:
    return list(Member.objects.order_by("pk")[:4])


@pytest.fixture
def joined(lab: Workspace, people: list[Member], sandbox: RunningSandbox, sync: Sync) -> Workspace:
    """The first three are in it."""
    for one in people[:3]:
        sandbox.sandbox.outside.join_workspace(lab.uid, one.uid)
    sync("workspace-members")
    sandbox.sandbox.clear_requests()
    Entry.objects.all()._raw_delete("default")
    return lab


def inside(workspace: Workspace) -> set[str]:
    rows = WorkspaceMember.objects.filter(workspace_uid=workspace.uid, gone_at=None)
    return set(rows.values_list("user_id", flat=True))


def test_who_is_in_it_is_seen_by_all_who_read(
    joined: Workspace, people: list[Member], viewer: User, sign_in: SignIn
) -> None:
    page = text_of(sign_in(viewer).get(at(joined, "members")))
    assert all(str(one) in page for one in people[:3])
    assert str(people[3]) not in page
    assert "Remove from the workspace" not in page
    found = text_of(sign_in(viewer).get(at(joined, "members"), {"q": people[0].email}))
    assert str(people[0]) in found
    assert str(people[1]) not in found


def test_adding_people_is_one_call_and_an_entry_each(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox, sync: Sync
) -> None:
    page = text_of(desk.get(at(lab, "members", "add"), {"selected": people[0].uid, "q": people[1].email}))
    assert f'value="{people[0].uid}" checked' in page
    assert str(people[1]) in page
    answer = desk.post(at(lab, "members", "add"), ticked(*people[:3]))
    assert "3 members added." in text_of(answer)
    assert sent(sandbox) == [("POST", "add", {"user_ids": [one.uid for one in people[:3]]})]
    assert log().count(("workspace_member.create", "ok")) == 3
    assert inside(lab) == {one.uid for one in people[:3]}
    sync("workspace-members")
    assert outside() == []


def test_looking_for_people_adds_nobody(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    desk.get(at(lab, "members", "add"), ticked(people[0]))
    assert sandbox.sandbox.requests().total == 0


def test_whom_openrouter_passed_over_is_named(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.remove_member(people[1].uid)
    page = text_of(desk.post(at(lab, "members", "add"), ticked(*people[:2])))
    assert "1 member added." in page
    assert "1 member not added." in page
    assert f"{people[1]}: OpenRouter took the request and did not add them" in page
    assert log()[-1] == ("workspace_member.create", "failed")


def test_a_form_sent_twice_adds_once(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    form = ticked(people[0])
    desk.post(at(lab, "members", "add"), form)
    WorkspaceMember.objects.filter(workspace_uid=lab.uid).update(gone_at="2026-01-01T00:00:00Z")
    sandbox.sandbox.clear_requests()
    answer = desk.post(at(lab, "members", "add"), form)
    assert answer.status_code == 409
    assert "nothing was sent again" in text_of(answer)
    assert sent(sandbox) == []


def test_removing_shows_who_goes_and_who_cannot(
    desk: Client, joined: Workspace, people: list[Member], sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.create_key(name="Theirs", workspace_id=joined.uid, creator_user_id=people[0].uid)
    sync("keys")
    sandbox.sandbox.clear_requests()
    selected = {"selected": [one.uid for one in people[:2]]}
    page = text_of(desk.post(at(joined, "members", "remove"), selected))
    assert f"<li>{people[0]}: <a" in page
    assert "Remove 1 member" in page
    assert sandbox.sandbox.requests().total == 0
    answer = desk.post(at(joined, "members", "remove"), ticked(*people[:2]))
    assert "1 member removed." in text_of(answer)
    assert sent(sandbox) == [("POST", "remove", {"user_ids": [people[1].uid]})]
    assert inside(joined) == {people[0].uid, people[2].uid}
    assert log() == [("workspace_member.delete", "started"), ("workspace_member.delete", "ok")]
    sync("workspace-members")
    assert [action for action in outside() if action.startswith("workspace_member")] == []


def test_of_a_refused_list_those_who_may_go_go(
    desk: Client, joined: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.leave_workspace(joined.uid, people[0].uid)
    sandbox.sandbox.outside.join_workspace(joined.uid, people[0].uid, managed=True)
    page = text_of(desk.post(at(joined, "members", "remove"), ticked(*people[:3])))
    assert "2 members removed." in page
    assert f"{people[0]}: SCIM-managed members can only be removed in your identity provider" in page
    assert inside(joined) == {people[0].uid}


def test_a_refusal_of_everybody_is_told_and_nothing_changed(
    desk: Client, joined: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(
        method="POST", path="/workspaces/*/members/remove", kind="status", status=403, message="No.", times=9
    )
    answer = desk.post(at(joined, "members", "remove"), ticked(*people[:2]))
    assert answer.status_code == 502
    assert "OpenRouter: No. Nobody was removed." in text_of(answer)
    assert len(inside(joined)) == 3
    assert [outcome for _, outcome in log()] == ["started", "started", "failed", "failed"]


def test_a_lost_answer_is_read_from_the_list(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(method="POST", path="/workspaces/*/members/add", kind="drop_after")
    page = text_of(desk.post(at(lab, "members", "add"), ticked(*people[:2])))
    assert "2 members added." in page
    assert log().count(("workspace_member.create", "ok")) == 2


def test_where_openrouter_tells_of_nobody_its_answer_is_all_there_is(
    desk: Client, lab: Workspace, people: list[Member], sandbox: RunningSandbox, synced: Organization
) -> None:
    sandbox.sandbox.fault(
        method="GET", path="/workspaces/*/members", kind="status", status=404, message="No.", times=99
    )
    assert "1 member added." in text_of(desk.post(at(lab, "members", "add"), ticked(people[0])))
    page = text_of(desk.post(at(lab, "members", "remove"), ticked(people[0])))
    assert "Of 1 member it is not known" in page
    assert log()[-1] == ("workspace_member.delete", "unknown")
    synced.refresh_from_db()
    synced.capabilities["workspace_members"] = False
    synced.save()
    assert "does not tell this account who is in which workspace" in text_of(desk.get(at(lab, "members")))


def test_everybody_is_in_the_default_one(desk: Client, lab: Workspace, synced: Organization) -> None:
    default = Workspace.objects.get(uid=synced.default_workspace_uid)
    page = text_of(desk.get(at(default, "members")))
    assert "Everybody is in it" in page
    assert "Add members" not in page
    assert desk.get(at(default, "members", "add")).status_code == 404


def test_nobody_ticked(desk: Client, joined: Workspace, sandbox: RunningSandbox) -> None:
    token = {"form_token": str(uuid.uuid4())}
    assert desk.post(at(joined, "members", "add"), token).status_code == 400
    assert "Nobody is ticked" in text_of(desk.post(at(joined, "members", "remove"), token))
    assert sandbox.sandbox.requests().total == 0
