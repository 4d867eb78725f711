"""The page of somebody who leaves: everything they still hold, whoever may see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from orgadmin.inventory import guardrails
from orgadmin.inventory.models import Key, Member, WorkspaceMember
from orgadmin.jobs.services import NewJob, job_start
from orgadmin.keys.models import Rotation
from tests.conftest import SignIn, Sync, person
from tests.members.conftest import at, live, text_of, workspaces
from tests.sandbox_server import RunningSandbox
from tests.usage.conftest import Pull, pull, pulled

__all__ = ["pull", "pulled"]


def page(browser: Client, member: Member) -> str:
    response: Any = browser.get(at(member, "leaving"))
    assert response.status_code == 200
    return text_of(response)


def test_it_shows_all_they_hold(desk: Client, leaver: Member) -> None:
    text = page(desk, leaver)
    spaces = workspaces(leaver.organization)
    for key in live(leaver):
        assert f"/o/acme/keys/{key.hash}/" in text
    assert "3 they own: 2 may work, 1 disabled, 0 expired" in text
    for workspace in spaces[:2]:
        assert f"/o/acme/workspaces/{workspace.uid}/" in text
    held = guardrails.of_members(leaver.organization, [leaver.uid])[leaver.uid]
    assert f"/o/acme/guardrails/{held.uid}/" in text
    assert f"Take off the guardrail “{held.name}”" in text
    assert "Remove them from 2 workspaces" in text
    for words in ("openrouter.ai", "SCIM", "Nobody signs in here with leo@house.test"):
        assert words in text


def test_it_says_how_many_others_may_use_a_key(desk: Client, leaver: Member) -> None:
    first = workspaces(leaver.organization)[0]
    others = WorkspaceMember.objects.filter(workspace_uid=first.uid, gone_at=None).exclude(user_id=leaver.uid)
    assert others.count() > 1
    assert f"{first.name}, shared with {others.count()} others" in page(desk, leaver)


def test_it_shows_what_keys_spent_in_30_days_and_when_they_were_used(
    desk: Client, synced: Organization, leaver: Member, pulled: Pull
) -> None:
    busy = max(
        Member.objects.filter(organization=synced), key=lambda row: sum(k.usage for k in row.keys.all())
    )
    assert "Use was not pulled yet" in page(desk, busy)
    for kind in ("activity", "today"):
        pulled(kind)
    text = page(desk, busy)
    assert "Use was not pulled yet" not in text
    used = max(live(busy), key=lambda key: key.usage)
    row = text[text.index(f"/o/acme/keys/{used.hash}/") :].split("</tr>")[0]
    assert '<span class="money"' in row
    assert "$0.00" not in row
    assert "<time" in row


def test_it_names_their_account_here_and_how_to_take_it_away(
    leaver: Member, owner: User, admin: User, sign_in: SignIn
) -> None:
    person("LEO@house.test", leaver.organization, Role.MEMBER)
    account = Membership.objects.get(organization=leaver.organization, user__email__iexact=leaver.email)
    text = page(sign_in(owner), leaver)
    assert "create keys again" in text
    assert f"/o/acme/settings/people/{account.pk}/remove/" in text
    text = page(sign_in(admin), leaver)
    assert "An owner removes them" in text
    assert f"/o/acme/settings/people/{account.pk}/remove/" not in text


def test_somebody_elses_account_is_not_told(desk: Client, leaver: Member) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url="http://127.0.0.1:1")
    person("leo@house.test", other, Role.OWNER)
    assert "Nobody signs in here with leo@house.test" in page(desk, leaver)


def test_an_open_invitation_is_a_way_back_in(desk: Client, leaver: Member, owner: User) -> None:
    Invitation.objects.create(
        organization=leaver.organization,
        email="Leo@House.test",
        role=Role.ADMIN,
        token_hash="1" * 64,
        invited_by=owner,
        expires_at=timezone.now() + timedelta(days=1),
    )
    assert "An invitation as admin is open" in page(desk, leaver)


def test_it_shows_their_jobs_and_rotations(desk: Client, leaver: Member, admin: User) -> None:
    user = person("leo@house.test", leaver.organization, Role.MEMBER)
    new = NewJob(kind="keys.disable", title="Disable 7 keys", targets=[("0" * 64, "x")], params={})
    job = job_start(actor=user, organization=leaver.organization, new=new)
    old, _, other = live(leaver)
    rotation = Rotation.objects.create(organization=leaver.organization, old=old, new=other, started_by=admin)
    text = page(desk, leaver)
    assert f"/o/acme/sync/jobs/{job.pk}/" in text
    assert f"/o/acme/keys/rotations/{rotation.pk}/" in text
    rotation.retired_at = timezone.now()
    rotation.save()
    assert f"/o/acme/keys/rotations/{rotation.pk}/" not in page(desk, leaver)


def test_who_left_already_is_found_by_the_list_and_has_the_page(
    desk: Client, leaver: Member, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.remove_member(leaver.uid)
    sync("members", "keys")
    listed = text_of(desk.get("/o/acme/members/?gone=1"))
    assert at(leaver, "leaving") in listed
    text = page(desk, leaver)
    assert "left the organization" in text
    still = [key for key in live(leaver) if not key.disabled]
    assert (f"{len(still)} keys of theirs still work" if still else "No key of theirs works") in text
    assert "Remove Leo Leaver from the organization" not in text


def test_who_holds_nothing_has_nothing_to_start(desk: Client, synced: Organization) -> None:
    nobody = Member.objects.create(organization=synced, uid="user_nobody", email="no@house.test")
    text = page(desk, nobody)
    assert "Nothing is left here" in text
    assert "Start offboarding" not in text


@pytest.mark.parametrize("lacking", ["members", "workspace_members", "member_assignments"])
def test_what_the_account_lacks_is_said(desk: Client, leaver: Member, lacking: str) -> None:
    organization = leaver.organization
    organization.capabilities = {**organization.capabilities, lacking: False}
    organization.save()
    text = page(desk, leaver)
    detail = text_of(desk.get(at(leaver)))
    if lacking == "members":
        assert "This is a personal account now" in text
        assert "Remove Leo Leaver from the organization" not in text
    if lacking == "workspace_members":
        for shown in (text, detail):
            assert "does not tell here who is in a workspace" in shown
    if lacking == "member_assignments":
        assert "does not tell here which member holds a guardrail" in detail


def test_only_whoever_may_change_sees_it(leaver: Member, viewer: User, member: User, sign_in: SignIn) -> None:
    for user in (viewer, member):
        browser = sign_in(user)
        assert browser.get(at(leaver, "leaving")).status_code == 403
        assert browser.post(at(leaver, "leaving", "start")).status_code == 403
    assert "Offboard" not in text_of(sign_in(viewer).get(at(leaver)))
    assert at(leaver) in text_of(sign_in(viewer).get("/o/acme/members/"))


def test_another_organizations_member_is_not_there(desk: Client, synced: Organization) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url="http://127.0.0.1:1")
    theirs = Member.objects.create(organization=other, uid="user_theirs", email="t@beta.test")
    assert desk.get(at(theirs, "leaving")).status_code == 404
    assert desk.post(at(theirs, "leaving", "start")).status_code == 404


def test_it_asks_as_often_for_many_keys_as_for_few(desk: Client, leaver: Member) -> None:
    page(desk, leaver)
    with CaptureQueriesContext(connection) as few:
        page(desk, leaver)
    Key.objects.bulk_create(
        Key(
            organization=leaver.organization,
            owner=leaver,
            hash=f"{n:064x}",
            name=f"Many {n}",
            creator_user_id=leaver.uid,
            workspace_uid=live(leaver)[0].workspace_uid,
        )
        for n in range(80)
    )
    with CaptureQueriesContext(connection) as many:
        text = page(desk, leaver)
    assert len(many) == len(few)
    assert "All 83 of their keys" in text
    assert len(few) <= 19, [query["sql"][:90] for query in few]
