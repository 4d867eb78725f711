"""Who may: every address of the project, everybody, GET and POST.

An address that is missing here fails the test; so does one that is here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from dashboard.analytics.question import Question
from dashboard.analytics.services import asking_start
from orgadmin.accounts.models import Invitation, Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target, note
from orgadmin.catalog.models import CatalogModel
from orgadmin.inventory.models import Credential, Key, Member, Preset, PresetVersion, WorkspaceBudgets
from orgadmin.jobs.models import Job
from orgadmin.jobs.services import NewJob, job_start
from orgadmin.keys.models import Rotation
from orgadmin.usage.models import SavedQuery
from tests.conftest import SignIn, person
from tests.guardrails import posts
from tests.lending import lend
from tests.observability import posts as destination_posts
from tests.sandbox_server import RunningSandbox
from tests.who_may import TABLE, WHO

# The package for sign-in; below: what is there before one signed in.
PACKAGE = "accounts/"
OPEN_TO_ALL = frozenset(
    {
        "account_login",
        "account_logout",
        "account_signup",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "account_email_verification_sent",
        "account_confirm_email",
        "account_confirm_login_code",
        "mfa_authenticate",
    }
)


def patterns(within: Any = None, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Every address that Django knows, as (pattern, name)."""
    for entry in get_resolver().url_patterns if within is None else within:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(
                entry.url_patterns, route, f"{space}{entry.namespace}:" if entry.namespace else space
            )
        elif isinstance(entry, URLPattern):
            yield route, space + (entry.name or route)


OURS = {name for route, name in patterns() if not route.startswith(PACKAGE)}
PACKAGES = {name for route, name in patterns() if route.startswith(PACKAGE)}


def test_the_table_names_every_address_of_ours_and_no_other() -> None:
    assert set(TABLE) == OURS
    assert PACKAGES >= OPEN_TO_ALL


Ids = Mapping[str, Any]


@pytest.fixture
def ids(
    synced: Organization, member: User, owner: User, admin: User, viewer: User, sandbox: RunningSandbox
) -> Ids:
    """One object of every kind that an address can name."""
    own = Key.objects.filter(
        organization=synced, owner__email__iexact=member.email, disabled=False, expires_at=None
    ).order_by("id")
    rotation = Rotation.objects.create(organization=synced, old=own[0], new=own[1], started_by=admin)
    invitation = Invitation.objects.create(
        organization=synced,
        role=Role.VIEWER,
        token_hash="0" * 64,
        invited_by=owner,
        expires_at="2099-01-01T00:00Z",
    )
    target = Target(type="key", id=own[0].hash, name=own[0].name)
    return {
        "organization": synced.slug,
        "key_hash": own[0].hash,
        "workspace_uid": WorkspaceBudgets.objects.exclude(monthly=None)[0].workspace_uid,
        "interval": "monthly",
        "key_id": (lent := lend(synced, sandbox.sandbox)).pk,
        "preset_uid": a_preset(synced, lent.workspace_uid).uid,
        "number": 1,
        "guardrail_uid": posts.guardrail(synced).uid,
        "destination_uid": destination_posts.destination(synced).uid,
        "model_slug": CatalogModel.objects.create(
            organization=synced, slug="house/one:free", permaslug="house/one", listed_as="house/one:free"
        ).slug,
        "credential_uid": Credential.objects.filter(organization=synced)[0].uid,
        "member_uid": Member.objects.filter(organization=synced)[0].uid,
        "rotation_id": rotation.pk,
        "job_id": a_job(synced, member).pk,
        "entry_id": note(actor=owner, organization=synced, action="key.update", target=target).pk,
        "invitation_id": invitation.pk,
        "asking_id": a_question(synced, owner).pk,
        "saved_id": SavedQuery.objects.create(organization=synced, name="Spend by model").pk,
        "membership_id": Membership.objects.get(user=viewer).pk,
        "uid": "Mg",
        "token": "stale-token",
        "rest": "nowhere",
    }


def a_preset(organization: Organization, workspace_uid: str) -> Preset:
    PresetVersion.objects.create(organization=organization, preset_uid="preset-1", uid="version-1", number=1)
    return Preset.objects.create(
        organization=organization, uid="preset-1", slug="bot", name="bot", status="active",
        live_version=1, newest_version=1, workspace_uid=workspace_uid,
    )  # fmt: skip


