"""Acts as the tests of the log write them, and the log as they read it."""

from __future__ import annotations

from typing import Any

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target

LOG = "/o/acme/audit-log/"


def act(
    organization: Organization,
    actor: User | None,
    action: str = "key.update",
    *,
    target: Target | None = None,
    outcome: Outcome | None = Outcome.OK,
    **fields: Any,
) -> Entry:
    """An act with its outcome; without one, its answer never came."""
    said = {name: fields.pop(name) for name in ("message", "request_id") if name in fields}
    started = audit.start(
        actor=actor,
        organization=organization,
        action=action,
        target=target or Target("key", "ab" * 32, "batch-etl"),
        **fields,
    )
    if outcome is not None:
        audit.finish(started, outcome=outcome, **said)
    return started


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def csv_of(response: Any) -> str:
    return b"".join(response.streaming_content).decode()
