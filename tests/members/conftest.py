"""An administrator in front of a full mirror, and somebody who leaves: with keys, a guardrail and places."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Guardrail, Key, Member, MemberAssignment, Workspace, WorkspaceMember
from orgadmin.jobs.models import Job
from orgadmin.members.leaving import leaving_of
from orgadmin.sandbox.record import Seen
from tests.conftest import Bells, SignIn, Sync
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/members/"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    return sign_in(admin)


@pytest.fixture
def leaver(synced: Organization, sandbox: RunningSandbox, sync: Sync) -> Member:
    """Somebody with two live keys in one workspace besides the default one, a third that is disabled, a
    guardrail, and a place in that workspace and in another."""
    Organization.objects.filter(pk=synced.pk).update(
        default_workspace_uid=sandbox.sandbox.account.workspaces.default_id
    )
    synced.refresh_from_db()
    outside, spaces = sandbox.sandbox.outside, workspaces(synced)
    uid: str = outside.add_member(email="leo@house.test", first_name="Leo", last_name="Leaver")
    for name in ("Leo's laptop", "Leo's old one", "Leo's robot"):
        made = outside.create_key(name=name, workspace_id=spaces[0].uid, creator_user_id=uid)
        outside.update_key(made, disabled=name == "Leo's old one")
    for workspace in spaces[:2]:
        outside.join_workspace(workspace.uid, uid)
    guardrail = Guardrail.objects.filter(organization=synced, gone_at=None).exclude(workspace_uid=None)[0]
    outside.assign_guardrail(guardrail.uid, members=[uid])
    sync("members", "keys", "member-assignments", "workspace-members")
    found = Member.objects.get(organization=synced, uid=uid)
    found.organization = synced
    return found


def workspaces(organization: Organization) -> list[Workspace]:
    """Those that people are put into, that is all but the default one."""
    found = Workspace.objects.filter(organization=organization).exclude(
        uid=organization.default_workspace_uid
    )
    return list(found.order_by("name"))


@pytest.fixture
def quiet(leaver: Member, sandbox: RunningSandbox, bells: Bells) -> None:
    """Nothing was sent yet, and no pull waits."""
    bells.pulls.clear()
    sandbox.sandbox.clear_requests()


def sent(sandbox: RunningSandbox) -> list[Seen]:
    return [call for call in sandbox.sandbox.requests().last if call.method != "GET"]


def live(member: Member) -> list[Key]:
    """Their live keys in the order a job takes them."""
    return list(member.keys.filter(gone_at=None).order_by("sort_name", "pk"))


def at(member: Member, *parts: str) -> str:
    return f"{LIST}{member.uid}/" + "".join(f"{part}/" for part in parts)


def offboarding(member: Member, **fields: Any) -> dict[str, Any]:
    """What the form posts; a field set to None is left out."""
    form = {
        "keys": "disable",
        "guardrail": "on",
        "workspaces": "on",
        "seen": leaving_of(member).seen,
        "form_token": str(uuid.uuid4()),
        **fields,
    }
    return {name: value for name, value in form.items() if value is not None}


def begin(browser: Client, member: Member, **fields: Any) -> Job:
    response: Any = browser.post(at(member, "leaving", "start"), offboarding(member, **fields))
    assert response.status_code == 302, response.content
    job = Job.objects.latest("id")
    assert response["Location"] == f"/o/acme/sync/jobs/{job.pk}/"
    return job


def outcomes(job: Job) -> dict[str, tuple[str, str]]:
    """State and message by name."""
    return {item.target_name: (item.state, item.message) for item in job.items.order_by("id")}


def holds_guardrail(member: Member) -> bool:
    rows = MemberAssignment.objects.filter(organization=member.organization, user_id=member.uid, gone_at=None)
    return rows.exists()


def places(member: Member) -> set[str]:
    rows = WorkspaceMember.objects.filter(organization=member.organization, user_id=member.uid, gone_at=None)
    return set(rows.values_list("workspace_uid", flat=True))


def text_of(response: Any) -> str:
    text: str = response.content.decode()
    return text