def a_job(organization: Organization, actor: User) -> Job:
    new = NewJob(kind="keys.disable", title="Disable 1 key", targets=[("0" * 64, "nothing")], params={})
    return job_start(actor=actor, organization=organization, new=new)


def a_question(organization: Organization, actor: User) -> Job:
    question = Question(metrics=("total_usage",))
    return asking_start(actor=actor, organization=organization, question=question)


def arguments(name: str, ids: Ids) -> dict[str, Any]:
    """What an address wants to be reversed."""
    (route,) = [route for route, known in patterns() if known == name]
    return {key: value for key, value in ids.items() if f":{key}>" in route}


def outcome(browser: Client, method: str, address: str) -> str:
    """In a word what became of an empty request; what it changed in our database is taken back."""
    point = transaction.atomic()
    # Not ours but the test's.
    point._from_testcase = True  # type: ignore[attr-defined]
    with point:
        response: Any = browser.get(address) if method == "GET" else browser.post(address)
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    if response.status_code in (403, 404, 405):
        return str(response.status_code)
    if response.status_code == 302 and response["Location"].startswith("/accounts/login/"):
        return "login"
    assert response.status_code < 500, f"{method} {address}: {response.status_code}"
    return "in"


@pytest.fixture
def browser_of(ids: Ids, request: pytest.FixtureRequest, sign_in: SignIn) -> Any:
    def browser(who: str) -> Client:
        return Client() if who == "anonymous" else sign_in(request.getfixturevalue(who))

    return browser


