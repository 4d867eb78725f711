"""The broker killed: what it kept, and what was asked for while it was away, gets done all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_pull
from tests.workers.broker import Valkey, running_valkey
from tests.workers.conftest import House
from tests.workers.crew import Crew
from tests.workers.database import pass_time
from tests.workers.queue import sending_to
from tests.workers.test_pulls import finished
from tests.workers.waiting import eventually

# A little longer than a run may wait before the clock rings for it again.
UNHEARD = timedelta(seconds=50)


@pytest.fixture
def valkey(house: House) -> Iterator[Valkey]:
    """A broker of one test alone, which may kill it."""
    with running_valkey() as valkey, sending_to(valkey.url, house.env["WORKERS_TEST_QUEUE"]):
        yield valkey


def test_a_bell_survives_the_broker_and_one_that_was_never_heard_is_rung_again(
    synced: Organization, valkey: Valkey, crew: Crew
) -> None:
    first = request_pull(organization=synced, kind="keys")
    valkey.wait_until_written()
    valkey.kill()
    valkey.start()
    worker = crew.worker(CELERY_BROKER_URL=valkey.url)
    eventually(lambda: finished(first), "a worker that came later heard the bell")
    crew.beat(CELERY_BROKER_URL=valkey.url)
    worker.wait_for_sweeps(1)

    valkey.kill()
    second = request_pull(organization=synced, kind="keys")
    assert second.state == SyncRun.State.QUEUED
    valkey.start()
    pass_time(UNHEARD)

    def heard() -> bool:
        # A Celery worker that holds a message while Redis goes away may end over it (kombu's "NoneType has
        # no hostname"): that it comes back is the supervisor's part.
        worker.revive()
        return bool(finished(second))

    eventually(heard, "the clock rang again")
    assert first.pk != second.pk
