"""An organization with use to pull: the sandbox of the other tests, asked at a fixed noon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_pull, run_pull
from orgadmin.sandbox.app import Options
from tests.sandbox_server import RunningSandbox, running_sandbox
from tests.usage.upstream import Upstream

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)

Pull = Callable[[str], SyncRun]


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> Iterator[time_machine.Traveller]:
    """The time it is for us and, living in the same process, for the sandbox. A test that begins at another
    moment says so with ``@pytest.mark.parametrize("clock", [...], indirect=True)``."""
    with time_machine.travel(getattr(request, "param", NOON)) as traveller:
        yield traveller


@pytest.fixture
def sandbox(clock: time_machine.Traveller, running_session_sandbox: RunningSandbox) -> RunningSandbox:
    running_session_sandbox.sandbox.reset()
    return running_session_sandbox


@pytest.fixture(scope="session")
def running_old_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(Options(keys=14, members=4, workspaces=2, days=150)) as running:
        yield running


@pytest.fixture
def upstream(sandbox: RunningSandbox) -> Upstream:
    """What OpenRouter says, asked past everything of ours."""
    return Upstream(sandbox)


@pytest.fixture
def pull(synced: Organization, settings: Any) -> Pull:
    """Pull one kind, here and now; the run as it ended."""
    settings.OPENROUTER_RATE = settings.OPENROUTER_ANALYTICS_RATE = 10_000.0

    def pull_one(kind: str) -> SyncRun:
        run = request_pull(organization=synced, kind=kind)
        run_pull(run_id=run.pk)
        run.refresh_from_db()
        return run

    return pull_one


@pytest.fixture
def pulled(pull: Pull) -> Pull:
    """Pull one kind, here and now; it must go through."""

    def pull_one(kind: str) -> SyncRun:
        run = pull(kind)
        assert run.state == SyncRun.State.OK, run.error
        return run

    return pull_one
