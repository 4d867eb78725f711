"""The work of a bulk job: an outcome for each key, whatever happens in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from orgadmin.audit.selectors import acts_of, with_outcomes
from orgadmin.inventory.models import Key
from orgadmin.jobs import services as jobs
from orgadmin.jobs.models import Job
from orgadmin.jobs.services import job_cancel, job_retry
from orgadmin.keys import bulk, services
from orgadmin.openrouter import keys as upstream
from tests.conftest import Bells, SignIn, Sync
from tests.keys.conftest import hashes, live_keys, sent, text_of
from tests.sandbox_server import RunningSandbox

START = "/o/acme/keys/bulk/start/"
Begin = Callable[..., Job]


@pytest.fixture
def begin(desk: Client, sandbox: RunningSandbox) -> Begin:
    """Start a job at the desk (or in another browser) over the keys."""
    sandbox.sandbox.clear_requests()

    def start(action: str, keys: list[Key], browser: Client = desk, **fields: Any) -> Job:
        form = {"action": action, "selected": hashes(keys), "form_token": str(uuid.uuid4()), **fields}
        response: Any = browser.post(START, form)
        assert response.status_code == 302, response.content
        return Job.objects.latest("id")

    return start


def outcomes(job: Job) -> dict[str, tuple[str, str]]:
    """Key hash to state and message."""
    return {item.target_id: (item.state, item.message) for item in job.items.all()}


def states(job: Job, keys: list[Key]) -> list[str]:
    found = outcomes(job)
    return [found[key.hash][0] for key in keys]


def three(organization: Organization) -> list[Key]:
    """Three live keys in the order a job takes them."""
    return sorted(live_keys(organization)[:3], key=lambda key: (key.sort_name, key.pk))


def test_it_disables_and_enables(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells, admin: User
) -> None:
    keys = three(synced)
    for action, disabled in (("disable", True), ("enable", False)):
        job = begin(action, keys)
        bells.work()
        job.refresh_from_db()
        assert job.state == "done"
        assert outcomes(job) == {key.hash: ("ok", f"{action.capitalize()}d.") for key in keys}
        assert [sandbox.sandbox.key(key.hash)["disabled"] for key in keys] == [disabled] * 3
        assert Key.objects.filter(pk__in=[key.pk for key in keys], disabled=disabled).count() == 3
    acts = Entry.objects.filter(organization=synced, outcome="ok")
    assert [entry.actor for entry in acts] == [admin] * 6
    assert {entry.action for entry in acts} == {"key.disable", "key.enable"}


def test_it_sets_a_limit_with_its_window_and_takes_it_away(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    keys = three(synced)
    begin("limit", keys, limit="1,250.50", limit_reset="monthly", blocks_anyway="on")
    bells.work()
    assert [call.body for call in sent(sandbox)] == [{"limit": 1250.5, "limit_reset": "monthly"}] * 3
    assert [
        (row["limit"], row["limit_reset"]) for row in (sandbox.sandbox.key(key.hash) for key in keys)
    ] == [(1250.5, "monthly")] * 3
    begin("limit", keys, limit="", remove="on")
    bells.work()
    assert [sandbox.sandbox.key(key.hash)["limit"] for key in keys] == [None] * 3


def test_it_deletes(begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells) -> None:
    keys = three(synced)
    job = begin("delete", keys, confirmation="delete 3")
    bells.work()
    assert states(job, keys) == ["ok"] * 3
    left = {row["hash"] for row in sandbox.sandbox.every_key()}
    assert not left.intersection(hashes(keys))
    assert Key.objects.filter(organization=synced).exclude(gone_at=None).count() == 3


def test_what_needs_nothing_is_skipped_and_not_sent(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    disabled = Key.objects.filter(organization=synced, disabled=True)[0]
    live = three(synced)[0]
    job = begin("disable", [disabled, live])
    bells.work()
    assert outcomes(job)[disabled.hash] == ("skipped", "It was disabled already.")
    assert len(sent(sandbox)) == 1


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("refused", {"kind": "status", "status": 403, "message": "Locked by policy"}, "failed"),
    ("gone", {"kind": "status", "status": 404, "message": "API key not found"}, "failed"),
    ("lost but done", {"kind": "drop_after", "times": 6}, "ok"),
    ("lost and not done", {"kind": "drop_before", "times": 6}, "failed"),
    ("slow down", {"kind": "status", "status": 429}, "ok"),
    ("overloaded", {"kind": "status", "status": 503, "times": 2}, "ok"),
    ("html", {"kind": "html", "status": 502, "times": 2}, "ok"),
]


@pytest.mark.parametrize(("fault", "state"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_fault_in_between_is_the_outcome_of_one_key(
    begin: Begin,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    fault: dict[str, Any],
    state: str,
) -> None:
    keys = three(synced)
    sandbox.sandbox.fault(method="PATCH", path=f"/keys/{keys[1].hash}", **fault)
    job = begin("disable", keys)
    bells.work()
    job.refresh_from_db()
    assert states(job, keys) == ["ok", state, "ok"]
    assert job.state == "done"
    if "message" in fault:
        assert outcomes(job)[keys[1].hash][1] == fault["message"]


def test_what_nobody_knows_is_said_to_be_unknown_and_settled_by_a_sync(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells, sync: Sync
) -> None:
    keys = three(synced)
    path = f"/keys/{keys[1].hash}"
    sandbox.sandbox.fault(kind="drop_after", method="PATCH", path=path, times=6)
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path=path, times=6)
    job = begin("disable", keys)
    bells.work()
    assert states(job, keys) == ["ok", "unknown", "ok"]
    sync("keys")
    assert Entry.objects.filter(target_id=keys[1].hash).latest("id").outcome == "ok"
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_what_failed_can_be_tried_again_and_the_rest_is_left_alone(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    keys = three(synced)
    sandbox.sandbox.fault(kind="status", status=403, method="PATCH", path=f"/keys/{keys[1].hash}")
    job = begin("disable", keys)
    bells.work()
    sandbox.sandbox.clear_requests()
    job.refresh_from_db()
    assert job_retry(job=job) == 1
    bells.work()
    assert states(job, keys) == ["ok"] * 3
    assert [call.path.rsplit("/", 1)[-1] for call in sent(sandbox)] == [keys[1].hash]


def test_a_cancelled_job_stops_before_the_next_key(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = three(synced)
    job = begin("disable", keys)
    update = upstream.update

    def cancel_meanwhile(*args: Any, **fields: Any) -> upstream.Key:
        found = update(*args, **fields)
        job_cancel(job=job)
        return found

    monkeypatch.setattr(upstream, "update", cancel_meanwhile)
    bells.work()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert states(job, keys)[0] == "ok"
    assert len(sent(sandbox)) == 1
    assert [sandbox.sandbox.key(key.hash)["disabled"] for key in keys] == [True, False, False]


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.mark.parametrize("moment", ["before the call", "after the call"])
def test_a_job_whose_worker_was_killed_goes_on_where_it_stopped(
    begin: Begin,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    sync: Sync,
) -> None:
    keys = three(synced)
    job = begin("disable", keys)
    update, calls = upstream.update, iter(range(99))

    def killed_at_the_second(*args: Any, **fields: Any) -> upstream.Key:
        is_second = next(calls) == 1
        if is_second and moment == "before the call":
            raise Killed
        found = update(*args, **fields)
        if is_second:
            raise Killed
        return found

    with monkeypatch.context() as doomed:
        doomed.setattr(upstream, "update", killed_at_the_second)
        with pytest.raises(Killed):
            bells.work()
    job.refresh_from_db()
    assert job.state == "running"
    assert states(job, keys) == ["ok", "pending", "pending"]

    jobs.sweep()
    bells.work()
    job.refresh_from_db()
    assert job.state == "done"
    assert states(job, keys) == ["ok"] * 3
    assert [sandbox.sandbox.key(key.hash)["disabled"] for key in keys] == [True] * 3
    per_key = [call.path.rsplit("/", 1)[-1] for call in sent(sandbox)]
    assert per_key.count(keys[0].hash) == per_key.count(keys[2].hash) == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        sync("keys")
        assert [act.outcome for act in with_outcomes(list(acts_of(synced)))] == ["ok"] * 4
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_a_key_deleted_meanwhile_is_skipped(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, sync: Sync, bells: Bells
) -> None:
    keys = three(synced)
    job = begin("delete", keys, confirmation="delete 3")
    sandbox.sandbox.outside.delete_key(keys[1].hash)
    for run in list(bells.pulls):
        bells.pulls.remove(run)
    sync("keys")
    bells.work()
    assert outcomes(job)[keys[1].hash] == ("skipped", "The key no longer exists.")


def test_an_error_of_our_own_is_the_outcome_of_one_key(
    begin: Begin, synced: Organization, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = three(synced)
    job = begin("disable", keys)
    switch = services.key_set_disabled

    def trip(**fields: Any) -> None:
        if fields["key"].hash == keys[1].hash:
            raise ZeroDivisionError
        switch(**fields)

    monkeypatch.setattr(bulk, "key_set_disabled", trip)
    bells.work()
    assert states(job, keys) == ["ok", "failed", "ok"]
    assert "It was logged." in outcomes(job)[keys[1].hash][1]


def test_what_is_deleted_is_deleted_whatever_our_database_says(
    begin: Begin,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    sync: Sync,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = three(synced)
    job = begin("delete", keys, confirmation="delete 3")

    def fail(key: Key) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("orgadmin.keys.services.delete.mark_gone", fail)
        bells.work()
    assert outcomes(job) == {key.hash: ("ok", "Deleted.") for key in keys}
    sync("keys")
    assert Key.objects.filter(organization=synced).exclude(gone_at=None).count() == 3
    assert not Entry.objects.filter(actor_kind="outside").exists()


# --- permission, as it stands when the work is done ---


def test_whoever_left_meanwhile_changes_nothing(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells, admin: User
) -> None:
    job = begin("disable", three(synced))
    Membership.objects.filter(user=admin).delete()
    bells.work()
    assert {state for state, _ in outcomes(job).values()} == {"skipped"}
    assert sent(sandbox) == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
@pytest.mark.parametrize("action", ["disable", "limit", "delete"])
def test_whoever_may_no_longer_change_others_keys_changes_none_of_them(
    begin: Begin,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    admin: User,
    role: str,
    action: str,
) -> None:
    fields = (
        {"limit": "1", "blocks_anyway": "on"}
        if action == "limit"
        else {"confirmation": "delete 3"}
        if action == "delete"
        else {}
    )
    job = begin(action, three(synced), **fields)
    Membership.objects.filter(user=admin).update(role=role)
    bells.work()
    assert {state for state, _ in outcomes(job).values()} == {"skipped"}
    assert sent(sandbox) == []


def test_a_members_job_cannot_enable_what_an_administrator_disabled(
    begin: Begin,
    desk: Client,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    member: User,
    sign_in: SignIn,
) -> None:
    own = [key for key in live_keys(synced) if key.owner and key.owner.email.lower() == member.email][:3]
    browser = sign_in(member)
    desk.post(f"/o/acme/keys/{own[0].hash}/disable/")
    browser.post(f"/o/acme/keys/{own[1].hash}/disable/")
    sandbox.sandbox.outside.update_key(own[2].hash, disabled=True)
    begin("disable", own, browser)
    bells.work()
    job = begin("enable", own, browser)
    bells.work()
    assert outcomes(job)[own[0].hash][0] == "skipped"
    assert "An administrator disabled this key" in outcomes(job)[own[0].hash][1]
    assert outcomes(job)[own[1].hash] == ("ok", "Enabled.")
    assert outcomes(job)[own[2].hash][0] == "skipped"
    assert [sandbox.sandbox.key(key.hash)["disabled"] for key in own] == [True, False, True]


def test_the_jobs_page_shows_what_came_of_each_key(
    begin: Begin, desk: Client, synced: Organization, sandbox: RunningSandbox, bells: Bells
) -> None:
    keys = three(synced)
    sandbox.sandbox.fault(
        kind="status", status=403, message="Locked by policy", method="PATCH", path=f"/keys/{keys[1].hash}"
    )
    job = begin("disable", keys)
    bells.work()
    page = text_of(desk.get(f"/o/acme/sync/jobs/{job.pk}/"))
    assert "Locked by policy" in page
    for key in keys:
        assert f"/o/acme/keys/{key.hash}/" in page


def test_a_key_enabled_elsewhere_since_the_last_pull_is_disabled_all_the_same(
    begin: Begin, synced: Organization, sandbox: RunningSandbox, bells: Bells, sync: Sync
) -> None:
    key = three(synced)[0]
    sandbox.sandbox.outside.update_key(key.hash, disabled=True)
    sync("keys")
    sandbox.sandbox.outside.update_key(key.hash, disabled=False)

    job = begin("disable", [key])
    bells.work()

    assert outcomes(job)[key.hash] == ("ok", "Disabled.")
    assert sandbox.sandbox.key(key.hash)["disabled"]
