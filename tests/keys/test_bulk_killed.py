"""What happens elsewhere while the worker of a bulk job is dead."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.jobs import services as jobs
from orgadmin.openrouter import keys as upstream
from tests.conftest import Bells, Sync
from tests.sandbox_server import RunningSandbox


class Killed(BaseException):
    """The worker's process ends here."""


def test_what_was_changed_elsewhere_before_the_job_goes_on_is_in_the_log(
    desk: Client,
    key: Key,
    sandbox: RunningSandbox,
    bells: Bells,
    monkeypatch: pytest.MonkeyPatch,
    sync: Sync,
) -> None:
    form = {"action": "disable", "selected": key.hash, "form_token": str(uuid.uuid4())}
    desk.post("/o/acme/keys/bulk/start/", form)
    update = upstream.update

    def killed_after_it(*args: Any, **fields: Any) -> upstream.Key:
        update(*args, **fields)
        raise Killed

    with monkeypatch.context() as doomed:
        doomed.setattr(upstream, "update", killed_after_it)
        with pytest.raises(Killed):
            bells.work()
    sandbox.sandbox.outside.update_key(key.hash, limit=9999)
    jobs.sweep()
    bells.work()
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        sync()
    (entry,) = Entry.objects.filter(actor_kind="outside")
    assert (entry.target_id, entry.after) == (key.hash, {"limit": "9999.00"})
