from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory.models import Key, Lease, SyncRun
from orgadmin.inventory.nouns import NOUNS
from orgadmin.sandbox.app import Options
from tests.conftest import PASSWORD, Bells, SignIn
from tests.connections.conftest import entry_text, last_entry
from tests.sandbox_server import RunningSandbox, running_sandbox

ADDRESS = "/organizations/new/"
Form = dict[str, str]


def test_it_connects_and_leads_to_the_keys(
    staff: User, sandbox: RunningSandbox, form_data: Form, sign_in: SignIn, bells: Bells
) -> None:
    answer = sign_in(staff).post(ADDRESS, form_data)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("keys:list", kwargs={"organization": "beacon-labs"})
    made = Organization.objects.get(slug="beacon-labs")
    assert made.management_key is not None
    assert made.management_key.reveal() == sandbox.sandbox.management_key
    assert made.key_hash == hashlib.sha256(sandbox.sandbox.management_key.encode()).hexdigest()
    assert made.key_label == sandbox.sandbox.account.management_label
    assert made.default_workspace_uid == sandbox.sandbox.account.workspaces.default_id
    assert made.capabilities["members"] is True
    assert made.capabilities["upstream_organization_id"].startswith("org_")
    assert Membership.objects.get(organization=made).role == Role.OWNER
    assert set(SyncRun.objects.values_list("kind", "requested_by")) == {(kind, staff.pk) for kind in NOUNS}
    bells.work()
    assert Key.objects.filter(organization=made).count() > 30


def test_it_writes_the_audit_without_the_key(
    staff: User, sandbox: RunningSandbox, form_data: Form, sign_in: SignIn
) -> None:
    sign_in(staff).post(ADDRESS, form_data)
    entry = last_entry("organization.connect")
    assert entry.actor == staff
    assert entry.after is not None
    assert entry.after["base_url"] == sandbox.url
    assert sandbox.sandbox.management_key not in entry_text(entry)


def test_a_sandbox_without_members_is_a_personal_account(
    staff: User, form_data: Form, sign_in: SignIn
) -> None:
    with running_sandbox(
        Options(seed=11, keys=3, members=2, workspaces=1, days=5, personal=True)
    ) as personal:
        data = {**form_data, "base_url": personal.url, "management_key": personal.sandbox.management_key}
        assert sign_in(staff).post(ADDRESS, data).status_code == 302
    made = Organization.objects.get()
    assert made.capabilities == {"members": False}


def test_the_only_workspace_is_the_default_one(staff: User, form_data: Form, sign_in: SignIn) -> None:
    with running_sandbox(Options(seed=12, keys=0, members=2, workspaces=1, days=5)) as empty:
        empty.sandbox.fault(kind="status", status=404, path="/workspaces/default")
        data = {**form_data, "base_url": empty.url, "management_key": empty.sandbox.management_key}
        sign_in(staff).post(ADDRESS, data)
        assert Organization.objects.get().default_workspace_uid == empty.sandbox.account.workspaces.default_id


def test_it_leaves_the_default_workspace_open_when_nobody_can_tell(
    staff: User, form_data: Form, sign_in: SignIn
) -> None:
    with running_sandbox(Options(seed=13, keys=0, members=2, workspaces=3, days=5)) as empty:
        empty.sandbox.fault(kind="status", status=404, path="/workspaces/default")
        data = {**form_data, "base_url": empty.url, "management_key": empty.sandbox.management_key}
        sign_in(staff).post(ADDRESS, data)
        assert Organization.objects.get().default_workspace_uid == ""


def test_it_refuses_an_inference_key_with_words_that_help(
    staff: User, sandbox: RunningSandbox, form_data: Form, sign_in: SignIn
) -> None:
    answer = sign_in(staff).post(ADDRESS, {**form_data, "management_key": sandbox.sandbox.inference_key})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Settings → Management Keys" in page
    assert sandbox.sandbox.inference_key not in page
    assert "Beacon Labs" in page
    assert not Organization.objects.exists()


