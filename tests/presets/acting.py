"""Presets changed through the pages, and what the sandbox heard of it."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django.test import Client

from orgadmin.accounts.models import InferenceKey
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Preset
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/presets/create/"
CHECK = "/o/acme/presets/check/"
BODY = {
    "model": "openai/gpt-5.2", "temperature": 0.10, "stream": True, "user": "me",
    "messages": [{"role": "system", "content": "Be kind."}],
}  # fmt: skip


def edit(preset: Preset) -> str:
    return f"/o/acme/presets/{preset.uid}/edit/"


def filled(preset: Preset | None = None, **changes: Any) -> dict[str, Any]:
    """What somebody types. ``body`` may be JSON text or an object."""
    body = changes.pop("body", BODY)
    typed = {
        "kind": "chat/completions",
        "body": body if isinstance(body, str) else json.dumps(body),
        "form_token": str(uuid.uuid4()),
    }
    place = {} if preset else {"slug": "new-one", "workspace": InferenceKey.objects.get().workspace_uid}
    return {**typed, **place, **changes}


def confirmed(visitor: Client, address: str, form: dict[str, Any]) -> dict[str, Any]:
    """The same after it was looked at."""
    answer = visitor.post(address, form)
    text = answer.content.decode()
    assert answer.status_code == 200, text
    hidden = dict(re.findall(r'name="(checked|seen)" value="(\w+)"', text))
    return {**form, **hidden, "confirmed": "on"}


def posts(sandbox: RunningSandbox) -> int:
    counts = sandbox.sandbox.requests().counts
    return sum(number for name, number in counts.items() if name.startswith("POST /presets"))


def live(sandbox: RunningSandbox, slug: str) -> Any:
    account = sandbox.sandbox.account
    row = account.presets.get(account.workspaces.default_id or "", slug)
    found = account.presets.designated(row)
    assert found is not None
    return found


def last() -> Entry:
    found = Entry.objects.filter(target_type="preset").exclude(about=None).order_by("-id").first()
    assert found is not None
    return found
