"""Members see and manage only the keys that are theirs at OpenRouter."""

from __future__ import annotations

from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.jobs.models import Job
from orgadmin.keys.models import Rotation
from tests.conftest import SignIn, Sync, person
from tests.keys.conftest import form_in, hashes, key_form, secret_in, sent, shown, text_of
from tests.sandbox_server import RunningSandbox

LIST = "/o/acme/keys/"
CREATE = f"{LIST}create/"


@pytest.fixture
def theirs(member: User, sign_in: SignIn, sandbox: RunningSandbox) -> Client:
    """The member's browser."""
    sandbox.sandbox.clear_requests()
    return sign_in(member)


def own(organization: Organization, user: User) -> list[Key]:
    return list(
        Key.objects.filter(organization=organization, owner__email__iexact=user.email).order_by(
            "sort_name", "id"
        )
    )


def test_they_see_their_own_keys(theirs: Client, member: User, synced: Organization) -> None:
    mine = own(synced, member)
    assert 0 < len(mine) < 40
    page = theirs.get(LIST)
    assert shown(page) == hashes(mine)
    assert f"1–{len(mine)} of {len(mine)} keys" in text_of(page)
    assert "40" not in text_of(page).partition("<main")[2].partition("</h1>")[2][:300]


def test_a_search_for_others_keys_finds_nothing(theirs: Client, member: User, synced: Organization) -> None:
    other = Key.objects.exclude(pk__in=[key.pk for key in own(synced, member)]).exclude(owner=None)[0]
    assert other.owner is not None
    for asked in ({"q": other.hash}, {"q": other.name}, {"owner": other.owner.uid}, {"owner": "none"}):
        assert set(shown(theirs.get(LIST, asked))) <= set(hashes(own(synced, member)))


