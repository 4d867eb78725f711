"""The environment's own functions, and what the frame knows about a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import resolve
from jinja2 import UndefinedError

from dashboard.jinja import Frame, attributes, environment, freshness, here
from tests.browser.gallery import enter

pytestmark = pytest.mark.urls("tests.browser.gallery")


def request(path: str = "/o/acme/keys/", **cookies: str) -> Any:
    made = RequestFactory().get(path)
    made.resolver_match = resolve(made.path)
    made.COOKIES.update(cookies)
    return made


def test_a_missing_variable_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment(autoescape=True).from_string("{{ nothing }}").render()


def test_here_changes_the_query_and_keeps_the_rest() -> None:
    asked = request("/o/acme/keys/?q=a+b&state=active&page=3")

    assert here(asked, page=None) == "/o/acme/keys/?q=a+b&state=active"
    assert here(asked, page=2, state="") == "/o/acme/keys/?q=a+b&page=2"
    assert here(request(), sort=None) == "/o/acme/keys/"


def test_attributes_are_escaped() -> None:
    assert attributes({"title": 'a "b" <c>'}) == ' title="a &quot;b&quot; &lt;c&gt;"'
    assert attributes({"disabled": True, "hidden": False, "id": None}) == " disabled"


@pytest.mark.parametrize(
    "refused",
    [
        {"style": "width: 1px"},
        {"onclick": "x()"},
        {"hx-on:click": "x()"},
        {"href": "javascript:x"},
        {"hx-vals": "js:{}"},
    ],
)
def test_attributes_refuse_what_the_policy_blocks(refused: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"blocks|blocked"):
        attributes(refused)


def test_a_request_that_nobody_recognised_has_a_frame() -> None:
    frame = Frame(RequestFactory().get("/nowhere/"))

    assert frame.user is None
    assert frame.organization is None
    assert list(frame.messages) == []
    assert frame.navigation == ()
    assert frame.workspaces == []
    assert frame.organizations == []


@pytest.mark.parametrize(
    ("cookie", "theme"), [("dark", "dark"), ("light", "light"), ('"><script>', "auto"), ("", "auto")]
)
def test_the_theme_is_one_of_three(cookie: str, theme: str) -> None:
    assert Frame(request(theme=cookie)).theme == theme


def labels(asked: Any) -> list[str]:
    return [link.entry.label for group in Frame(asked).navigation for link in group.links]


READERS_PAGES = [
    *("Overview", "Spend", "Credits", "Analytics"),
    *("Keys", "Guardrails", "Budgets", "Workspaces", "Members", "BYOK", "Observability"),
    "Presets",
    *("Models", "Audit log", "Sync"),
    "Settings",
]


@pytest.mark.parametrize(
    ("may", "seen"),
    [
        ({"read", "change", "own_keys", "manage"}, READERS_PAGES),
        ({"read", "change", "own_keys"}, READERS_PAGES),
        ({"read"}, READERS_PAGES),
        ({"own_keys"}, ["Spend", "Keys", "Models"]),
    ],
)
def test_the_sidebar_shows_what_a_role_may_open(may: set[str], seen: list[str]) -> None:
    asked = enter(request())
    asked.may = frozenset(may)

    assert labels(asked) == seen


def link(asked: Any, label: str) -> Any:
    found = (link for group in Frame(asked).navigation for link in group.links)
    return next(link for link in found if link.entry.label == label)


def test_only_who_reads_everything_sees_counts_and_workspaces() -> None:
    reader, member = enter(request()), enter(request())
    member.may = frozenset({"own_keys"})

    assert link(reader, "Keys").count == 10213
    assert [choice.label for choice in Frame(reader).workspaces][:2] == ["All workspaces", "Production"]
    assert link(member, "Keys").count is None
    assert Frame(member).workspaces == []


def test_the_open_page_is_marked_and_the_workspace_carried_along() -> None:
    asked = enter(request("/o/acme/keys/?workspace=research&state=active&page=3"))
    frame = Frame(asked)

    keys, audit = link(asked, "Keys"), link(asked, "Audit log")
    assert keys.is_open
    assert not audit.is_open
    assert keys.url == "/o/acme/keys/?workspace=research"
    assert audit.url == "/o/acme/auditlog/"
    chosen = [choice for choice in frame.workspaces if choice.is_chosen]
    assert [choice.label for choice in chosen] == ["Research"]
    assert frame.workspaces[0].url == "/o/acme/keys/?state=active"
    assert frame.workspaces[1].url == "/o/acme/keys/?workspace=production&state=active"


def test_a_workspace_nobody_knows_is_no_filter() -> None:
    frame = Frame(enter(request('/o/acme/keys/?workspace="><b>')))

    assert frame.workspace == ""
    assert link(frame.request, "Keys").url == "/o/acme/keys/"


def test_a_detail_page_leads_back_to_the_list_of_a_workspace() -> None:
    frame = Frame(enter(request("/o/acme/keys/f00d/?page=9")))

    assert frame.workspaces[1].url == "/o/acme/keys/?workspace=production"


def test_freshness_says_how_true_the_mirror_is() -> None:
    now = datetime.now(UTC)
    recent, old = (now - timedelta(minutes=2)).isoformat(), (now - timedelta(hours=3)).isoformat()

    assert freshness({}).label == "Never synced"
    assert freshness({"sync_state": "ok", "synced_at": recent}).kind == "ok"
    assert freshness({"sync_state": "ok", "synced_at": recent}).poll_seconds == 30
    assert freshness({"sync_state": "ok", "synced_at": old}).kind == "attention"
    running = freshness({"sync_state": "running", "synced_at": recent})
    assert (running.is_running, running.poll_seconds) == (True, 2)
    stale = freshness({"sync_state": "failed", "synced_at": old, "sync_message": "No answer."})
    assert "data from" in stale.label
    assert freshness({"sync_state": "ok", "synced_at": old}).short in freshness({"synced_at": old}).label
    failed = freshness({"sync_state": "failed", "synced_at": None, "sync_message": "401: key revoked"})
    assert (failed.kind, failed.detail) == ("danger", "401: key revoked. Nothing was synced yet.")


def test_a_broken_connection_says_so_instead() -> None:
    asked = enter(request())
    asked.organization.status = "broken"
    asked.organization.status_message = "The key was revoked."

    found = Frame(asked).freshness
    assert (found.kind, found.label) == ("danger", "Needs attention")
    assert found.detail == (
        "OpenRouter refused the management key. It says: The key was revoked. "
        "An owner can replace it in Settings."
    )
