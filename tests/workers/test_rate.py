"""The rate limit that all processes share."""

from __future__ import annotations

import time

from orgadmin.accounts.models import Organization, Role
from tests.conftest import person
from tests.sandbox_server import RunningSandbox
from tests.workers.crew import Crew
from tests.workers.test_jobs import PATCH, disabling, is_done
from tests.workers.waiting import SECONDS, eventually

RATE = 10
# What may leave at once after a quiet spell: one second's worth.
BURST = RATE


def test_several_processes_together_keep_the_rate(
    synced: Organization, sandbox: RunningSandbox, crew: Crew
) -> None:
    twin, admin = sandbox.sandbox, person("adam@house.test", synced, Role.ADMIN)
    workers = [crew.worker(name, size=1, OPENROUTER_RATE=str(RATE)) for name in ("one", "two")]
    for worker in workers:
        worker.wait_until_ready()
    twin.clear_requests()
    began, arrived = time.monotonic(), []
    first = disabling(synced, admin, 14)
    second = disabling(synced, admin, 28)
    while not (is_done(first) and is_done(second)):
        arrived.append((time.monotonic() - began, twin.requests().count(PATCH)))
        assert time.monotonic() - began < SECONDS
        time.sleep(0.02)

    total = twin.requests().count(PATCH)
    assert total >= 28
    for moment, number in arrived:
        assert number <= BURST + RATE * moment + 2, f"{number} calls in {moment:.1f} s"
    assert arrived[-1][0] >= (total - BURST) / RATE - 0.3
    eventually(lambda: all("jobs.run" in worker.said() for worker in workers), "both worked")
