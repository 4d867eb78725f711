"""Bad input: every field of every form of ours, and every parameter of every page.

Whatever is posted, the answer is a message or something harmless, never a crash, and OpenRouter is never
sent what it is known to refuse.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import resolve

from orgadmin.accounts.models import Membership, Organization, Role, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.jobs.models import Job
from orgadmin.keys.models import Rotation
from orgadmin.usage.models import SavedQuery
from tests import facts
from tests.bad_input import BYTES, FEWER, TEXTS
from tests.byok import posts as byok_posts
from tests.conftest import Bells, SignIn, person
from tests.fuzzed_pages import PAGES
from tests.guardrails import posts
from tests.observability import posts as destination_posts
from tests.presets import posts as preset_posts
from tests.sandbox_server import RunningSandbox
from tests.who_may import TABLE
from tests.workspaces import posts as workspace_posts

Form = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
# Fragments say the same as pages and cost less.
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Stage:
    """An owner's browser, and everything a form may name, ours and others'."""

    browser: Client
    sandbox: RunningSandbox
    organization: Organization
    key: Key
    membership: Membership
    rotation: Rotation
    job: Job
    saved: SavedQuery
    changed: Entry
    others: tuple[str, ...]


@pytest.fixture
def stage(
    synced: Organization, owner: User, viewer: User, sandbox: RunningSandbox, sign_in: SignIn, bells: Bells
) -> Stage:
    other = Organization.objects.create(name="Beta", slug="beta", base_url=sandbox.url)
    person("bob@beta.test", other, Role.OWNER)
    workspace = Workspace.objects.create(
        organization=other, uid=str(uuid.uuid4()), name="Theirs", slug="theirs"
    )
    member = Member.objects.create(organization=other, uid="user_theirs", email="t@beta.test")
    foreign = Key.objects.create(organization=other, hash="f" * 64, name="theirs", workspace=workspace)
    browser = sign_in(owner)
    browser.raise_request_exception = False
    sandbox.sandbox.clear_requests()
    keys = Key.objects.filter(organization=synced, disabled=False, expires_at=None).exclude(owner=None)
    return Stage(
        browser=browser,
        sandbox=sandbox,
        organization=synced,
        key=keys[0],
        rotation=Rotation.objects.create(organization=synced, old=keys[1], new=keys[2], started_by=owner),
        job=Job.objects.create(organization=synced, actor=owner, kind="keys.disable", state="done"),
        saved=SavedQuery.objects.create(organization=synced, name="Spend by model"),
        membership=Membership.objects.get(user=viewer),
        changed=Entry.objects.create(
            organization=synced,
            actor_kind="outside",
            action="key.update",
            target_type="key",
            target_id=keys[0].hash,
            before={"name": "as it was", "limit": "5.00"},
            after={"name": keys[0].name},
            outcome="ok",
        ),
        others=(workspace.uid, member.uid, foreign.hash, str(foreign.pk), "beta"),
    )


# --- the forms: where each is posted, and what is posted when all is well ---


def _new_key(stage: Stage) -> Form:
    return {
        "name": "fuzzed",
        "workspace": stage.key.workspace_uid,
        "creator": stage.key.creator_user_id,
        "limit": "5",
        "limit_reset": "daily",
        "include_byok_in_limit": "on",
        "expires_at": "2031-01-01T00:00",
        "form_token": str(uuid.uuid4()),
    }


def _edited(stage: Stage) -> Form:
    key = stage.key
    seen = {
        "name": key.name,
        "limit": None if key.limit is None else str(key.limit),
        "limit_reset": key.limit_reset,
        "include_byok_in_limit": key.include_byok_in_limit,
    }
    return {
        "name": key.name,
        "limit": "5",
        "limit_reset": "daily",
        "include_byok_in_limit": "",
        "seen": json.dumps(seen),
    }


def _bulk(action: str, **fields: Any) -> Callable[[Stage], Form]:
    return lambda stage: {
        "action": action,
        "selected": stage.key.hash,
        "all": "",
        "filters": "",
        "previewed": "1",
        "form_token": str(uuid.uuid4()),
        **fields,
    }


def _address(path: str) -> Callable[[Stage], str]:
    return lambda stage: f"/o/acme/{path}".format(
        key=stage.key.hash,
        guardrail=posts.guardrail(stage.organization).uid,
        membership=stage.membership.pk,
        rotation=stage.rotation.pk,
        job=stage.job.pk,
        saved=stage.saved.pk,
        member=stage.key.creator_user_id,
        credential=byok_posts.credential(stage.organization).uid,
        workspace=stage.key.workspace_uid,
    )


def _connection(stage: Stage) -> Form:
    return {
        "name": "Gamma",
        "slug": "gamma",
        "base_url": stage.sandbox.url,
        "management_key": "sk-or-v1-" + "0" * 64,
    }


def _fixed(**fields: str) -> Callable[[Stage], Form]:
    return lambda stage: dict(fields)


FORMS: Mapping[str, tuple[Callable[[Stage], str], Callable[[Stage], Form]]] = {
    "create": (_address("keys/create/"), _new_key),
    "rotate": (_address("keys/{key}/rotate/"), _new_key),
    "edit": (_address("keys/{key}/edit/"), _edited),
    "delete": (_address("keys/{key}/delete/"), _fixed(confirmation="not its name")),
    "preview": (_address("keys/bulk/"), _bulk("disable")),
    "bulk disable": (_address("keys/bulk/start/"), _bulk("disable")),
    "bulk enable": (_address("keys/bulk/start/"), _bulk("enable", job="1")),
    "bulk limit": (
        _address("keys/bulk/start/"),
        _bulk("limit", limit="5", limit_reset="daily", blocks_anyway="on"),
    ),
    "bulk delete": (_address("keys/bulk/start/"), _bulk("delete", confirmation="delete nothing")),
    "ask": (_address("analytics/ask/"), _fixed(question="metric=total_usage")),
    "save query": (
        _address("analytics/saved/new/"),
        _fixed(name="Spend by day", question="metric=total_usage"),
    ),
    "rename query": (_address("analytics/saved/{saved}/rename/"), _fixed(name="Spend by model")),
    "retire": (_address("keys/rotations/{rotation}/retire/"), _fixed(still_used="")),
    "sync": (_address("sync/run/"), _fixed(kind="keys")),
    "retry": (_address("sync/jobs/{job}/retry/"), _fixed(form_token="")),
    "rekey": (
        _address("settings/rekey/"),
        lambda stage: {k: _connection(stage)[k] for k in ("base_url", "management_key")},
    ),
    "name": (lambda stage: "/account/name/", _fixed(name="Olivia")),
    "rename": (_address("settings/rename/"), _fixed(name="Acme Research")),
    "default workspace": (
        _address("settings/default-workspace/"),
        lambda stage: {"workspace": stage.key.workspace_uid},
    ),
    "disconnect": (_address("settings/disconnect/"), _fixed(confirmation="not its name")),
    "invite": (_address("settings/people/invite/"), _fixed(by="link", email="x@house.test", role="viewer")),
    "role": (_address("settings/people/{membership}/role/"), _fixed(role="viewer")),
    "connect": (lambda stage: "/organizations/new/", _connection),
    "explain": (
        _address("spend/reconciliation/explain/"),
        _fixed(day="2026-03-01", explanation="A provider's refund"),
    ),
    "assign preview": (
        _address("guardrails/assign/"),
        lambda stage: {"kind": "keys", "guardrail": "none", "selected": stage.key.hash},
    ),
    "assign": (
        _address("guardrails/assign/start/"),
        lambda stage: {"kind": "keys", "guardrail": "none", "selected": stage.key.hash, "form_token": ""},
    ),
    "offboard": (
        _address("members/{member}/leaving/start/"),
        _fixed(
            keys="delete", confirmation="not that", guardrail="on", workspaces="on", form_token="", seen=""
        ),
    ),
    "new guardrail": (_address("guardrails/create/"), posts.new_guardrail),
    "edit guardrail": (_address("guardrails/{guardrail}/edit/"), posts.edited_guardrail),
    "delete guardrail": (_address("guardrails/{guardrail}/delete/"), _fixed(confirmation="not its name")),
    **{
        f"raise {noun}": (
            _address(f"{noun}s/{{{noun}}}/raise/"),
            lambda stage: {"amount": "50", "form_token": str(uuid.uuid4())},
        )
        for noun in ("key", "guardrail")
    },
    "restore": (
        lambda stage: f"/o/acme/audit-log/{stage.changed.pk}/restore/",
        _fixed(field="name", form_token=""),
    ),
    **{
        name: (_address(path), form)
        for forms in (workspace_posts.FORMS, byok_posts.FORMS)
        for name, (path, form) in forms.items()
    },
    **destination_posts.FORMS,
    **preset_posts.FORMS,
    "theme": (lambda stage: "/theme/", _fixed(theme="dark", next="/o/acme/keys/")),
}


# Fields in which something is parsed; the others choose from a list, or keep what is typed.
PARSED = {
    "name",
    "day",
    "limit",
    "expires_at",
    "seen",
    "form_token",
    "filters",
    "base_url",
    "slug",
    "question",
    "sampling",
    "secret-config",
    "secret-headers",
    "rule-value",
    "rule-group",
    "rules-do",
}

# A form that another address takes too: only what that address makes of it is left to try.
SAME_FORM = {
    "rotate": ("workspace", "creator", "form_token"),
    "bulk delete": ("confirmation",),
    "preview": ("selected", "all", "filters", "action"),
    "assign preview": ("kind", "guardrail", "selected", "q"),
}


def bodies(
    form: Form, field: str, texts: Sequence[str], others: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """What was done to the field, and the body that posts it, the other fields as they should be."""
    rest = urlencode({name: value for name, value in form.items() if name != field and value is not None})
    yield "missing", rest
    for value in (*texts, *others):
        yield value[:40], f"{rest}&{field}={quote_plus(value)}"
    for raw in BYTES:
        yield raw, f"{rest}&{field}={raw}"
    yield "twice", f"{rest}&{field}=a&{field}=b"
    yield "array", f"{rest}&{field}[]=a&{field}[0][x]=b"
    yield "thousands", f"{rest}&{field}=a" + f"&{field}=b" * 2500


@pytest.mark.parametrize("name", FORMS)
def test_no_field_of_a_form_can_break_anything(stage: Stage, name: str, bells: Bells) -> None:
    address_of, form_of = FORMS[name]
    address, wrong = address_of(stage), []
    for field in SAME_FORM.get(name, form_of(stage)):
        texts = TEXTS if field in PARSED else FEWER
        for done, body in bodies(form_of(stage), field, texts, stage.others):
            response: Any = stage.browser.post(address, body, content_type=FORM, headers=HTMX)
            if problem := what_is_wrong(response):
                wrong.append(f"{field} = {done!r}: {problem}")
    assert not wrong, "\n".join(wrong)
    bells.work()
    assert facts.breaches(stage.sandbox.sandbox.requests().last) == []
    nobody_elses = Key.objects.get(hash="f" * 64)
    assert (nobody_elses.name, nobody_elses.disabled, nobody_elses.gone_at) == ("theirs", False, None)
    assert not Job.objects.exclude(organization=stage.organization).exists()


# Posts that hold nothing but the press of a button.
BUTTONS = {
    "analytics:saved-delete",
    "byok:disable",
    "byok:enable",
    "front:accept",
    "keys:disable",
    "keys:enable",
    "observability:disable",
    "observability:enable",
    "syncs:job-cancel",
    "connections:check",
    "connections:invitation-revoke",
    "connections:remove",
    "connections:inference-key-remove",
}


def test_no_form_is_left_out(stage: Stage) -> None:
    posted = {name for name, (_, post) in TABLE.items() if " in" in post}
    tried = {resolve(address_of(stage)).view_name for address_of, _ in FORMS.values()}
    assert tried == posted - BUTTONS


SAYS_SOMETHING = re.compile(
    r'role="alert"|field-error|state-title|class="toast|page-title|<h1|<h2|The themes are'
)


def what_is_wrong(response: Any) -> str:
    """Nothing, or why this is no answer to a person."""
    if response.status_code not in {200, 201, 302, 400, 403, 404, 409, 502}:
        return f"status {response.status_code}"
    text = response.content.decode()
    if response.status_code >= 400 and not SAYS_SOMETHING.search(text):
        return f"status {response.status_code} without a word: {text[:200]}"
    if "<script>alert(1)</script>" in text or "<b>Traceback" in text:
        return "what was typed became markup"
    location = urlsplit(response.get("Location") or response.get("HX-Redirect") or "/")
    return f"sent away to {location.geturl()}" if location.scheme or location.netloc else ""


# --- the parameters of pages ---


@pytest.mark.parametrize("place", PAGES)
def test_no_parameter_of_a_page_can_break_it(stage: Stage, place: str) -> None:
    wrong = []
    for field in PAGES[place]:
        values = [*(quote_plus(value[:3000]) for value in (*FEWER[::2], *stage.others[:2])), *BYTES[::2]]
        for value in values:
            response: Any = stage.browser.get(f"/o/acme/{place}?{field}={value}", headers=HTMX)
            text = b"".join(response.streaming_content) if response.streaming else response.content
            is_html = not response.streaming
            if response.status_code != 200 or (is_html and b"<script>alert(1)</script>" in text):
                wrong.append(f"{field}={value[:40]}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_addresses_made_of_anything_are_404(stage: Stage, method: str) -> None:
    for text in ["a" * 3000, "%00", "%ED%A0%80", "%2e%2e%2f", "<script>", "' OR 1=1", "🔬", "-1", "1e9"]:
        for address in (
            f"/o/{text}/keys/",
            f"/o/acme/keys/{text}/",
            # What OpenRouter calls an object may be anything, so that a POST learns that it is none.
            *((f"/o/acme/workspaces/{text}/", f"/o/acme/members/{text}/") if method == "GET" else ()),
            f"/o/acme/sync/jobs/{text}/",
            f"/{text}",
        ):
            response = stage.browser.generic(method, address)
            assert response.status_code in (404, 400), f"{method} {address[:60]}: {response.status_code}"


def test_bodies_that_are_no_forms_are_refused(stage: Stage) -> None:
    for body, kind in [
        (b"{}", "application/json"),
        (b"\xff\xfe", "text/plain"),
        (b"--x\r\nContent-Disposition: form-data; name", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"a" * 1_100_000, "application/x-www-form-urlencoded"),
    ]:
        for address in ("/o/acme/keys/create/", "/o/acme/keys/bulk/start/", "/o/acme/settings/rename/"):
            response = stage.browser.generic("POST", address, body, content_type=kind)
            assert response.status_code in (302, 400, 413), f"{kind} {address}: {response.status_code}"
    assert stage.sandbox.sandbox.requests().total == 0
