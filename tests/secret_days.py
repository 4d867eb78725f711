"""Parts of a day of work with secrets that are typed, and what is kept of it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from time import time
from typing import Any

from django.test import Client

from orgadmin.accounts.models import InferenceKey
from orgadmin.accounts.proof import PROOF_KEY
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Credential, Destination, Key, Preset
from tests.conftest import PASSWORD, Bells
from tests.sandbox_server import RunningSandbox

A_DEAD_KEY = "sk-or-v1-" + "d" * 64


class Witness(Client):
    """A browser that keeps every answer, head and body."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)
        self.answers: list[tuple[str, int, str]] = []

    def request(self, **request: Any) -> Any:
        response: Any = super().request(**request)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        text = f"{response.headers}{body.decode()}"
        self.answers.append(
            (f"{request['REQUEST_METHOD']} {request['PATH_INFO']}", response.status_code, text)
        )
        return response


@dataclass
class Evidence:
    """What a day leaves behind. ``made`` are the secrets of the keys that were made, ``typed``
    those of destinations, which no page ever shows."""

    browser: Witness
    management: set[str]
    made: set[str] = field(default_factory=set)
    typed: set[str] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> set[str]:
        return self.made | self.typed | self.management


def prove(browser: Client, moment: float) -> None:
    session = browser.session
    session[PROOF_KEY] = moment
    session.save()


