"""The desk at which the tests of keys sit: an administrator's browser, and what upstream and the log say."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, Workspace
from orgadmin.inventory.summary import refresh_summary
from orgadmin.sandbox.record import Seen
from tests.conftest import SignIn
from tests.patience import hurry
from tests.sandbox_server import RunningSandbox


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def desk(synced: Organization, admin: User, sign_in: SignIn) -> Client:
    """An administrator who just signed in, in front of a full mirror."""
    return sign_in(admin)


@pytest.fixture
def key(synced: Organization) -> Key:
    """An ordinary key: live, in use, without expiry, with an owner."""
    return live_keys(synced)[0]


def live_keys(organization: Organization) -> list[Key]:
    """Keys that are neither disabled nor expired, busiest first."""
    found = Key.objects.filter(
        organization=organization, disabled=False, gone_at=None, expires_at=None, owner__gone_at=None
    ).exclude(owner=None)
    return list(found.select_related("workspace", "owner").order_by("-usage_monthly", "id"))


def key_form(organization: Organization, **fields: Any) -> dict[str, Any]:
    """What the form of a new key posts; a field set to None is left out."""
    workspace = (
        organization.default_workspace_uid
        or Key.objects.filter(organization=organization).values_list("workspace_uid", flat=True).first()
    )
    form = {"name": "checkout-service", "workspace": workspace, "form_token": str(uuid.uuid4()), **fields}
    return {name: value for name, value in form.items() if value is not None}


def sent(sandbox: RunningSandbox, *endpoints: str) -> list[Seen]:
    """What arrived upstream since the last ``clear_requests``: the endpoints named, or every change."""
    seen = sandbox.sandbox.requests().last
    return [call for call in seen if (call.endpoint in endpoints if endpoints else call.method != "GET")]


def log_of(organization: Organization) -> list[tuple[str, str]]:
    """The audit log, oldest first, as (action, outcome)."""
    entries = Entry.objects.filter(organization=organization).order_by("id")
    return [(entry.action, entry.outcome) for entry in entries]


def last_entry() -> Entry:
    return Entry.objects.order_by("-id")[0]


def text_of(response: Any) -> str:
    """What the browser was sent, streams included."""
    if response.streaming:
        return b"".join(response.streaming_content).decode()
    return str(response.content.decode())


def shown(response: Any) -> list[str]:
    """The hashes of the keys that a list shows, in its order."""
    assert response.status_code == 200, response.content
    rows = re.findall(r'<a class="name"[^>]*? href="/o/[\w-]+/keys/([0-9a-f]{64})/"', text_of(response))
    assert rows or "No key" in text_of(response)
    return rows


def hashes(keys: Iterable[Key]) -> list[str]:
    return [key.hash for key in keys]


def add_keys(organization: Organization, number: int) -> list[Key]:
    """More rows in the mirror, as a pull would write them, with every column varied, empty ones too."""
    workspaces = [*Workspace.objects.filter(organization=organization), None]
    members = [*Member.objects.filter(organization=organization), None]
    now = timezone.now()
    rows = []
    for index in range(number):
        member, workspace = members[index % len(members)], workspaces[index % len(workspaces)]
        name = f"{['svc', 'Svc', 'ärger', 'Zulu'][index % 4]}-{index * 7919 % 100:02}"
        limit = None if index % 3 == 0 else Decimal(index % 9)
        money: dict[str, Any] = {
            "limit": limit,
            "limit_remaining": None if limit is None else limit - 3,
            "usage_daily": Decimal(index % 5),
            "usage_monthly": Decimal(index % 11),
        }
        key_hash = hashlib.sha256(f"{organization.pk}/{index}".encode()).hexdigest()
        rows.append(
            Key(
                organization=organization,
                hash=key_hash,
                name=name,
                label=f"sk-or-v1-{index:03}...{index:04}",
                disabled=index % 10 == 0,
                **money,
                created_at=now - timedelta(days=index % 17, minutes=index % 3),
                expires_at=None if index % 4 else now + timedelta(days=index % 40 - 10),
                active_at=None if index % 6 == 0 else now - timedelta(hours=index % 29),
                creator_user_id=member.uid if member else None,
                workspace_uid=workspace.uid if workspace else "not-synced-yet",
                workspace=workspace,
                owner=member,
                search_text=f"{name} sk-or-v1-{index:03} {key_hash}".casefold(),
                sort_name=name.casefold(),
            )
        )
    added = Key.objects.bulk_create(rows)
    refresh_summary(organization)
    return added


SECRET = re.compile(r"sk-or-v1-[0-9a-f]{64}")


def secret_in(response: Any) -> str:
    """The one secret that a page shows; fails when it shows none or several."""
    found = set(SECRET.findall(text_of(response)))
    assert len(found) == 1, f"{len(found)} secrets on a page of status {response.status_code}"
    return str(found.pop())


def token_in(response: Any) -> str:
    """The one-use token of the form on a page."""
    (token,) = set(re.findall(r'name="form_token" value="([0-9a-f-]{36})"', text_of(response)))
    return str(token)


class _Forms(HTMLParser):
    """Collects what each form of a page would post."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self._form = self.forms.setdefault(given.get("action") or "", {})
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self._form[name] = value or ("on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self._form):
            self._form[self._select] = value


def form_in(response: Any, action: str) -> dict[str, str]:
    """What a browser would post if somebody pressed the button of the form with this action at once."""
    parser = _Forms()
    parser.feed(text_of(response))
    assert action in parser.forms, f"no form goes to {action}"
    return parser.forms[action]
