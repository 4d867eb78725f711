"""The form that takes everything from somebody who leaves: who may send it, when, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.inventory.models import Key, Member
from orgadmin.jobs.models import Job
from tests.conftest import Bells, SignIn, person
from tests.members.conftest import at, begin, offboarding, outcomes, sent, text_of
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.usefixtures("quiet")


def test_a_form_sent_twice_is_one_job(desk: Client, leaver: Member, bells: Bells) -> None:
    form = offboarding(leaver, workspaces=None, guardrail=None)
    answers: list[Any] = [desk.post(at(leaver, "leaving", "start"), form) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    bells.work()
    third: Any = desk.post(at(leaver, "leaving", "start"), form)
    assert third["Location"] == answers[0]["Location"]
    assert Job.objects.count() == 1


def test_nobody_starts_a_second_one_meanwhile(
    desk: Client, leaver: Member, owner: User, sign_in: SignIn
) -> None:
    job = begin(desk, leaver)
    response: Any = sign_in(owner).post(at(leaver, "leaving", "start"), offboarding(leaver))
    assert response["Location"] == f"/o/acme/sync/jobs/{job.pk}/"
    assert Job.objects.count() == 1


def test_what_changed_since_is_shown_first(desk: Client, leaver: Member) -> None:
    form = offboarding(leaver, keys="delete", confirmation="delete 3")
    Key.objects.create(
        organization=leaver.organization, owner=leaver, hash="f" * 64, name="New", creator_user_id=leaver.uid
    )
    form["confirmation"] = "delete 4"
    response: Any = desk.post(at(leaver, "leaving", "start"), form)
    assert response.status_code == 409
    text = text_of(response)
    assert "Nothing was done yet" in text
    assert "delete 4" in text
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"keys": "burn"}, "not one of the available choices"),
        ({"keys": None}, "Choose what becomes of their keys."),
    ],
)
def test_nonsense_starts_nothing(desk: Client, leaver: Member, fields: dict[str, Any], words: str) -> None:
    response: Any = desk.post(at(leaver, "leaving", "start"), offboarding(leaver, **fields))
    assert response.status_code == 400
    assert words in text_of(response)
    assert not Job.objects.exists()


def test_without_keys_something_must_be_chosen(desk: Client, leaver: Member) -> None:
    Key.objects.filter(owner=leaver).update(gone_at=timezone.now())
    leaver = Member.objects.select_related("organization").get(pk=leaver.pk)
    form = offboarding(leaver, keys=None, guardrail=None, workspaces=None)
    response: Any = desk.post(at(leaver, "leaving", "start"), form)
    assert response.status_code == 400
    assert "Choose what is to be taken from them." in text_of(response)


def test_it_asks_for_a_fresh_proof(desk: Client, leaver: Member) -> None:
    session = desk.session
    session[PROOF_KEY] = 0
    session.save()
    response: Any = desk.post(at(leaver, "leaving", "start"), offboarding(leaver))
    assert response.status_code == 200
    assert "password" in text_of(response)
    assert not Job.objects.exists()


def test_whoever_may_no_longer_change_anything_changes_nothing(
    desk: Client, leaver: Member, sandbox: RunningSandbox, bells: Bells, admin: User
) -> None:
    job = begin(desk, leaver)
    Membership.objects.filter(user=admin).update(role=Role.VIEWER)
    bells.work()
    assert {state for state, _ in outcomes(job).values()} == {"skipped"}
    assert sent(sandbox) == []


def test_another_organizations_job_is_not_theirs(
    desk: Client, leaver: Member, bells: Bells, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    job = begin(desk, leaver)
    other = Organization.objects.create(name="Beta", slug="beta", base_url=sandbox.url)
    stranger = sign_in(person("bob@beta.test", other, Role.OWNER))
    assert stranger.get(f"/o/beta/members/{leaver.uid}/leaving/").status_code == 404
    assert stranger.post(f"/o/beta/members/{leaver.uid}/leaving/start/").status_code == 404
    assert stranger.get(f"/o/beta/sync/jobs/{job.pk}/").status_code == 404
