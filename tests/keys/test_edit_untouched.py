"""Editing a key that has what our own forms would not take: what the editor leaves alone is not judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from orgadmin.inventory.models import Key
from tests.conftest import Sync
from tests.keys.conftest import form_in, sent, text_of
from tests.sandbox_server import RunningSandbox

ODD: list[dict[str, Any]] = [
    {"limit": 0.123456789},
    {"limit": 5e9},
    {"name": "x" * 250},
    {"name": " two\nlines "},
    {"limit": None, "limit_reset": "weekly"},
]


@pytest.fixture
def limited(sandbox: RunningSandbox, sync: Sync, key: Key) -> Key:
    """A key with a limit and a window."""
    sandbox.sandbox.outside.update_key(key.hash, name="ci", limit=20, limit_reset="weekly")
    sync("keys")
    sandbox.sandbox.clear_requests()
    key.refresh_from_db()
    return key


def edit_of(key: Key) -> str:
    return f"/o/acme/keys/{key.hash}/edit/"


def opened(desk: Client, key: Key) -> dict[str, str]:
    return form_in(desk.get(edit_of(key)), edit_of(key))


def bodies(sandbox: RunningSandbox) -> list[Any]:
    return [call.body for call in sent(sandbox)]


@pytest.mark.parametrize("odd", ODD, ids=[json.dumps(odd)[:30] for odd in ODD])
def test_an_odd_setting_does_not_stand_in_the_way_of_another(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync, odd: dict[str, Any]
) -> None:
    sandbox.sandbox.outside.update_key(limited.hash, **odd)
    sync("keys")
    form = opened(desk, limited)
    # A browser's input of one line drops the breaks.
    form["name"] = form["name"].replace("\n", "")

    assert desk.post(edit_of(limited), {**form, "include_byok_in_limit": "on"}).status_code == 302
    assert bodies(sandbox) == [{"include_byok_in_limit": True}]


def test_a_window_we_do_not_know_is_offered_and_survives_a_rename(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    Key.objects.filter(pk=limited.pk).update(limit_reset="quarterly")
    form = opened(desk, limited)
    assert form["limit_reset"] == "quarterly"

    desk.post(edit_of(limited), {**form, "name": "renamed"})
    assert bodies(sandbox) == [{"name": "renamed"}]


def test_an_unknown_window_is_no_choice_for_other_keys(desk: Client, limited: Key) -> None:
    form = opened(desk, limited)
    response = desk.post(edit_of(limited), {**form, "limit_reset": "quarterly"})
    assert response.status_code == 400
    assert "Choose one of the windows" in text_of(response)


def test_an_odd_setting_that_is_touched_is_judged(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(limited.hash, limit=5e9)
    sync("keys")
    response = desk.post(edit_of(limited), {**opened(desk, limited), "limit": "6000000000"})
    assert response.status_code == 400
    assert "more than a billion" in text_of(response)


def test_spaces_around_a_name_can_be_taken_away(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(limited.hash, name="ci ")
    sync("keys")
    desk.post(edit_of(limited), {**opened(desk, limited), "name": "ci"})
    assert bodies(sandbox) == [{"name": "ci"}]


@pytest.mark.parametrize(
    "claim",
    [{"name": "\ud800"}, {"name": "a\x00b"}, {"limit_reset": "\udfff"}, {"limit_reset": ["daily"]}],
    ids=["surrogate", "NUL", "surrogate window", "list"],
)
def test_what_no_row_can_hold_was_never_seen(
    desk: Client, limited: Key, sandbox: RunningSandbox, claim: dict[str, Any]
) -> None:
    form = opened(desk, limited)
    seen = json.dumps({**json.loads(form["seen"]), **claim})
    response = desk.post(edit_of(limited), {**form, "name": "other", "seen": seen})
    assert response.status_code == 400
    assert "Open the form again" in text_of(response)
    assert sent(sandbox) == []
