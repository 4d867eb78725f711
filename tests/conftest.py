"""The cast and the stage of most tests: an organization connected to a sandbox, and people around it."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test import Client

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.inventory import services as inventory
from orgadmin.inventory import tasks as inventory_tasks
from orgadmin.inventory.models import Member, SyncRun
from orgadmin.jobs import services as jobs
from orgadmin.jobs import tasks as jobs_tasks
from orgadmin.openrouter.secret import Secret
from orgadmin.sandbox.app import Options
from tests.mirror import fill
from tests.sandbox_server import RunningSandbox, running_sandbox

PASSWORD = "correct-horse-battery"

# Thousands of collected tests, and every module, would be searched for garbage again and again.
gc.set_threshold(10_000, 20, 20)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """A cursor of PostgreSQL's that a test read half is closed in its own transaction: collected in that of
    another test, it would be unknown there and abort it."""
    if connection.vendor == "postgresql":
        gc.collect(1)


@pytest.fixture(scope="session")
def running_session_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(Options(keys=40, members=8, workspaces=3, days=30)) as running:
        yield running


@pytest.fixture
def sandbox(running_session_sandbox: RunningSandbox) -> RunningSandbox:
    """A small organization in a sandbox, as new: 40 keys, 8 members, 3 workspaces."""
    running_session_sandbox.sandbox.reset()
    return running_session_sandbox


@dataclass
class Bells:
    """What was rung for instead of a broker; ``work()`` does what a worker would."""

    pulls: list[int] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)

    def work(self) -> None:
        while self.pulls or self.jobs:
            if self.pulls:
                inventory.run_pull(run_id=self.pulls.pop(0))
            else:
                jobs.run_job(job_id=self.jobs.pop(0))


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> Bells:
    """No test needs a broker: bells are noted, in place of being rung after the commit."""
    noted = Bells()
    monkeypatch.setattr(inventory_tasks, "ring", lambda run: noted.pulls.append(run.pk))
    monkeypatch.setattr(jobs_tasks, "ring", lambda job: noted.jobs.append(job.pk))
    return noted


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def organization(db: None, sandbox: RunningSandbox) -> Organization:
    """Connected to the sandbox, nothing pulled yet."""
    return connected(sandbox)


def connected(sandbox: RunningSandbox) -> Organization:
    raw = sandbox.sandbox.management_key
    return Organization.objects.create(
        name="Acme Research",
        slug="acme",
        base_url=sandbox.url,
        management_key=Secret(raw),
        key_label="sk-or-v1-mgm...0001",
        key_hash=hashlib.sha256(raw.encode()).hexdigest(),
    )


Sync = Callable[..., None]


@pytest.fixture
def sync(organization: Organization) -> Sync:
    """Pull the nouns that are named, here and now; every one when none is."""

    def pull_all(*kinds: str) -> None:
        runs = [inventory.request_pull(organization=organization, kind=kind) for kind in kinds]
        for run in runs or inventory.request_all_pulls(organization=organization):
            inventory.run_pull(run_id=run.pk)
            run.refresh_from_db()
            assert run.state == SyncRun.State.OK, run.error
        organization.refresh_from_db()

    return pull_all


@pytest.fixture
def synced(organization: Organization, sandbox: RunningSandbox, bells: Bells) -> Organization:
    """Connected, and as after a first ``sync``, for a third of its price: the mirror is full."""
    bells.pulls += [run.pk for run in fill(organization, sandbox.sandbox)]
    return organization


def person(email: str, organization: Organization | None = None, role: str = "") -> User:
    """Somebody with a verified address and ``PASSWORD``; with a role, a member of the organization."""
    user = User.objects.create_user(email, PASSWORD, first_name=email.split("@")[0].title())
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    if organization is not None and role:
        Membership.objects.create(organization=organization, user=user, role=role)
    return user


@pytest.fixture
def owner(organization: Organization) -> User:
    return person("olivia@house.test", organization, Role.OWNER)


@pytest.fixture
def admin(organization: Organization) -> User:
    return person("adam@house.test", organization, Role.ADMIN)


@pytest.fixture
def viewer(organization: Organization) -> User:
    return person("vera@house.test", organization, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    return person("sam@elsewhere.test")


@pytest.fixture
def member(synced: Organization) -> User:
    """A user whose verified address is that of the OpenRouter member with the most keys."""
    members = Member.objects.filter(organization=synced, gone_at=None)
    busiest = max(members, key=lambda row: row.keys.filter(gone_at=None).count())
    return person(busiest.email.lower(), synced, Role.MEMBER)


SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """A browser in which the user just signed in: the proof of identity is fresh."""

    def enter(user: User) -> Client:
        from time import time

        from orgadmin.accounts.proof import PROOF_KEY

        client = Client()
        client.force_login(user)
        session = client.session
        session[PROOF_KEY] = time()
        # As after a first page: the organization looked at is noted, and no page has to write the session.
        session["organization"] = "acme"
        session.save()
        return client

    return enter
