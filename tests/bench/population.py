"""An organization of any size straight in the tables: the sandbox's keys, made into rows as a pull does."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.audit.models import Entry
from orgadmin.audit.services import Target, outside_entry
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.inventory.nouns import KEYS
from orgadmin.inventory.services import run_pull
from orgadmin.inventory.summary import refresh_summary
from orgadmin.openrouter import jsontext
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.reading import read_list
from orgadmin.openrouter.secret import Secret
from orgadmin.sandbox.app import Sandbox
from orgadmin.sandbox.wire.keys import key_object
from tests.bench.upstream import NOON, options
from tests.sandbox_server import running_sandbox

BATCH = 1000


@dataclass(frozen=True)
class Population:
    """A filled database: its organization, and the cookie of a signed-in owner who is also a superuser."""

    organization: Organization
    session: str


def connect(*, base_url: str, management_key: str) -> Organization:
    """An organization connected to a sandbox, nothing pulled yet."""
    return Organization.objects.create(
        name="Bench",
        slug="bench",
        base_url=base_url,
        management_key=Secret(management_key),
        key_label="sk-or-v1-mgm...0001",
        key_hash=hashlib.sha256(management_key.encode()).hexdigest(),
    )


def populate(keys: int) -> Population:
    """Workspaces and members by a real pull, keys straight into their table, each with a line of history."""
    with running_sandbox(options(keys), now=lambda: NOON) as running:
        organization = connect(base_url=running.url, management_key=running.sandbox.management_key)
        for kind in ("workspaces", "members"):
            pull(organization, kind)
        _write_keys(organization, running.sandbox)
    now = timezone.now()
    SyncRun.objects.create(
        organization=organization,
        kind="keys",
        state=SyncRun.State.OK,
        started_at=now,
        finished_at=now,
        seen=keys,
    )
    refresh_summary(organization)
    return Population(organization=organization, session=_owner_session(organization))


def pull(organization: Organization, kind: str) -> SyncRun:
    """One pull, here and now. Raises RuntimeError when it failed."""
    run = SyncRun.objects.create(organization=organization, kind=kind)
    run_pull(run_id=run.pk)
    run.refresh_from_db()
    if run.state != SyncRun.State.OK:
        raise RuntimeError(f"{kind}: {run.error}")
    return run


def _write_keys(organization: Organization, sandbox: Sandbox) -> None:
    links = KEYS.prepare(organization)
    for found in _upstream_keys(sandbox):
        rows = [
            Key(organization=organization, hash=item.hash, **KEYS.values(item, None, links, NOON))
            for item in found
        ]
        Key.objects.bulk_create(rows)
        Entry.objects.bulk_create([_history(organization, row) for row in rows])


def _upstream_keys(sandbox: Sandbox) -> Iterator[tuple[upstream.Key, ...]]:
    """Every key as the client reads it from the wire, by the thousand."""
    rows = iter(sandbox.account.keys)
    while batch := list(islice(rows, BATCH)):
        text = json.dumps({"data": [key_object(row, NOON) for row in batch]})
        yield read_list(upstream.Key, jsontext.loads(text))


def _history(organization: Organization, row: Key) -> Entry:
    return outside_entry(
        organization=organization,
        action="key.update",
        target=Target(type="key", id=row.hash, name=row.name),
        before={"limit": "10"},
        after={"limit": "20"},
    )


def _owner_session(organization: Organization) -> str:
    owner = User.objects.create_superuser("owner@bench.test", "correct-horse-battery", first_name="Olivia")
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    client = Client()
    client.force_login(owner)
    session = client.session
    session[PROOF_KEY] = time.time()
    session.save()
    assert session.session_key
    return session.session_key
