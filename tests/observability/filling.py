"""What the tests of changing destinations share: forms as a browser would post them, and what came of it."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Workspace
from tests.observability.conftest import at
from tests.sandbox_server import RunningSandbox

RAW = "sk-lf-0123456789abcdefAbCd"
# What the sandbox notes of a secret that arrived.
HIDDEN = "•••"
OTHER = "sk-lf-another-secret-ZyXw"


def sent(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    """The bodies of every change that arrived upstream."""
    calls = [call for call in sandbox.sandbox.requests().last if call.method != "GET"]
    return [dict(call.body or {}) for call in calls]


def log() -> list[tuple[str, str]]:
    return list(Entry.objects.exclude(actor_kind="outside").order_by("id").values_list("action", "outcome"))


def opened(desk: Client, address: str) -> dict[str, Any]:
    """What the form would post untouched."""
    return fields_of(desk.get(address).content.decode())


def fields_of(text: str) -> dict[str, Any]:
    text = text[text.index('<form class="form" method="post"') :]
    form: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        found = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        name, kind = found.get("name", ""), found.get("type")
        if not name or (kind in {"checkbox", "radio"} and " checked" not in tag):
            continue
        form.setdefault(name, []).append(found.get("value", "on" if kind == "checkbox" else ""))
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', body)
        form.setdefault(name, []).append(chosen[0] if chosen else re.findall(r'value="([^"]*)"', body)[0])
    for name, body in re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.S):
        form[name] = [html.unescape(body).strip()]
    return {name: value for name, value in form.items() if name not in {"q", "csrfmiddlewaretoken"}}


def new_address(workspace: Workspace, kind: str = "langfuse") -> str:
    return f"{at('create')}?workspace={workspace.uid}&type={kind}"


def new_form(desk: Client, workspace: Workspace, kind: str = "langfuse", /, **fields: Any) -> dict[str, Any]:
    return {**opened(desk, new_address(workspace, kind)), "name": "New", **fields}


def rule(field: str, operator: str, value: str) -> dict[str, str]:
    return {"rule-group": "0", "rule-field": field, "rule-operator": operator, "rule-value": value}


SECRETS = {"secret-secretKey": RAW, "secret-publicKey": "pk-lf-0123456789EfGh"}
