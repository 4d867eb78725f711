"""A bulk job whose organization lost its management key while it ran."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.connections.services import organization_disconnect
from orgadmin.jobs import services as jobs
from orgadmin.jobs.models import Job, JobItem
from tests.conftest import Bells
from tests.keys.conftest import hashes, live_keys, sent
from tests.sandbox_server import RunningSandbox


@pytest.mark.parametrize(
    "act",
    [
        {"action": "disable"},
        {"action": "limit", "limit": "77777"},
        {"action": "delete", "confirmation": "delete 3"},
    ],
    ids=lambda act: str(act["action"]),
)
def test_a_management_key_that_was_taken_away_is_not_used_any_more(
    desk: Client,
    synced: Organization,
    sandbox: RunningSandbox,
    bells: Bells,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    act: dict[str, Any],
) -> None:
    sandbox.sandbox.clear_requests()
    desk.post("/o/acme/keys/bulk/start/", {**act, "selected": hashes(live_keys(synced)[:3])})
    do, calls = jobs._do, iter(range(99))

    def disconnected_after_the_first(job: Job, item: JobItem) -> None:
        if next(calls) == 1:
            organization_disconnect(actor=owner, organization=synced)
        do(job, item)

    monkeypatch.setattr(jobs, "_do", disconnected_after_the_first)
    bells.work()
    items = list(Job.objects.get().items.order_by("id"))
    assert [item.state for item in items] == ["ok", "failed", "failed"]
    assert items[1].message.startswith("This organization is disconnected.")
    assert len(sent(sandbox)) == 1