def test_every_address_of_anothers_key_is_404(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    others = Key.objects.filter(organization=synced).exclude(pk__in=[key.pk for key in own(synced, member)])
    for key in (others.exclude(owner=None)[0], others.filter(owner=None)[0]):
        for part in ("", "edit/", "delete/", "rotate/"):
            assert theirs.get(f"{LIST}{key.hash}/{part}").status_code == 404, part
        for part in ("edit/", "delete/", "rotate/", "disable/", "enable/"):
            posted = {**key_form(synced), "confirmation": key.name}
            assert theirs.post(f"{LIST}{key.hash}/{part}", posted).status_code == 404, part
    assert sent(sandbox) == []


def test_their_own_they_open_edit_disable_and_delete(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    key = next(key for key in own(synced, member) if not key.disabled)
    address = f"{LIST}{key.hash}/"
    assert theirs.get(address).status_code == 200
    edit = f"{address}edit/"
    assert theirs.post(edit, {**form_in(theirs.get(edit), edit), "name": "mine"}).status_code == 302
    assert theirs.post(f"{address}disable/").status_code == 302
    assert theirs.post(f"{address}delete/", {"confirmation": "mine"}).status_code == 302
    assert [call.method for call in sent(sandbox)] == ["PATCH", "PATCH", "DELETE"]


def test_what_they_create_is_theirs(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    form = form_in(theirs.get(CREATE), CREATE)
    uid = Member.objects.get(organization=synced, email__iexact=member.email).uid
    assert form["creator"] == uid
    secret_in(theirs.post(CREATE, {**form, "name": "made by myself"}))
    assert sent(sandbox)[0].body["creator_user_id"] == uid
    assert Key.objects.get(name="made by myself").hash in shown(theirs.get(LIST))


def test_nobody_elses_and_nobodys_key_can_they_create(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    other = Member.objects.filter(organization=synced).exclude(email__iexact=member.email)[0]
    form = form_in(theirs.get(CREATE), CREATE)
    for creator in (other.uid, "", "user_nobody"):
        assert theirs.post(CREATE, {**form, "name": "not mine", "creator": creator}).status_code == 400
    without = {name: value for name, value in form.items() if name != "creator"}
    assert theirs.post(CREATE, {**without, "name": "not mine"}).status_code == 400
    assert sent(sandbox) == []


def test_they_create_only_where_they_hold_a_key_or_in_the_default_workspace(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    Key.objects.filter(owner__email__iexact=member.email, workspace__slug="research").update(owner=None)
    Organization.objects.filter(pk=synced.pk).update(
        default_workspace_uid=Workspace.objects.get(organization=synced, slug="default").uid
    )
    page = text_of(theirs.get(CREATE))
    assert ">Production<" in page
    assert ">Research<" not in page
    research = Workspace.objects.get(organization=synced, slug="research").uid
    form = {**form_in(theirs.get(CREATE), CREATE), "name": "elsewhere", "workspace": research}
    assert theirs.post(CREATE, form).status_code == 400
    assert sent(sandbox) == []


def test_they_rotate_their_own_and_the_successor_is_theirs(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox, desk: Client
) -> None:
    key = next(key for key in own(synced, member) if not key.disabled)
    rotate = f"{LIST}{key.hash}/rotate/"
    secret_in(theirs.post(rotate, form_in(theirs.get(rotate), rotate)))
    assert sent(sandbox)[0].body["creator_user_id"] == key.creator_user_id
    assert key.name in text_of(theirs.get(f"{LIST}rotations/"))

    foreign = next(row for row in Key.objects.filter(organization=synced, owner=None))
    rotate = f"{LIST}{foreign.hash}/rotate/"
    secret_in(desk.post(rotate, form_in(desk.get(rotate), rotate)))
    newest = Key.objects.latest("id").predecessions.get()
    assert foreign.name not in text_of(theirs.get(f"{LIST}rotations/"))
    assert theirs.get(f"{LIST}rotations/{newest.pk}/").status_code == 404
    assert theirs.post(f"{LIST}rotations/{newest.pk}/retire/", {"still_used": "1"}).status_code == 404


def test_a_successor_that_an_administrator_gave_to_somebody_else_is_not_theirs_to_see(
    theirs: Client, desk: Client, admin: User, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    key = next(key for key in own(synced, member) if not key.disabled)
    foreign = Key.objects.filter(organization=synced, gone_at=None, owner=None)[0]
    Key.objects.filter(pk=foreign.pk).update(name="secret project", usage=Decimal("4321.99"))
    rotation = Rotation.objects.create(organization=synced, old=key, new=foreign, started_by=admin)
    page = f"{LIST}rotations/{rotation.pk}/"
    pages = (page, f"{LIST}{key.hash}/", f"{LIST}rotations/")
    for address in pages:
        hidden, told = text_of(theirs.get(address)), text_of(desk.get(address))
        assert "secret project" in told
        assert "a key of somebody else" in hidden.lower()
        for detail in ("secret project", foreign.hash, foreign.label, "$4,321.99"):
            assert detail not in hidden, (address, detail)
    refused = text_of(theirs.post(f"{page}retire/"))
    assert "secret project" not in refused
    assert theirs.post(f"{page}retire/", {"still_used": "1"}).status_code == 302
    assert sandbox.sandbox.key(key.hash)["disabled"]


def test_they_see_their_own_jobs_only(
    theirs: Client, desk: Client, synced: Organization, member: User
) -> None:
    desk.post(f"{LIST}bulk/start/", {"action": "disable", "selected": hashes(own(synced, member))})
    job = Job.objects.get()
    assert theirs.get(f"/o/acme/sync/jobs/{job.pk}/").status_code == 404
    assert theirs.post(f"/o/acme/sync/jobs/{job.pk}/cancel/").status_code == 404


def test_the_history_of_their_key_does_not_lead_into_the_log(
    theirs: Client, desk: Client, synced: Organization, member: User
) -> None:
    key = next(key for key in own(synced, member) if not key.disabled)
    desk.post(f"{LIST}{key.hash}/disable/")
    page = text_of(theirs.get(f"{LIST}{key.hash}/"))
    assert "Disable key" in page
    assert "/audit-log/" not in page


@pytest.mark.parametrize("verified", [True, False])
def test_only_a_verified_address_proves_who_they_are(
    synced: Organization, sign_in: SignIn, verified: bool
) -> None:
    address = Member.objects.filter(organization=synced, keys__gone_at=None)[0].email
    user = User.objects.create_user(address.upper(), "correct-horse-battery")
    EmailAddress.objects.create(user=user, email=address.upper(), verified=verified, primary=True)
    Membership.objects.create(organization=synced, user=user, role=Role.MEMBER)
    browser = sign_in(user)
    assert bool(shown(browser.get(LIST))) is verified
    page = text_of(browser.get(CREATE))
    assert ("Nobody to make it for" in page) is not verified
    if not verified:
        assert browser.post(CREATE, key_form(synced)).status_code == 400


def test_a_second_verified_address_counts_too(synced: Organization, sign_in: SignIn) -> None:
    address = Member.objects.filter(organization=synced, keys__gone_at=None)[0].email
    user = person("private@elsewhere.test", synced, Role.MEMBER)
    assert shown(sign_in(user).get(LIST)) == []
    EmailAddress.objects.create(user=user, email=address, verified=True)
    assert shown(sign_in(user).get(LIST))


def test_whoever_leaves_the_account_upstream_sees_nothing_any_more(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    uid = Member.objects.get(organization=synced, email__iexact=member.email).uid
    sandbox.sandbox.outside.remove_member(uid)
    sync()
    assert shown(theirs.get(LIST)) == []


def test_another_organization_is_another_world(
    theirs: Client, member: User, synced: Organization, sandbox: RunningSandbox
) -> None:
    """The same address belongs to a member of another account; one proves nothing about the other's keys."""
    other = Organization.objects.create(name="Other", slug="other", base_url=sandbox.url)
    twin = Member.objects.create(organization=other, uid="user_twin", email=member.email)
    key = Key.objects.create(
        organization=other, hash="f" * 64, name="foreign", owner=twin, creator_user_id="user_twin"
    )
    assert theirs.get("/o/other/keys/").status_code == 404
    assert theirs.get(f"{LIST}{key.hash}/").status_code == 404
    assert key.hash not in shown(theirs.get(LIST))
