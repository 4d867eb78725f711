"""What a run says it did is true the moment it is over: a page that saw its end does not look again."""

from __future__ import annotations

from typing import Any

import pytest

from orgadmin.accounts.models import Organization
from orgadmin.inventory.models import SyncRun
from tests.inventory.pulling import pull
from tests.sandbox_server import RunningSandbox


@pytest.mark.parametrize("fault", [{}, {"kind": "status", "status": 403, "path": "/keys", "times": 9}])
def test_a_run_counts_its_calls_before_it_is_over(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    seen: list[tuple[str, int]] = []
    save = SyncRun.save

    def watched(self: SyncRun, *args: Any, **kwargs: Any) -> None:
        save(self, *args, **kwargs)
        seen.append((self.state, SyncRun.objects.get(pk=self.pk).calls))

    monkeypatch.setattr(SyncRun, "save", watched)
    sandbox.sandbox.clear_requests()
    if fault:
        sandbox.sandbox.fault(**fault)
    run = pull(synced)
    assert seen[-1] == (run.state, sandbox.sandbox.requests().total)
    assert run.state == (SyncRun.State.FAILED if fault else SyncRun.State.OK)
    assert run.calls == seen[-1][1] > 0
