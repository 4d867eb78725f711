"""A day of work with secrets, then a search for them everywhere but on the one page that shows each."""

from __future__ import annotations

import logging
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from time import time
from typing import Any

import pytest
from celery.app.task import Task
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client

from dashboard.celery import app
from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory import tasks as inventory_tasks
from orgadmin.inventory.models import Key, SyncRun
from orgadmin.jobs import tasks as jobs_tasks
from orgadmin.jobs.models import Job
from orgadmin.keys import create_views
from orgadmin.keys.services import recording
from orgadmin.openrouter import keys as upstream
from orgadmin.openrouter.secret import Secret
from tests.conftest import PASSWORD, Bells, person
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox
from tests.secret_days import A_DEAD_KEY, Evidence, Witness, bring, lend, prove, watch

# As they are before the fixtures of all tests silence them.
RING_PULL, RING_JOB = inventory_tasks.ring, jobs_tasks.ring
POST = {"method": "POST", "path": "/keys"}


@pytest.fixture
def evidence(
    transactional_db: None, sandbox: RunningSandbox, bells: Bells, monkeypatch: pytest.MonkeyPatch
) -> Evidence:
    """A member of staff in front of an empty installation; messages to workers are written down."""
    user = person("stella@house.test")
    User.objects.filter(pk=user.pk).update(is_staff=True)
    browser = Witness()
    browser.force_login(user)
    prove(browser, time())
    twin = sandbox.sandbox
    found = Evidence(browser, {twin.management_key, twin.inference_key, A_DEAD_KEY})

    def send(task: Any, args: Any = (), kwargs: Any = None, **options: Any) -> None:
        message = app.amqp.as_task_v2(str(uuid.uuid4()), task.name, args, kwargs or {}, **options)
        found.messages.append(repr(message))

    def remembered(raw: str) -> Secret:
        found.made.add(raw)
        return Secret(raw)

    def ring_pull(run: SyncRun) -> None:
        bells.pulls.append(run.pk)
        RING_PULL(run)

    def ring_job(job: Job) -> None:
        bells.jobs.append(job.pk)
        RING_JOB(job)

    hurry(monkeypatch)
    monkeypatch.setattr(Task, "apply_async", send)
    monkeypatch.setattr(inventory_tasks, "ring", ring_pull)
    monkeypatch.setattr(jobs_tasks, "ring", ring_job)
    monkeypatch.setattr(upstream, "Secret", remembered)
    return found


# --- the day ---


