"""Creating a key when OpenRouter says no."""

from __future__ import annotations

from typing import Any

from django.test import Client

from orgadmin.accounts.models import Organization, RateSlot
from orgadmin.inventory.models import Key
from tests.keys.conftest import key_form, last_entry, log_of, secret_in, sent, text_of, token_in
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"
POST = {"method": "POST", "path": "/keys"}

# The fault, our status, what a person reads.
REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    ({"status": 400, "message": "Default workspace is unknown"}, 400, "Default workspace is unknown"),
    ({"status": 401, "message": "User not found."}, 502, "User not found."),
    ({"status": 402, "message": "Out of credits"}, 502, "Out of credits"),
    (
        {"status": 403, "message": "Only management keys can do this"},
        502,
        "Only management keys can do this",
    ),
    ({"status": 404, "message": "No such thing"}, 502, "No such thing"),
    ({"status": 409, "message": "Somebody else did"}, 502, "Somebody else did"),
    ({"status": 429, "message": "Slow down"}, 502, "Slow down"),
    ({"status": 429, "message": "Slow down", "headers": {"Retry-After": "30"}}, 502, "Slow down"),
]


def test_a_refusal_is_shown_beside_what_was_typed(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    for fault, status, message in REFUSALS:
        sandbox.sandbox.clear_requests()
        sandbox.sandbox.fault(kind="status", **POST, **fault)
        form = key_form(synced, name="kept as typed", limit="7.25", limit_reset="monthly")
        response = desk.post(CREATE, form)
        page = text_of(response)
        assert response.status_code == status, fault
        assert f"OpenRouter: {message}" in page
        assert "No key was created." in page
        assert 'value="kept as typed"' in page
        assert 'value="7.25"' in page
        assert '<option value="monthly" selected>' in page
        assert [call.status for call in sent(sandbox)] == [fault["status"]], fault
        assert log_of(synced)[-2:] == [("key.create", "started"), ("key.create", "failed")]
        assert last_entry().message == message
        assert not Key.objects.filter(name="kept as typed").exists()
        # What a 429 asked for holds for the next one too; it is a new day.
        RateSlot.objects.all().delete()


def test_the_form_comes_back_with_a_fresh_token_and_can_be_sent_again(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, **POST)
    form = key_form(synced)
    refused = desk.post(CREATE, form)
    fresh = token_in(refused)
    assert fresh != form["form_token"]
    secret_in(desk.post(CREATE, {**form, "form_token": fresh}))
    assert log_of(synced) == [("key.create", outcome) for outcome in ("started", "failed", "started", "ok")]


def test_a_field_or_a_word_nobody_has_heard_of_breaks_nothing(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="extra_field", **POST)
    sandbox.sandbox.fault(kind="unknown_enum", **POST)
    secret_in(desk.post(CREATE, key_form(synced, name="one")))
    secret_in(desk.post(CREATE, key_form(synced, name="two", limit="5", limit_reset="daily")))
    one, two = Key.objects.get(name="one"), Key.objects.get(name="two")
    assert "sandbox_extra" in one.extra
    assert two.limit_reset == "fortnightly"
    for key in (one, two):
        assert desk.get(f"/o/acme/keys/{key.hash}/").status_code == 200
    assert desk.get("/o/acme/keys/").status_code == 200


def test_a_secret_that_upstream_repeats_in_its_refusal_is_masked(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    raw = sandbox.sandbox.management_key
    sandbox.sandbox.fault(kind="status", status=401, message=f"Bad key {raw}", **POST)
    assert raw not in text_of(desk.post(CREATE, key_form(synced)))
    assert raw not in last_entry().message
