"""An organization with use to pull: the sandbox of the other tests, asked at a fixed noon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from orgadmin.inventory.services import request_pull, run_pull

Pulled = Callable[[str], SyncRun]


@pytest.fixture
def pulled(synced: Organization, settings: Any) -> Pulled:
    """Pull one kind, here and now; it must go through."""
    settings.OPENROUTER_RATE = settings.OPENROUTER_ANALYTICS_RATE = 10_000.0

    def pull(kind: str) -> SyncRun:
        run = request_pull(organization=synced, kind=kind)
        run_pull(run_id=run.pk)
        run.refresh_from_db()
        assert run.state == SyncRun.State.OK, run.error
        return run

    return pull