def connect(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Connect with every wrong key, then with the right one, and pull: fine, and with faults."""
    twin = sandbox.sandbox
    form = {"name": "Acme", "slug": "acme", "base_url": sandbox.url}
    add, browser = "/organizations/new/", evidence.browser
    for key in (twin.inference_key, A_DEAD_KEY, A_DEAD_KEY + " "):
        browser.post(add, {**form, "management_key": key})
    twin.fault(kind="status", status=401, message=f"Unknown key {twin.management_key}", path="/key")
    twin.fault(kind="html", status=502, path="/key", times=3)
    for _ in range(3):
        browser.post(add, {**form, "management_key": twin.management_key})
    assert Organization.objects.get().slug == "acme"
    bells.work()
    for fault in (
        {"kind": "status", "status": 401, "message": f"No {twin.management_key}"},
        {"kind": "truncated"},
    ):
        twin.fault(path="/workspaces", times=9, **fault)
        browser.post("/o/acme/sync/run/", {"kind": "all"})
        bells.work()
        twin.clear_faults()
    browser.post("/o/acme/sync/run/", {"kind": "all"})
    bells.work()


def rekey(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Replace the key: refused, with a stale proof, and at another spelling of the address."""
    browser, twin = evidence.browser, sandbox.sandbox
    form = {"base_url": sandbox.url.replace("127.0.0.1", "localhost"), "management_key": twin.management_key}
    address = "/o/acme/settings/rekey/"
    browser.post(address, {**form, "management_key": A_DEAD_KEY})
    prove(browser, 0)
    browser.post(address, form)
    browser.post(address, {**form, "proof_password": "wrong"})
    browser.post(address, {**form, "proof_password": PASSWORD})
    assert Organization.objects.get().base_url.startswith("http://localhost")
    browser.post("/o/acme/settings/check/")
    browser.post("/o/acme/settings/rename/", {"name": "Acme Research"})
    bells.work()


def create(evidence: Evidence, sandbox: RunningSandbox) -> None:
    """Create keys, with every kind of trouble on the way."""
    browser, twin = evidence.browser, sandbox.sandbox
    address = "/o/acme/keys/create/"
    browser.post(address, key_form("page"))
    browser.post(address, key_form("fragment"), headers={"HX-Request": "true"})
    again = key_form("twice")
    browser.post(address, again)
    browser.post(address, again)
    for fault in (
        {"kind": "status", "status": 403, "message": f"Not with {twin.management_key}"},
        {"kind": "drop_after"},
        {"kind": "truncated"},
        {"kind": "cut"},
        {"kind": "html", "status": 502, "after": True},
        {"kind": "extra_field"},
    ):
        twin.fault(**POST, **fault)
        browser.post(address, key_form(f"under {fault['kind']}"))
    key = Key.objects.filter(disabled=False)[0]
    browser.post(f"/o/acme/keys/{key.hash}/rotate/", key_form("successor", workspace=key.workspace_uid))


def create_while_we_fail(evidence: Evidence) -> None:
    """Our own code and database fail with the secret in hand; what is logged then must not hold it."""
    browser, address = evidence.browser, "/o/acme/keys/create/"
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(recording, "mirror", fail_with(DatabaseError("disk full")))
        browser.post(address, key_form("no row"))
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(create_views, "reveal", fail_with(ZeroDivisionError("division by zero")))
        assert browser.post(address, key_form("no page")).status_code == 500


def fail_with(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def work_in_bulk(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Jobs, one of them with faults."""
    sandbox.sandbox.fault(
        kind="status", status=403, message=f"No {sandbox.sandbox.management_key}", method="PATCH", times=2
    )
    for action in ("disable", "enable"):
        form = {
            "action": action,
            "all": "1",
            "filters": "q=under",
            "previewed": str(Key.objects.filter(search_text__contains="under", gone_at=None).count()),
            "form_token": str(uuid.uuid4()),
        }
        evidence.browser.post("/o/acme/keys/bulk/start/", form)
        bells.work()
    assert Job.objects.count() == 2


def look_at_everything(evidence: Evidence) -> None:
    """Every kind of page that links lead to, a few of each kind."""
    waiting, seen, kinds = ["/", "/o/acme/keys/"], set[str](), Counter[str]()
    while waiting:
        address = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{64}|\d+|\?.*", "*", address)
        if address in seen or kinds[kind] >= 4 or "logout" in address or address.startswith("/static/"):
            continue
        seen.add(address)
        kinds[kind] += 1
        before = len(evidence.browser.answers)
        evidence.browser.get(address)
        for _, _, text in evidence.browser.answers[before:]:
            waiting += [
                found.replace("&amp;", "&") for found in re.findall(r'(?:href|hx-get)="(/[^"#]*)', text)
            ]
    assert len(kinds) > 25


def key_form(name: str, *, workspace: str | None = None) -> dict[str, str]:
    workspace = workspace or Key.objects.filter(gone_at=None).values_list("workspace_uid", flat=True)[0]
    return {"name": name, "workspace": workspace, "form_token": str(uuid.uuid4()), "creator": ""}


# --- the search ---


def everything_stored() -> Iterator[tuple[str, str]]:
    """Each row of each table as text, sessions opened; what is in the cache and in the mail."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield f"table {table}", repr(row)
    for session in Session.objects.all():
        yield "session", repr(Client().session.__class__(session.session_key).load())
    for value in getattr(cache, "_cache", {}).values():
        yield "cache", repr(value)
    for message in mail.outbox:
        yield "mail", f"{message.subject}{message.body}"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any library says, before our masks are put on."""
    for name in (None, "urllib3", "requests", "django", "django.db.backends", "celery"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_each_secret_is_shown_on_one_page_and_is_nowhere_else(
    evidence: Evidence, sandbox: RunningSandbox, bells: Bells, logged: pytest.LogCaptureFixture
) -> None:
    connect(evidence, sandbox, bells)
    rekey(evidence, sandbox, bells)
    lend(evidence, sandbox, bells)
    create(evidence, sandbox)
    create_while_we_fail(evidence)
    work_in_bulk(evidence, sandbox, bells)
    bring(evidence, sandbox, bells)
    watch(evidence, sandbox, bells)
    look_at_everything(evidence)
    assert len(evidence.made) >= 6
    assert_it_was_a_full_day(evidence, logged.text)

    leaks = [place for place, text in everything_stored() for secret in evidence.secrets if secret in text]
    leaks += [
        "message to a worker" for text in evidence.messages for secret in evidence.secrets if secret in text
    ]
    leaks += [
        line[:200] for line in logged.text.splitlines() for secret in evidence.secrets if secret in line
    ]
    assert leaks == []

    shown: dict[str, list[str]] = {}
    for where, status, text in evidence.browser.answers:
        for secret in evidence.secrets:
            if secret in text:
                assert (status, where.split()[0]) == (201, "POST"), where
                assert "'Cache-Control': 'no-store'" in text
                shown.setdefault(secret, []).append(where)
    assert len(shown) >= 5
    assert all(len(pages) == 1 for pages in shown.values())
    assert not shown.keys() & (evidence.management | evidence.typed)


def assert_it_was_a_full_day(evidence: Evidence, logs: str) -> None:
    """The places that were searched had something in them, so that finding nothing means something."""
    stored = list(everything_stored())
    assert {
        "table audit_entry",
        "table inventory_key",
        "table accounts_inferencekey",
        "table jobs_jobitem",
        "session",
    } <= {name for name, _ in stored}
    assert any("page" in text for name, text in stored if name == "table audit_entry")
    assert {entry.outcome for entry in Entry.objects.filter(action="key.create")} == {
        "started",
        "ok",
        "failed",
    }
    assert SyncRun.objects.filter(state="failed").count() >= 2
    assert len(evidence.messages) >= 8
    assert "jobs.run" in repr(evidence.messages)
    assert "key row not saved" in logs
    assert "ZeroDivisionError" in logs
    assert "SELECT" in logs or "POST /api/v1/keys" in logs
