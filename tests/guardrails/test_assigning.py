"""Giving a guardrail to keys and members: what OpenRouter receives, what the log says, what is told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.audit.services import AlreadySubmitted
from orgadmin.guardrails.assigning import (
    KEYS,
    MEMBERS,
    Subject,
    guardrail_assign,
    guardrail_unassign,
    subjects_of_keys,
    subjects_of_members,
)
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Member, MemberAssignment, Workspace
from orgadmin.openrouter.errors import OpenRouterError
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def guardrail(synced: Organization, sandbox: RunningSandbox) -> Guardrail:
    """One that is no workspace's default."""
    sandbox.sandbox.clear_requests()
    defaults = Workspace.objects.values("default_guardrail_id")
    held = KeyAssignment.objects.filter(gone_at=None).values("guardrail_uid")
    found = Guardrail.objects.exclude(uid__in=defaults).filter(uid__in=held, gone_at=None)
    guardrail = found.select_related("organization").order_by("pk").first()
    assert guardrail is not None
    return guardrail


@pytest.fixture
def keys(guardrail: Guardrail) -> list[Key]:
    """One that holds nothing, one that holds another guardrail, one that holds this one."""
    held = dict(KeyAssignment.objects.filter(gone_at=None).values_list("key_hash", "guardrail_uid"))
    alive = list(Key.objects.filter(gone_at=None).order_by("pk"))
    free = next(key for key in alive if key.hash not in held)
    others = next(key for key in alive if held.get(key.hash, guardrail.uid) != guardrail.uid)
    its = next(key for key in alive if held.get(key.hash) == guardrail.uid)
    return [free, others, its]


def log() -> list[tuple[str, str, str]]:
    """Action, target and outcome of every outcome row, newest last."""
    rows = Entry.objects.exclude(about=None).order_by("id")
    return list(rows.values_list("action", "target_name", "outcome"))


def names(subjects: Sequence[Subject]) -> set[str]:
    return {subject.name for subject in subjects}


def test_who_holds_nothing_gets_it_and_who_holds_another_is_moved(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox, sync: Sync
) -> None:
    free, other, its = keys
    said = guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys(keys))
    assert names(said.done) == {key.name for key in keys}
    assert (said.failed, said.unknown) == ([], [])
    counts = sandbox.sandbox.requests().counts
    assert counts["POST /guardrails/{id}/assignments/keys"] == 1
    assert log() == [
        ("key_assignment.create", free.name, "ok"),
        ("key_assignment.update", other.name, "ok"),
    ]
    held = dict(KeyAssignment.objects.filter(gone_at=None).values_list("key_hash", "guardrail_uid"))
    assert {held[key.hash] for key in keys} == {guardrail.uid}
    sync()
    assert not Entry.objects.filter(actor_kind="outside").exists()
    assert its.name not in {name for _, name, _ in log()}


def test_taking_it_off(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox, sync: Sync
) -> None:
    free, _, its = keys
    said = guardrail_unassign(
        actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys([free, its])
    )
    assert names(said.done) == {free.name, its.name}
    assert log() == [("key_assignment.delete", its.name, "ok")]
    assert not KeyAssignment.objects.filter(key_hash=its.hash, gone_at=None).exists()
    sync()
    assert not Entry.objects.filter(actor_kind="outside").exists()


def test_two_hundred_members_take_the_fewest_calls(
    admin: User, guardrail: Guardrail, sandbox: RunningSandbox
) -> None:
    MemberAssignment.objects.all().delete()
    members = list(Member.objects.filter(gone_at=None))
    strangers = [Subject(f"user_stranger_{number}", f"Stranger {number}") for number in range(150)]
    said = guardrail_assign(
        actor=admin,
        guardrail=guardrail,
        side=MEMBERS,
        subjects=[*subjects_of_members(members), *strangers],
    )
    wanted = len(members) + len(strangers)
    assert sandbox.sandbox.requests().counts["POST /guardrails/{id}/assignments/members"] == -(-wanted // 100)
    assert names(said.done) == {str(member) for member in members}
    assert names([subject for subject, _ in said.failed]) == names(strangers)
    assert all("did not assign" in why for _, why in said.failed)
    outcomes = [outcome for _, _, outcome in log()]
    assert (outcomes.count("ok"), outcomes.count("failed")) == (len(members), len(strangers))


def test_a_refusal_changes_nothing_and_is_told(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, path="/guardrails/*", message="Not here.", times=9)
    with pytest.raises(OpenRouterError, match="Not here"):
        guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys(keys))
    assert {outcome for _, _, outcome in log()} == {"failed"}
    assert KeyAssignment.objects.get(key_hash=keys[1].hash).guardrail_uid != guardrail.uid


def test_an_answer_that_is_lost_is_looked_up(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="drop_after", path="/guardrails/*", method="POST", times=1)
    said = guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys(keys))
    assert sandbox.sandbox.requests().counts["POST /guardrails/{id}/assignments/keys"] == 1
    assert names(said.done) == {key.name for key in keys}
    assert {outcome for _, _, outcome in log()} == {"ok"}


def test_what_nobody_can_look_up_is_unknown_until_a_pull_knows(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="status", status=503, path="/guardrails/*", method="GET", times=9)
    said = guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects_of_keys(keys[:2]))
    assert names(said.unknown) == {key.name for key in keys[:2]}
    assert {outcome for _, _, outcome in log()} == {"unknown"}
    sandbox.sandbox.clear_faults()
    sync()
    assert not Entry.objects.filter(actor_kind="outside").exists()
    assert [outcome for _, _, outcome in log()].count("ok") == 2


def test_a_form_that_is_sent_twice_acts_once(
    admin: User, guardrail: Guardrail, keys: list[Key], sandbox: RunningSandbox
) -> None:
    token = uuid.uuid4()
    subjects = subjects_of_keys(keys[:1])
    guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects, form_token=token)
    KeyAssignment.objects.filter(key_hash=keys[0].hash).delete()
    with pytest.raises(AlreadySubmitted):
        guardrail_assign(actor=admin, guardrail=guardrail, side=KEYS, subjects=subjects, form_token=token)
    assert sandbox.sandbox.requests().counts["POST /guardrails/{id}/assignments/keys"] == 1
