"""What the tests of restoring say."""

from __future__ import annotations

import uuid
from typing import Any

from orgadmin.accounts.models import User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.keys.drafts import KeyEdit
from orgadmin.keys.services import key_update
from orgadmin.keys.services.update import editable
from tests.sandbox_server import RunningSandbox


def last(action: str) -> Entry:
    """The act that was done last."""
    return Entry.objects.filter(action=action, about=None).latest("id")


def address(entry: Entry) -> str:
    return f"/o/acme/audit-log/{entry.pk}/restore/"


def ticked(*names: str) -> dict[str, Any]:
    return {"field": list(names), "form_token": str(uuid.uuid4())}


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def sent(sandbox: RunningSandbox) -> list[tuple[str, Any]]:
    """What arrived upstream and changed something."""
    calls = [call for call in sandbox.sandbox.requests().last if call.method != "GET"]
    return [(f"{call.method} {call.path.removeprefix('/api/v1')}", call.body) for call in calls]


def change_key(actor: User, key: Key, **fields: Any) -> Entry:
    key.refresh_from_db()
    seen = editable(key)
    key_update(actor=actor, key=key, edit=KeyEdit(seen=seen, wanted={**seen, **fields}))
    key.refresh_from_db()
    return last("key.update")
