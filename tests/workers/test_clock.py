"""Beat and a worker: first pulls happen by themselves, and happen again when they are due."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, SyncRun, Workspace
from orgadmin.inventory.nouns import NOUNS
from tests.sandbox_server import RunningSandbox
from tests.workers.crew import Crew
from tests.workers.database import pass_time
from tests.workers.waiting import eventually


def done(kind: str) -> int:
    return SyncRun.objects.filter(kind=kind, state=SyncRun.State.OK).count()


def nouns() -> QuerySet[SyncRun]:
    """The runs of workspaces, members and keys."""
    return SyncRun.objects.filter(kind__in=NOUNS)


def test_the_clock_pulls_everything_and_again_when_it_is_due(
    organization: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    worker = crew.worker()
    crew.beat()
    eventually(lambda: all(done(kind) for kind in ("workspaces", "members", "keys")), "all was pulled")
    assert Key.objects.count() == 40
    assert Member.objects.count() == 8
    assert Workspace.objects.count() == 3

    # Nothing is due for five minutes.
    runs = nouns().count()
    sandbox.sandbox.outside.update_key(Key.objects.latest("id").hash, name="renamed elsewhere")
    pass_time(timedelta(minutes=4))
    worker.wait_for_sweeps()
    assert nouns().count() == runs

    pass_time(timedelta(minutes=1))
    eventually(lambda: done("keys") == 2, "the keys were pulled again")
    assert done("members") == done("workspaces") == 1
    assert [entry.action for entry in Entry.objects.all()] == ["key.update"]
    assert Key.objects.filter(name="renamed elsewhere").exists()

    pass_time(timedelta(minutes=25))
    eventually(lambda: done("members") == done("workspaces") == 2, "the others were pulled again")
    assert SyncRun.objects.filter(state=SyncRun.State.FAILED).count() == 0
