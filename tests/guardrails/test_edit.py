"""Creating, editing and deleting guardrails: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization
from orgadmin.audit.models import Entry
from orgadmin.guardrails import patterns
from orgadmin.inventory.models import Guardrail, KeyAssignment, Workspace
from tests.conftest import Sync
from tests.guardrails.conftest import at
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def real(synced: Organization, sync: Sync, sandbox: RunningSandbox, workspace: Workspace) -> Guardrail:
    """One that exists upstream too, with two models allowed."""
    uid = sandbox.sandbox.outside.create_guardrail(name="Real", workspace_id=workspace.uid)
    sync()
    sandbox.sandbox.clear_requests()
    return Guardrail.objects.get(uid=uid)


def sent(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    """The bodies of every change that arrived upstream."""
    calls = [call for call in sandbox.sandbox.requests().last if call.method != "GET"]
    return [dict(call.body or {}) for call in calls]


def log() -> list[tuple[str, str]]:
    return list(Entry.objects.exclude(actor_kind="outside").order_by("id").values_list("action", "outcome"))


def opened(desk: Client, address: str) -> dict[str, Any]:
    """What the form would post untouched."""
    # What a template holds is not part of the form.
    text = re.sub(r"<template>.*?</template>", "", desk.get(address).content.decode(), flags=re.S)
    form: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", text):
        found = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        name = found.get("name", "")
        if not name or (found.get("type") == "checkbox" and " checked" not in tag):
            continue
        if found.get("type") == "checkbox" or name.startswith("content_filters-"):
            form.setdefault(name, []).append(found.get("value", "on"))
        else:
            form[name] = found.get("value", "")
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.S):
        chosen = re.findall(r'value="([^"]*)"[^>]*selected', body)
        form.setdefault(name, []).append(chosen[0] if chosen else re.findall(r'value="([^"]*)"', body)[0])
    return {name: value for name, value in form.items() if name not in {"q", "csrfmiddlewaretoken"}}


def test_one_is_created_with_what_was_said_and_nothing_else(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    form = {
        "name": "New",
        "workspace": workspace.uid,
        "form_token": str(uuid.uuid4()),
        "limit_usd": "50",
        "reset_interval": "monthly",
        "add-ignored_providers": "deepinfra, together",
        "enforce_zdr_openai": "on",
        "builtin-email": "redact",
        "content_filters-pattern": ["ticket-[0-9]+", ""],
        "content_filters-action": ["block", "redact"],
        "content_filters-label": ["Tickets", ""],
    }
    response: Any = desk.post(at("create"), form)
    assert response.status_code == 302, re.findall("error-summary.*?</div>", response.content.decode(), re.S)
    (body,) = sent(sandbox)
    assert body == {
        "name": "New",
        "workspace_id": workspace.uid,
        "limit_usd": 50,
        "reset_interval": "monthly",
        "ignored_providers": ["deepinfra", "together"],
        "enforce_zdr_openai": True,
        "content_filter_builtins": [{"slug": "email", "action": "redact"}],
        "content_filters": [{"pattern": "ticket-[0-9]+", "action": "block", "label": "Tickets"}],
    }
    assert log()[-2:] == [("guardrail.create", "started"), ("guardrail.create", "ok")]
    page = desk.get(response["Location"]).content.decode()
    assert "Guardrail created." in page
    assert "ticket-[0-9]+" in page
    desk.post(at("create"), form)
    assert len(sent(sandbox)) == 1, "a form is sent once"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"limit_usd": "5"}, "belong together"),
        ({"reset_interval": "daily"}, "belong together"),
        ({"limit_usd": "0", "reset_interval": "daily"}, "above zero"),
        ({"name": ""}, "Give the guardrail a name"),
        (
            {
                "content_filters-pattern": "(a+)+",
                "content_filters-action": "block",
                "content_filters-label": "",
            },
            "(a+)+",
        ),
        ({"builtin-email": "flag"}, "not one of the available choices"),
        ({"add-allowed_models": "nobody-at-all/*"}, "stands for none that we know"),
    ],
)
def test_what_openrouter_refuses_is_said_before_it_is_asked(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox, typed: dict[str, str], words: str
) -> None:
    sandbox.sandbox.clear_requests()
    form = {"name": "N", "workspace": workspace.uid, "form_token": str(uuid.uuid4()), **typed}
    response = desk.post(at("create"), form)
    assert response.status_code == 400
    assert words in html.unescape(response.content.decode())
    assert sent(sandbox) == []


def test_a_wildcard_is_expanded_into_what_is_known_and_shown(
    desk: Client, workspace: Workspace, strict: Guardrail, sandbox: RunningSandbox
) -> None:
    form = {
        "name": "N",
        "workspace": workspace.uid,
        "form_token": str(uuid.uuid4()),
        "add-ignored_models": "a/*",
    }
    text = html.unescape(desk.post(at("create"), form).content.decode())
    assert "“a/*” stands for 2 that we know" in text
    assert 'name="ignored_models" value="a/one" checked' in text
    suggested = desk.get(at("suggest") + "?list=ignored_models&add-ignored_models=on").content.decode()
    assert 'value="a/one"' in suggested
    assert 'value="a/two"' not in suggested


def test_only_what_changed_is_sent(desk: Client, real: Guardrail, sandbox: RunningSandbox) -> None:
    form = opened(desk, at(real.uid, "edit"))
    assert desk.post(at(real.uid, "edit"), form).status_code == 302
    assert sent(sandbox) == []
    response: Any = desk.post(at(real.uid, "edit"), {**form, "enforce_zdr_google": "off"})
    assert response.status_code == 302
    assert sent(sandbox) == [{"enforce_zdr_google": False}]
    assert log() == [("guardrail.update", "started"), ("guardrail.update", "ok")]
    assert "Guardrail saved." in desk.get(response["Location"]).content.decode()


def test_an_emptied_list_is_null(desk: Client, real: Guardrail, sandbox: RunningSandbox, sync: Sync) -> None:
    sandbox.sandbox.outside.update_guardrail(real.uid, ignored_providers=["cheap"])
    sync()
    form = opened(desk, at(real.uid, "edit"))
    assert form.pop("ignored_providers") == ["cheap"]
    sandbox.sandbox.clear_requests()
    desk.post(at(real.uid, "edit"), form)
    assert sent(sandbox) == [{"ignored_providers": None}]


def test_what_somebody_else_did_meanwhile_is_shown_three_ways_and_kept(
    desk: Client, real: Guardrail, sandbox: RunningSandbox
) -> None:
    form = {**opened(desk, at(real.uid, "edit")), "description": "mine"}
    sandbox.sandbox.outside.update_guardrail(real.uid, limit_usd=12, reset_interval="daily")
    response = desk.post(at(real.uid, "edit"), form)
    text = response.content.decode()
    assert response.status_code == 409
    assert sent(sandbox) == []
    assert "Apply mine onto theirs" in text
    assert "Budget of each key and member" in text
    merged = _form_of(text)
    assert (merged["limit_usd"], merged["description"]) == ("12", "mine")
    assert desk.post(at(real.uid, "edit"), merged).status_code == 302
    assert sent(sandbox) == [{"description": "mine"}]


def _form_of(text: str) -> dict[str, Any]:
    class Page:
        def get(self, _: str) -> Any:
            return type("Answer", (), {"content": text.encode()})

    return opened(Page(), "")  # type: ignore[arg-type]


def test_the_first_change_of_a_default_guardrail_makes_it(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    made = set(Guardrail.objects.values_list("uid", flat=True))
    place = Workspace.objects.exclude(default_guardrail_id__in=made)[0]
    form = opened(desk, at(place.default_guardrail_id, "edit"))
    assert "name" not in form
    response = desk.post(at(place.default_guardrail_id, "edit"), {**form, "enforce_zdr_openai": "on"})
    assert response.status_code == 302
    row = Guardrail.objects.get(uid=place.default_guardrail_id)
    assert (row.enforce_zdr_openai, row.workspace_uid) == (True, place.uid)
    sync()
    assert not Entry.objects.filter(actor_kind="outside").exists()
    assert desk.get(at(row.uid, "delete")).status_code == 404


def test_deleting_names_whom_it_frees_and_needs_its_name(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    held = KeyAssignment.objects.exclude(
        guardrail_uid__in=Workspace.objects.values("default_guardrail_id")
    ).order_by("pk")[0]
    row = Guardrail.objects.get(uid=held.guardrail_uid)
    assert held.key_name in html.unescape(desk.get(at(row.uid, "delete")).content.decode())
    assert desk.post(at(row.uid, "delete"), {"confirmation": "wrong"}).status_code == 400
    sandbox.sandbox.clear_requests()
    assert desk.post(at(row.uid, "delete"), {"confirmation": row.name}).status_code == 302
    assert len(sent(sandbox)) == 1
    assert not KeyAssignment.objects.filter(guardrail_uid=row.uid, gone_at=None).exists()
    sync()
    assert not Entry.objects.filter(actor_kind="outside", action__startswith="guardrail").exists()


def test_a_copy_opens_with_everything_but_the_name(desk: Client, strict: Guardrail) -> None:
    form = opened(desk, f"{at('create')}?copy={strict.uid}")
    assert form["name"] == "Copy of Strict"
    assert form["allowed_models"] == ["a/one", "a/two", "b/three"]
    assert form["content_filters-pattern"][0] == "ticket-[0-9]+"


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        ("", True), ("a(?=b)", True), ("(?<!a)b", True), (r"(a)\1", True), (r"(?<x>a)\k<x>", True),
        ("(a+)+", True), ("((a*)b)*", True), ("x" * 100_001, True), (r"\bticket-\d{4,}\b", False),
        ("(?<year>[0-9]+)-x", False), ("[(+)]+", False), (r"\(a+\)+", False), ("(?:ab)+c", False),
    ],
)  # fmt: skip
def test_patterns_are_checked_as_documented(pattern: str, refused: bool) -> None:
    assert bool(patterns.problem(pattern)) is refused


def test_one_that_was_deleted_elsewhere_is_noted_at_once(
    desk: Client, real: Guardrail, sandbox: RunningSandbox, sync: Sync
) -> None:
    form = {**opened(desk, at(real.uid, "edit")), "description": "Ours"}
    sandbox.sandbox.outside.delete_guardrail(real.uid)
    answer = desk.post(at(real.uid, "edit"), form, follow=True)
    assert "deleted elsewhere" in answer.content.decode()
    found = Entry.objects.get(actor_kind="outside", action="guardrail.delete")
    assert found.target_id == real.uid
    assert Entry.objects.filter(action="guardrail.delete", target_id=real.uid).count() == 1
    sync()
    assert Entry.objects.filter(action="guardrail.delete", target_id=real.uid).count() == 1


def test_a_form_sent_twice_says_what_came_of_the_first(
    desk: Client, workspace: Workspace, sandbox: RunningSandbox
) -> None:
    form = {"name": "Once", "workspace": workspace.uid, "form_token": str(uuid.uuid4())}
    desk.post(at("create"), form)
    sandbox.sandbox.clear_requests()
    answer = desk.post(at("create"), form, follow=True)
    assert "nothing was sent again. It came to: done." in answer.content.decode()
    assert sent(sandbox) == []