@pytest.mark.parametrize("who", WHO)
def test_everybody_gets_what_the_table_says(who: str, ids: Ids, browser_of: Any) -> None:
    browser, wrong = browser_of(who), []
    for name, expected in TABLE.items():
        address = reverse(name, kwargs=arguments(name, ids))
        for method, row in zip(("GET", "POST"), expected, strict=True):
            wanted, got = row.split()[WHO.index(who)], outcome(browser, method, address)
            if got != wanted:
                wrong.append(f"{method} {name}: {got}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_no_post_is_taken_without_the_token_of_a_form(
    ids: Ids, browser_of: Any, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    for who in ("owner", "anonymous"):
        browser = browser_of(who)
        browser.handler.enforce_csrf_checks = True
        for name, (_, post) in TABLE.items():
            if post.split()[WHO.index(who)] == "in":
                response = browser.post(reverse(name, kwargs=arguments(name, ids)))
                assert response.status_code == 403, f"{name} for {who}: {response.status_code}"
                assert "open for too long" in response.content.decode(), name
    assert sandbox.sandbox.requests().total == 0


def test_other_methods_are_refused_everywhere(ids: Ids, browser_of: Any) -> None:
    browser = browser_of("owner")
    for name in TABLE:
        address = reverse(name, kwargs=arguments(name, ids))
        for method in ("put", "patch", "delete", "options", "trace"):
            assert getattr(browser, method)(address).status_code == 405, f"{method} {name}"


def test_a_fragment_asked_for_without_a_sign_in_leads_the_whole_page_there(ids: Ids) -> None:
    for name, (get, _) in TABLE.items():
        if get.startswith("login"):
            address = reverse(name, kwargs=arguments(name, ids))
            response = Client().get(address, headers={"HX-Request": "true"})
            assert response["HX-Redirect"] == "/accounts/login/", name


# --- objects that are somebody else's ---

WITH_IDS = [
    name for route, name in patterns() if name in TABLE and route.count("<") > 1 and "organization>" in route
]


def test_the_owner_of_another_organization_finds_nothing_of_this_one(
    ids: Ids, synced: Organization, sandbox: RunningSandbox, sign_in: SignIn
) -> None:
    other = Organization.objects.create(name="Beta", slug="beta", base_url=sandbox.url)
    browser, seen = sign_in(person("bob@beta.test", other, Role.OWNER)), set()
    sandbox.sandbox.clear_requests()
    for name in WITH_IDS:
        for slug in ("acme", "beta"):
            address = reverse(name, kwargs={**arguments(name, ids), "organization": slug})
            for method in ("GET", "POST"):
                answer = outcome(browser, method, address)
                seen.add(answer)
                assert answer in ("404", "405"), f"{method} {name} in {slug}: {answer}"
    assert "404" in seen
    assert sandbox.sandbox.requests().total == 0


def test_a_member_finds_nothing_that_is_not_theirs(
    ids: Ids, synced: Organization, member: User, admin: User, browser_of: Any
) -> None:
    foreign = (
        Key.objects.filter(organization=synced).exclude(owner__email__iexact=member.email).order_by("id")
    )
    rotation = Rotation.objects.create(organization=synced, old=foreign[0], new=foreign[1], started_by=admin)
    theirs = {
        **ids,
        "key_hash": foreign[0].hash,
        # The catalog is public: what is not theirs is what it does not have.
        "model_slug": "house/none",
        "rotation_id": rotation.pk,
        "job_id": a_job(synced, admin).pk,
    }
    browser = browser_of("member")
    for name in WITH_IDS:
        address = reverse(name, kwargs=arguments(name, theirs))
        for method in ("GET", "POST"):
            assert outcome(browser, method, address) in ("403", "404", "405"), f"{method} {name}"


def test_ids_that_no_row_can_have_are_404(ids: Ids, browser_of: Any) -> None:
    browser = browser_of("owner")
    numbers = (
        *("rotation_id", "job_id", "entry_id", "invitation_id", "membership_id", "asking_id", "saved_id"),
        *("key_id", "number"),
    )
    for name in WITH_IDS:
        for impossible in (0, 2**63, 10**40):
            texts = dict.fromkeys(
                (
                    "workspace_uid",
                    "member_uid",
                    "guardrail_uid",
                    "credential_uid",
                    "destination_uid",
                    "model_slug",
                    "preset_uid",
                ),
                str(impossible),
            )
            wild = {**ids, **dict.fromkeys(numbers, impossible), **texts, "key_hash": "0" * 64}
            address = reverse(name, kwargs=arguments(name, wild))
            for method in ("GET", "POST"):
                assert outcome(browser, method, address) in ("404", "405"), f"{method} {name} {impossible}"


def test_a_slug_that_is_somebody_elses_or_nobodys_is_the_same_404(
    ids: Ids, browser_of: Any, synced: Organization
) -> None:
    Organization.objects.create(name="Beta", slug="beta", base_url=synced.base_url)
    browser = browser_of("owner")
    for name in TABLE:
        if "organization" in arguments(name, ids):
            pages = [
                browser.get(reverse(name, kwargs={**arguments(name, ids), "organization": slug}))
                for slug in ("beta", "no-such")
            ]
            assert [page.status_code for page in pages] == [404, 404]


# --- the package's own pages ---


def test_the_packages_pages_want_a_sign_in_unless_they_lead_to_one(db: None) -> None:
    names = {"key": "x", "uidb36": "x"}
    for name in sorted(PACKAGES):
        (route,) = [route for route, known in patterns() if known == name]
        address = reverse(name, kwargs={key: value for key, value in names.items() if f"<{key}>" in route})
        answer = outcome(Client(), "GET", address)
        wanted = "in" if name in OPEN_TO_ALL else "login"
        assert answer == wanted or (name in OPEN_TO_ALL and answer == "login"), f"{name}: {answer}"


def test_the_packages_pages_work_for_whoever_signed_in(stranger: User, sign_in: SignIn) -> None:
    names = {"key": "x", "uidb36": "x"}
    for name in sorted(PACKAGES):
        (route,) = [route for route, known in patterns() if known == name]
        address = reverse(name, kwargs={key: value for key, value in names.items() if f"<{key}>" in route})
        assert outcome(sign_in(stranger), "GET", address) in ("in", "404", "login"), name


def test_nobody_signs_up_without_an_invitation(db: None) -> None:
    form = {
        "email": "mallory@elsewhere.test",
        "password1": "correct-horse-battery",
        "password2": "correct-horse-battery",
    }
    response = Client().post(reverse("account_signup"), form)
    assert b"closed" in response.content.lower() or b"invit" in response.content.lower()
    assert not User.objects.filter(email="mallory@elsewhere.test").exists()


def test_the_log_is_untouched_by_whoever_is_refused(ids: Ids, synced: Organization, browser_of: Any) -> None:
    before = Entry.objects.count()
    for who in ("anonymous", "stranger", "viewer"):
        browser = browser_of(who)
        for name, (_, post) in TABLE.items():
            if post.split()[WHO.index(who)] in ("login", "403", "404"):
                browser.post(reverse(name, kwargs=arguments(name, ids)))
    assert Entry.objects.count() == before