FAULTS = [
    ({"kind": "status", "status": 401, "path": "/key"}, "does not accept this key"),
    ({"kind": "status", "status": 403, "path": "/key"}, "refuses this key"),
    ({"kind": "status", "status": 404, "path": "/key"}, "There is no OpenRouter API at this address"),
    (
        {"kind": "status", "status": 429, "path": "/key", "headers": {"Retry-After": "30"}},
        "wants fewer calls",
    ),
    ({"kind": "status", "status": 500, "path": "/key", "headers": {"Retry-After": "30"}}, "could not answer"),
    ({"kind": "status", "status": 503, "path": "/key", "headers": {"Retry-After": "30"}}, "could not answer"),
    ({"kind": "html", "status": 200, "path": "/key"}, "not OpenRouter’s API"),
    ({"kind": "html", "path": "/key"}, "could not answer"),
    ({"kind": "truncated", "path": "/key"}, "not OpenRouter’s API"),
    ({"kind": "cut", "path": "/key"}, "did not answer in time"),
    ({"kind": "status", "status": 401, "path": "/keys"}, "does not accept this key"),
    ({"kind": "status", "status": 403, "path": "/organization/members"}, "refuses this key"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_each_fault_becomes_a_message_and_keeps_nothing(
    staff: User,
    sandbox: RunningSandbox,
    form_data: Form,
    sign_in: SignIn,
    fault: dict[str, object],
    words: str,
) -> None:
    sandbox.sandbox.fault(times=5, **fault)
    answer = sign_in(staff).post(ADDRESS, form_data)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert words in page
    assert sandbox.sandbox.management_key not in page
    assert not Organization.objects.exists()
    assert not Lease.objects.exists()


def test_nobody_at_the_address(staff: User, form_data: Form, sign_in: SignIn) -> None:
    answer = sign_in(staff).post(ADDRESS, {**form_data, "base_url": "http://127.0.0.1:9/api/v1"})
    assert answer.status_code == 400
    assert "cannot be reached" in answer.content.decode()


def test_the_same_key_twice_names_the_organization_to_who_belongs(
    organization: Organization, owner: User, form_data: Form, sign_in: SignIn, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    answer = sign_in(owner).post(ADDRESS, form_data)
    assert answer.status_code == 400
    assert "already connected, as “Acme Research”" in answer.content.decode()
    assert sandbox.sandbox.requests().counts == {}


def test_the_same_key_twice_names_nothing_to_somebody_else(
    organization: Organization, staff: User, form_data: Form, sign_in: SignIn
) -> None:
    page = sign_in(staff).post(ADDRESS, form_data).content.decode()
    assert "an organization you do not belong to" in page
    assert "Acme Research" not in page


def test_a_second_click_while_the_first_is_asking_is_refused(
    staff: User, sandbox: RunningSandbox, form_data: Form, sign_in: SignIn
) -> None:
    identity = hashlib.sha256(sandbox.sandbox.management_key.encode()).hexdigest()
    Lease.objects.create(name=f"connect:{identity}", holder="the first click", expires_at=9e12)
    answer = sign_in(staff).post(ADDRESS, form_data)
    assert answer.status_code == 400
    assert "being connected right now" in answer.content.decode()


def test_a_taken_short_name_is_refused(
    organization: Organization, staff: User, form_data: Form, sign_in: SignIn
) -> None:
    Organization.objects.update(key_hash="another")
    answer = sign_in(staff).post(ADDRESS, {**form_data, "slug": "acme"})
    assert answer.status_code == 400
    assert "“acme” is taken" in answer.content.decode()


def test_a_short_name_made_from_a_taken_name_gets_a_number(
    organization: Organization, staff: User, form_data: Form, sign_in: SignIn
) -> None:
    Organization.objects.update(key_hash="another")
    sign_in(staff).post(ADDRESS, {**form_data, "name": "Acme"})
    assert Organization.objects.filter(name="Acme").values_list("slug", flat=True).get() == "acme-2"


def test_a_name_without_latin_letters_needs_a_short_name(
    staff: User, form_data: Form, sign_in: SignIn
) -> None:
    answer = sign_in(staff).post(ADDRESS, {**form_data, "name": "研究所"})
    assert answer.status_code == 400
    assert "Choose one, such as acme" in answer.content.decode()
    assert (
        sign_in(staff).post(ADDRESS, {**form_data, "name": "研究所", "slug": "kenkyujo"}).status_code == 302
    )


def test_an_owner_elsewhere_may_connect(organization: Organization, owner: User, sign_in: SignIn) -> None:
    assert sign_in(owner).get(ADDRESS).status_code == 200


@pytest.mark.parametrize("who", ["admin", "viewer", "stranger"])
def test_others_may_not(
    request: pytest.FixtureRequest, organization: Organization, form_data: Form, sign_in: SignIn, who: str
) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get(ADDRESS).status_code == 403
    assert client.post(ADDRESS, form_data).status_code == 403


def test_it_requires_a_sign_in(db: None, client: Client) -> None:
    assert client.get(ADDRESS)["Location"].startswith(reverse("account_login"))


def test_it_asks_for_the_password_in_the_same_form(
    staff: User, form_data: Form, stale: Callable[[User], Client]
) -> None:
    client = stale(staff)
    assert "proof_password" in client.get(ADDRESS).content.decode()
    assert client.post(ADDRESS, {**form_data, "proof_password": PASSWORD}).status_code == 302
    assert Organization.objects.exists()


def test_a_wrong_password_connects_nothing_and_carries_no_key(
    staff: User, form_data: Form, sandbox: RunningSandbox, stale: Callable[[User], Client]
) -> None:
    answer = stale(staff).post(ADDRESS, {**form_data, "proof_password": "not-it"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "That is not your password." in page
    assert "Beacon Labs" in page
    assert sandbox.sandbox.management_key not in page
    assert not Organization.objects.exists()


def test_the_page_of_a_fresh_proof_asks_for_no_password(staff: User, sign_in: SignIn) -> None:
    assert "proof_password" not in sign_in(staff).get(ADDRESS).content.decode()
