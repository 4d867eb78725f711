"""Taking everything from somebody who leaves: one job, an outcome for each thing, whatever happens."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import User
from orgadmin.audit.models import Entry
from orgadmin.audit.selectors import acts_of, with_outcomes
from orgadmin.inventory.models import Member
from orgadmin.jobs import services as jobs
from orgadmin.jobs.models import Job
from orgadmin.jobs.services import job_cancel, job_retry
from orgadmin.openrouter import keys as upstream_keys
from orgadmin.openrouter import workspace_members as upstream_places
from tests.conftest import Bells, SignIn, Sync
from tests.members.conftest import (
    at,
    begin,
    holds_guardrail,
    live,
    offboarding,
    outcomes,
    places,
    sent,
    text_of,
    workspaces,
)
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.usefixtures("quiet")


def steps(sandbox: RunningSandbox) -> list[str]:
    return [call.endpoint for call in sent(sandbox)]


def there(sandbox: RunningSandbox, member: Member) -> set[str]:
    """The workspaces in which OpenRouter has them."""
    return {row.workspace_id for row in sandbox.sandbox.account.memberships if row.user_id == member.uid}


# --- all goes well ---


def test_it_disables_their_keys_takes_the_guardrail_and_their_places(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, admin: User
) -> None:
    keys, spaces = live(leaver), workspaces(leaver.organization)[:2]
    job = begin(desk, leaver)
    bells.work()
    job.refresh_from_db()
    assert (job.state, job.title, job.actor) == ("done", "Offboard Leo Leaver", admin)
    assert outcomes(job) == {
        "Leo's laptop": ("ok", "Disabled."),
        "Leo's old one": ("skipped", "It was disabled already."),
        "Leo's robot": ("ok", "Disabled."),
        next(name for name in outcomes(job) if name.startswith("Guardrail ")): ("ok", "Taken off."),
        **{f"Workspace {row.name}": ("ok", "Removed from the workspace.") for row in spaces},
    }
    assert all(sandbox.sandbox.key(key.hash)["disabled"] for key in keys)
    assert there(sandbox, leaver) == set()
    assert places(leaver) == set()
    assert not holds_guardrail(leaver)
    assert steps(sandbox) == [
        *["PATCH /keys/{hash}"] * 2,
        "POST /guardrails/{id}/assignments/members/remove",
        *["POST /workspaces/{id}/members/remove"] * 2,
    ]
    bodies = [call.body for call in sent(sandbox)]
    assert bodies == [
        *[{"disabled": True}] * 2,
        {"member_user_ids": [leaver.uid]},
        *[{"user_ids": [leaver.uid]}] * 2,
    ]


def test_the_log_says_who_did_what_to_whom(
    desk: Client, leaver: Member, bells: Bells, sync: Sync, admin: User
) -> None:
    spaces = workspaces(leaver.organization)[:2]
    begin(desk, leaver)
    bells.work()
    acts = with_outcomes(list(acts_of(leaver.organization).filter(actor=admin)))
    assert {act.outcome for act in acts} == {"ok"}
    assert [act.entry.action for act in reversed(acts)] == [
        *["key.disable"] * 2,
        "member_assignment.delete",
        *["workspace_member.delete"] * 2,
    ]
    for act, workspace in zip(acts[:2], reversed(spaces), strict=True):
        assert act.target_id == f"{workspace.uid}/{leaver.uid}"
        assert act.target_name == f"Leo Leaver in {workspace.name}"
        assert act.before == {"workspace_uid": workspace.uid, "user_id": leaver.uid, "role": "member"}
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        sync("keys", "member-assignments", "workspace-members")
    assert not acts_of(leaver.organization).filter(actor_kind="outside", at__gt=acts[-1].at).exists()
    history = text_of(desk.get(at(leaver)))
    assert "Remove member from workspace" in history
    assert "Take guardrail off member" in history


def test_it_deletes_their_keys_once_that_was_typed(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    form = offboarding(leaver, keys="delete", confirmation="delete everything")
    response: Any = desk.post(at(leaver, "leaving", "start"), form)
    assert response.status_code == 400
    assert "This is not “delete 3”." in text_of(response)
    assert not Job.objects.exists()
    hashes = {key.hash for key in live(leaver)}
    job = begin(desk, leaver, keys="delete", confirmation=" delete  3 ")
    bells.work()
    assert {state for state, _ in outcomes(job).values()} == {"ok"}
    assert not hashes & {row["hash"] for row in sandbox.sandbox.every_key()}
    assert live(leaver) == []
    assert "Nothing is left here" in text_of(desk.get(at(leaver, "leaving")))


def test_what_was_not_asked_for_stays(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    begin(desk, leaver, guardrail=None, workspaces=None)
    bells.work()
    assert steps(sandbox) == ["PATCH /keys/{hash}"] * 2
    assert holds_guardrail(leaver)
    assert len(there(sandbox, leaver)) == 2


def test_the_jobs_page_leads_to_the_keys_and_back(desk: Client, leaver: Member, bells: Bells) -> None:
    job = begin(desk, leaver)
    assert "Follow the job" in text_of(desk.get(at(leaver, "leaving")))
    bells.work()
    text = text_of(desk.get(f"/o/acme/sync/jobs/{job.pk}/"))
    for key in live(leaver):
        assert f"/o/acme/keys/{key.hash}/" in text
    assert at(leaver, "leaving") in text


def test_keys_of_somebody_who_is_gone_are_stopped_as_well(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    Member.objects.filter(pk=leaver.pk).update(gone_at=timezone.now())
    begin(desk, leaver)
    bells.work()
    assert all(sandbox.sandbox.key(key.hash)["disabled"] for key in live(leaver))


# --- not all goes well ---


def test_one_key_that_refuses_holds_up_what_hangs_on_it_and_is_tried_again(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    robot = live(leaver)[2]
    first, second = workspaces(leaver.organization)[:2]
    sandbox.sandbox.fault(
        kind="status", status=403, message="Locked by policy", method="PATCH", path=f"/keys/{robot.hash}"
    )
    job = begin(desk, leaver)
    bells.work()
    found = outcomes(job)
    assert found["Leo's laptop"] == ("ok", "Disabled.")
    assert found["Leo's robot"] == ("failed", "Locked by policy")
    (guardrail,) = (words for name, words in found.items() if name.startswith("Guardrail"))
    assert guardrail[0] == "failed"
    assert "limits keys that could not be stopped" in guardrail[1]
    assert holds_guardrail(leaver)
    refused = found[f"Workspace {first.name}"]
    assert refused[0] == "failed"
    for words in ("active API keys", "delete them", "identity provider"):
        assert words in refused[1]
    assert found[f"Workspace {second.name}"][0] == "ok"
    text = text_of(desk.get(at(leaver, "leaving")))
    assert "Locked by policy" in text
    assert f"Workspace {first.name}" in text

    job.refresh_from_db()
    sandbox.sandbox.clear_requests()
    assert job_retry(job=job) == 3
    bells.work()
    assert {state for state, _ in outcomes(job).values()} == {"ok", "skipped"}
    assert there(sandbox, leaver) == set()
    assert len(sent(sandbox)) == 3
    assert not holds_guardrail(leaver)


def test_somebody_else_tries_the_rest_again_in_their_own_name(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, owner: User, sign_in: SignIn
) -> None:
    robot = live(leaver)[2]
    sandbox.sandbox.fault(kind="status", status=403, method="PATCH", path=f"/keys/{robot.hash}")
    first = begin(desk, leaver)
    bells.work()
    sign_in(owner).post(f"/o/acme/sync/jobs/{first.pk}/retry/", {"form_token": str(uuid.uuid4())})
    bells.work()
    again = Job.objects.latest("id")
    assert again.pk != first.pk
    assert [state for state, _ in outcomes(again).values()] == ["ok"] * 3
    assert Entry.objects.filter(target_id=robot.hash).latest("id").actor == owner
    assert "See what failed" not in text_of(desk.get(at(leaver, "leaving")))


def test_whom_an_identity_provider_put_there_stays(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    first = workspaces(leaver.organization)[0]
    sandbox.sandbox.outside.join_workspace(first.uid, leaver.uid, managed=True)
    job = begin(desk, leaver)
    bells.work()
    state, message = outcomes(job)[f"Workspace {first.name}"]
    assert state == "failed"
    assert "identity provider" in message
    assert places(leaver) == {first.uid}


LOST: list[tuple[str, dict[str, Any], str]] = [
    ("done", {"kind": "drop_after", "times": 6}, "ok"),
    ("not done", {"kind": "drop_before", "times": 6}, "failed"),
]


@pytest.mark.parametrize(("fault", "state"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_a_lost_answer_is_read_back(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, fault: dict[str, Any], state: str
) -> None:
    first = workspaces(leaver.organization)[0]
    sandbox.sandbox.fault(method="POST", path=f"/workspaces/{first.uid}/members/remove", **fault)
    job = begin(desk, leaver)
    bells.work()
    assert outcomes(job)[f"Workspace {first.name}"][0] == state
    assert (first.uid in there(sandbox, leaver)) is (state == "failed")
    last = Entry.objects.filter(target_id=f"{first.uid}/{leaver.uid}").latest("id")
    assert last.outcome == state
    if state == "failed":
        assert "still in the workspace" in last.message


def test_what_nobody_knows_is_unknown_and_settled_by_a_sync(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, sync: Sync
) -> None:
    first = workspaces(leaver.organization)[0]
    path = f"/workspaces/{first.uid}/members"
    sandbox.sandbox.fault(kind="drop_after", method="POST", path=f"{path}/remove", times=6)
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path=path, times=6)
    job = begin(desk, leaver)
    bells.work()
    assert outcomes(job)[f"Workspace {first.name}"][0] == "unknown"
    sandbox.sandbox.clear_faults()
    sync("workspace-members")
    entries = Entry.objects.filter(target_id=f"{first.uid}/{leaver.uid}")
    assert entries.latest("id").outcome == "ok"
    assert not entries.filter(actor_kind="outside", action="workspace_member.delete").exists()


def test_who_left_the_workspace_meanwhile_counts_as_removed(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells
) -> None:
    first = workspaces(leaver.organization)[0]
    job = begin(desk, leaver)
    sandbox.sandbox.outside.leave_workspace(first.uid, leaver.uid)
    bells.work()
    assert outcomes(job)[f"Workspace {first.name}"][0] == "ok"
    assert places(leaver) == set()


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.mark.parametrize("moment", ["before the call", "after the call"])
@pytest.mark.parametrize("step", ["key", "place"])
def test_a_killed_worker_is_taken_over_from(
    desk: Client,
    leaver: Member,
    sandbox: RunningSandbox,
    bells: Bells,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    step: str,
) -> None:
    module, name = (upstream_keys, "update") if step == "key" else (upstream_places, "remove")
    act: Callable[..., Any] = getattr(module, name)

    def killed(*args: Any, **fields: Any) -> Any:
        if moment == "after the call":
            act(*args, **fields)
        raise Killed

    job = begin(desk, leaver)
    with monkeypatch.context() as doomed:
        doomed.setattr(module, name, killed)
        with pytest.raises(Killed):
            bells.work()
    job.refresh_from_db()
    assert job.is_open
    jobs.sweep()
    bells.work()
    job.refresh_from_db()
    assert job.state == "done"
    assert not {state for state, _ in outcomes(job).values()} - {"ok", "skipped"}
    assert there(sandbox, leaver) == set()
    assert all(sandbox.sandbox.key(key.hash)["disabled"] for key in live(leaver))
    began = job.created_at
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        sync("keys", "workspace-members")
        acts = with_outcomes(list(acts_of(leaver.organization).filter(at__gt=began)))
        assert {act.outcome for act in acts} == {"ok"}
        assert {act.entry.actor_kind for act in acts} == {"person"}


def test_a_cancelled_job_stops_before_the_next_thing(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begin(desk, leaver)
    update = upstream_keys.update

    def cancel_meanwhile(*args: Any, **fields: Any) -> Any:
        found = update(*args, **fields)
        job_cancel(job=job)
        return found

    monkeypatch.setattr(upstream_keys, "update", cancel_meanwhile)
    bells.work()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert len(sent(sandbox)) == 1
    assert holds_guardrail(leaver)
    assert "Start offboarding" in text_of(desk.get(at(leaver, "leaving")))