def lend(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Lend an inference key: every wrong one, with a stale proof, refused later; and use it."""
    browser, twin = evidence.browser, sandbox.sandbox
    address = "/o/acme/settings/inference-keys/add/"
    for key in (twin.management_key, A_DEAD_KEY, f"{A_DEAD_KEY} "):
        browser.post(address, {"inference_key": key})
    twin.fault(kind="status", status=401, message=f"Unknown key {twin.inference_key}", path="/key")
    browser.post(address, {"inference_key": twin.inference_key})
    prove(browser, 0)
    browser.post(address, {"inference_key": twin.inference_key})
    form = {"inference_key": twin.inference_key, "proof_password": PASSWORD}
    assert browser.post(address, form).status_code == 302
    bells.work()
    preset, lent = Preset.objects.earliest("pk"), InferenceKey.objects.get()
    for kind, status in (("html", 502), ("status", 401)):
        twin.fault(method="POST", kind=kind, status=status, message=f"No {twin.inference_key}")
        restore = f"/o/acme/presets/{preset.uid}/versions/1/restore/"
        seen = {"seen": str(preset.live_version), "form_token": str(uuid.uuid4())}
        browser.post(restore, seen)
    lent.refresh_from_db()
    assert lent.refused_at is not None
    replace = f"/o/acme/settings/inference-keys/{lent.pk}/replace/"
    browser.post(replace, {"inference_key": twin.inference_key})
    twin.fault(kind="status", status=401, path="/presets", message=f"No {twin.inference_key}")
    browser.post("/o/acme/sync/run/", {"kind": "presets"})
    bells.work()


def bring(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Add and rotate provider keys: refused by us and by OpenRouter, quoted by it, lost."""
    browser, twin = evidence.browser, sandbox.sandbox

    def secret() -> str:
        made = f"sk-provider-{uuid.uuid4().hex}"
        evidence.typed.add(made)
        return made

    place = Key.objects.filter(gone_at=None).values_list("workspace_uid", flat=True)[0]

    def form(**fields: str) -> dict[str, str]:
        token = str(uuid.uuid4())
        return {
            "provider": "openai",
            "workspace": place,
            "provider_key": secret(),
            "form_token": token,
            **fields,
        }

    address = "/o/acme/byok/add/"
    for fields in ({}, {"name": "x" * 300}, {"provider": "nobody"}, {"provider_key": "{" + secret()}):
        browser.post(address, form(**fields))
    broken = json.dumps([{"api_key": secret(), "resource_name": ""}])
    browser.post(address, form(provider="azure", provider_key=broken))
    for fault in ({"kind": "drop_after"}, {"kind": "truncated"}, {"kind": "html", "status": 502}):
        twin.fault(path="/byok", method="POST", **fault)
        browser.post(address, form())
    quoted = form()
    twin.fault(kind="status", status=400, message=f"No {quoted['provider_key']}", path="/byok", method="POST")
    browser.post(address, quoted)
    bells.work()
    row = Credential.objects.filter(gone_at=None, provider="openai")[0]
    rotate = f"/o/acme/byok/{row.uid}/rotate/"
    browser.post(rotate, {"provider_key": secret()})
    prove(browser, 0)
    browser.post(rotate, {"provider_key": secret()})
    prove(browser, time())
    twin.fault(kind="drop_after", path=f"/byok/{row.uid}", method="PATCH", times=9)
    browser.post(rotate, {"provider_key": secret()})
    twin.clear_faults()
    quoted = {"provider_key": secret()}
    twin.fault(
        kind="status",
        status=400,
        message=f"No {quoted['provider_key']}",
        path=f"/byok/{row.uid}",
        method="PATCH",
    )
    browser.post(rotate, quoted)
    assert Entry.objects.filter(action="credential.rekey", outcome="ok").count() >= 2


def watch(evidence: Evidence, sandbox: RunningSandbox, bells: Bells) -> None:
    """Add and edit destinations: refused by us and by OpenRouter, quoted by it, lost, and as JSON."""
    browser, twin = evidence.browser, sandbox.sandbox

    def secret(name: str) -> str:
        made = f"{name}-{uuid.uuid4().hex}"
        evidence.typed.add(made)
        return made

    place = Key.objects.filter(gone_at=None).values_list("workspace_uid", flat=True)[0]
    address = "/o/acme/observability/create/"

    def form(kind: str, **fields: str) -> dict[str, str]:
        return {
            "workspace": place, "type": kind, "name": kind, "enabled": "on",
            "scope": "all", "sampling": "100",
            "regions": "global", "form_token": str(uuid.uuid4()),
            "secret-headers": f"Authorization: Bearer {secret('header')}", **fields,
        }  # fmt: skip

    keys = {"secret-secretKey": secret("sk-lf"), "secret-publicKey": secret("pk-lf")}
    browser.post(address, form("langfuse", **keys, sampling="none"))
    browser.post(address, form("langfuse", **keys, **{"rules-do": "add-rule:0"}))
    twin.fault(
        kind="status",
        status=400,
        message=f"No {keys['secret-secretKey']}",
        path="/observability*",
        method="POST",
    )
    for fault in ({"kind": "drop_after"}, {"kind": "truncated"}, {"kind": "html", "status": 502}):
        browser.post(address, form("langfuse", **keys))
        twin.fault(path="/observability*", method="POST", **fault)
    browser.post(address, form("webhook", **{"secret-url": f"https://hooks.test/{secret('path')}"}))
    strange = twin.outside.create_destination(
        kind="raindrop", name="R", workspace_id=place, config={"write_key": secret("plain")}
    )
    bells.work()
    browser.post("/o/acme/sync/run/", {"kind": "all"})
    bells.work()
    for row in Destination.objects.filter(gone_at=None, type__in=["langfuse", "webhook", "raindrop"]):
        page = f"/o/acme/observability/{row.uid}/edit/"
        shown = browser.get(page).content.decode()
        seen = re.findall(r'name="seen" value="([^"]*)"', shown)[0]
        old = dict.fromkeys(re.findall(r'name="(secret-[^"]*)"', shown), "")
        old |= {"name": f"{row} again", "scope": "all", "sampling": "50", "seen": seen}
        if row.uid == strange:
            text = json.dumps({"write_key": secret("json"), "deep": {"token": secret("deep")}})
            browser.post(page, {**old, "secret-config": text[:-1]})
            browser.post(page, {**old, "secret-config": text})
        else:
            new = {"secret-secretKey": secret("new"), "secret-headers": f"X: {secret('header')}"}
            browser.post(page, {**old, **new, "sampling": "0"})
            prove(browser, 0)
            browser.post(page, {**old, **new})
            prove(browser, time())
            browser.post(page, {**old, **new})
    assert Entry.objects.filter(action="destination.update", outcome="ok").count() >= 3
