"""Sensitive acts ask for the password again when the last proof is older than a quarter of an hour."""

from __future__ import annotations

from time import time
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.accounts.proof import PROOF_KEY, PROOF_SECONDS
from orgadmin.inventory.models import Key
from orgadmin.jobs.models import Job
from tests.conftest import PASSWORD, SignIn
from tests.keys.conftest import SECRET, form_in, hashes, key_form, live_keys, log_of, secret_in, sent, text_of
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"


@pytest.fixture
def stale(synced: Organization, admin: User, sign_in: SignIn, sandbox: RunningSandbox) -> Client:
    """A browser in which the administrator signed in a quarter of an hour ago."""
    browser = sign_in(admin)
    session = browser.session
    session[PROOF_KEY] = time() - PROOF_SECONDS - 1
    session.save()
    sandbox.sandbox.clear_requests()
    return browser


def test_it_asks_and_nothing_has_happened_yet(
    stale: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    response = stale.post(CREATE, key_form(synced, name="<b>kept</b>", limit="5"))
    page = text_of(response)
    assert "Is it still you?" in page
    assert "Nothing was changed yet." in page
    assert 'name="name" value="&lt;b&gt;kept&lt;/b&gt;"' in page
    assert sent(sandbox) == []
    assert log_of(synced) == []


def test_it_asks_before_it_says_anything_about_the_form(stale: Client, synced: Organization) -> None:
    assert "Is it still you?" in text_of(stale.post(CREATE, {"name": ""}))


def test_the_right_password_does_what_was_asked_for_once(
    stale: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    asked = stale.post(CREATE, key_form(synced, name="kept", limit="5", limit_reset="daily"))
    form = {**form_in(asked, CREATE), "proof_password": PASSWORD}
    secret_in(stale.post(CREATE, form))
    (call,) = sent(sandbox)
    assert (call.body["name"], call.body["limit"], call.body["limit_reset"]) == ("kept", 5, "daily")
    assert stale.post(CREATE, form).status_code == 409
    assert len(sent(sandbox)) == 1
    secret_in(stale.post(CREATE, key_form(synced, name="the next one is not asked")))


@pytest.mark.parametrize("typed", ["wrong", " " + PASSWORD, "a" * 10_000, "\x00"])
def test_a_wrong_password_does_nothing(
    stale: Client, synced: Organization, sandbox: RunningSandbox, typed: str
) -> None:
    asked = stale.post(CREATE, key_form(synced, name="kept"))
    response = stale.post(CREATE, {**form_in(asked, CREATE), "proof_password": typed})
    page = text_of(response)
    assert response.status_code == 403
    assert "That is not your password." in page
    assert form_in(response, CREATE)["name"] == "kept"
    assert typed not in page or typed in "\x00"
    assert sent(sandbox) == []


def test_guessing_is_throttled_and_then_the_right_one_does_not_help_either(
    stale: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    form = key_form(synced)
    for _ in range(10):
        assert "not your password" in text_of(stale.post(CREATE, {**form, "proof_password": "wrong"}))
    response = stale.post(CREATE, {**form, "proof_password": PASSWORD})
    assert response.status_code == 403
    assert "Too many tries." in text_of(response)
    assert sent(sandbox) == []


def test_a_clock_set_back_does_not_prolong_a_proof(stale: Client, synced: Organization) -> None:
    session = stale.session
    session[PROOF_KEY] = time() + 3600
    session.save()
    assert "Is it still you?" in text_of(stale.post(CREATE, key_form(synced)))


def test_htmx_gets_the_question_into_the_dialog(stale: Client, synced: Organization) -> None:
    response = stale.post(CREATE, key_form(synced), headers={"HX-Request": "true"})
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#dialog", "innerHTML")
    assert "<html" not in text_of(response)
    assert f'action="{CREATE}"' in text_of(response)


def test_whoever_has_no_password_is_led_to_set_one(
    stale: Client, synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    admin.set_unusable_password()
    admin.save()
    stale.force_login(admin)
    session = stale.session
    session.pop(PROOF_KEY, None)
    session.save()
    page = text_of(stale.post(CREATE, {**key_form(synced), "proof_password": ""}))
    assert "Set a password" in page
    assert sent(sandbox) == []


def test_every_sensitive_act_on_keys_asks(
    stale: Client, synced: Organization, key: Key, sandbox: RunningSandbox
) -> None:
    selected = {"selected": hashes(live_keys(synced)[:2])}
    asking: list[tuple[str, dict[str, Any]]] = [
        (CREATE, key_form(synced)),
        (f"/o/acme/keys/{key.hash}/rotate/", key_form(synced)),
        (f"/o/acme/keys/{key.hash}/delete/", {"confirmation": key.name}),
        ("/o/acme/keys/bulk/start/", {"action": "delete", "confirmation": "delete 2", **selected}),
    ]
    for address, form in asking:
        page = text_of(stale.post(address, form))
        assert "Is it still you?" in page, address
        assert not SECRET.search(page)
    assert sent(sandbox) == []
    assert not Job.objects.exists()


def test_a_selection_is_carried_whole(stale: Client, synced: Organization) -> None:
    keys = hashes(live_keys(synced)[:3])
    address = "/o/acme/keys/bulk/start/"
    page = text_of(stale.post(address, {"action": "disable", "selected": keys}))
    for key_hash in keys:
        assert f'name="selected" value="{key_hash}"' in page
    stale.post(address, {"action": "disable", "selected": keys, "proof_password": PASSWORD})
    assert set(Job.objects.get().items.values_list("target_id", flat=True)) == set(keys)


def test_reading_and_switching_off_never_ask(stale: Client, synced: Organization, key: Key) -> None:
    for part in ("", "edit/", "delete/", "rotate/"):
        assert "Is it still you?" not in text_of(stale.get(f"/o/acme/keys/{key.hash}/{part}"))
    assert stale.post(f"/o/acme/keys/{key.hash}/disable/").status_code == 302
    key.refresh_from_db()
    assert key.disabled
