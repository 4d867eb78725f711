"""Restoring what an act changed: what is seen, what OpenRouter received, what the log says."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key
from orgadmin.keys.services import key_delete, key_set_disabled
from tests.auditlog.restoring import address, change_key, last, sent, text_of, ticked
from tests.conftest import SignIn, Sync
from tests.sandbox_server import RunningSandbox

pytestmark = pytest.mark.django_db


# --- what a person sees ---


def test_an_entry_offers_it_to_those_who_may_change(
    desk: Client, key: Key, admin: User, viewer: User, sign_in: SignIn
) -> None:
    entry = change_key(admin, key, limit=Decimal(80), name="robot")
    page = f"/o/acme/audit-log/{entry.pk}/"
    assert "Restore…" in text_of(desk.get(page))
    assert "Restore…" not in text_of(sign_in(viewer).get(page))
    assert sign_in(viewer).get(address(entry)).status_code == 403
    assert sign_in(viewer).post(address(entry), ticked("limit")).status_code == 403
    sheet = text_of(desk.get(address(entry)))
    for words in ("<del>$80.00</del>", "<ins>$50.00</ins>", "<del>robot</del>", "<ins>bot</ins>"):
        assert words in sheet, words
    assert "changed again since" not in sheet


def test_somebody_elses_entry_is_not_there(desk: Client, key: Key, admin: User, synced: Organization) -> None:
    entry = change_key(admin, key, name="robot")
    other = Organization.objects.create(name="Beta", slug="beta", base_url=synced.base_url)
    theirs = Entry.objects.create(
        organization=other, actor_kind="person", action="key.update", target_type="key", outcome="ok"
    )
    assert desk.get(address(theirs)).status_code == 404
    assert desk.get(address(entry)).status_code == 200


# --- keys ---


def test_a_key_gets_back_what_is_ticked_and_nothing_else(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80), name="robot")
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), ticked("limit"), follow=True)
    assert "“robot” is as it was." in text_of(answer)
    assert sent(sandbox) == [(f"PATCH /keys/{key.hash}", {"limit": 50})]
    key.refresh_from_db()
    assert (key.name, key.limit) == ("robot", Decimal(50))
    again = last("key.update")
    assert (again.restores, again.before, again.after) == (entry, {"limit": "80.00"}, {"limit": "50.00"})
    assert "Restored by" in text_of(desk.get(f"/o/acme/audit-log/{entry.pk}/"))
    assert "It restores" in text_of(desk.get(f"/o/acme/audit-log/{again.pk}/"))


def test_a_form_sent_twice_restores_once(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, name="robot")
    form = ticked("name")
    desk.post(address(entry), form)
    change_key(admin, key, name="third")
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), form, follow=True)
    assert "nothing was restored twice" in text_of(answer)
    assert sent(sandbox) == []


def test_what_was_changed_again_since_is_said(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    change_key(admin, key, limit=Decimal(90))
    sheet = text_of(desk.get(address(entry)))
    assert "changed again since" in sheet
    assert "<del>$90.00</del>" in sheet


def test_where_it_is_as_it_was_there_is_nothing_to_restore(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    change_key(admin, key, limit=Decimal(50))
    assert "Nothing to restore" in text_of(desk.get(address(entry)))
    assert desk.post(address(entry), ticked("limit")).status_code == 409


def test_nothing_ticked_sends_nothing(desk: Client, key: Key, admin: User, sandbox: RunningSandbox) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), {"form_token": str(uuid.uuid4()), "field": ["usage", "hash"]})
    assert answer.status_code == 400
    assert sent(sandbox) == []


def test_a_disabled_key_is_enabled_again(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    key_set_disabled(actor=admin, key=key, disabled=True)
    sandbox.sandbox.clear_requests()
    desk.post(address(last("key.disable")), ticked("disabled"))
    assert sent(sandbox) == [(f"PATCH /keys/{key.hash}", {"disabled": False})]


def test_a_deleted_key_cannot_come_back(desk: Client, key: Key, admin: User) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    key_delete(actor=admin, key=key)
    said = "A deleted key cannot come back"
    assert said in text_of(desk.get(address(entry)))
    deletion = last("key.delete")
    assert said in text_of(desk.get(f"/o/acme/audit-log/{deletion.pk}/"))
    assert "Restore…" not in text_of(desk.get(f"/o/acme/audit-log/{deletion.pk}/"))
    assert desk.post(address(deletion), ticked("name")).status_code == 409


def test_a_change_made_elsewhere_is_put_back_too(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(key.hash, limit=500)
    sync("keys")
    entry = Entry.objects.get(actor_kind="outside", action="key.update", target_id=key.hash)
    desk.post(address(entry), ticked("limit"))
    key.refresh_from_db()
    assert key.limit == Decimal(50)


def test_a_refusal_is_told_and_it_can_be_tried_again(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    sandbox.sandbox.fault(method="PATCH", kind="status", status=400, message="Not now", path="/keys/*")
    form = ticked("limit")
    answer = desk.post(address(entry), form)
    assert answer.status_code == 400
    assert "OpenRouter: Not now. Nothing was restored." in text_of(answer)
    assert form["form_token"] not in text_of(answer)
    failed = Entry.objects.latest("id")
    assert (failed.action, failed.outcome) == ("key.update", "failed")
    assert "did not take effect" in text_of(desk.get(f"/o/acme/audit-log/{failed.about_id}/"))
    assert desk.post(address(entry), ticked("limit")).status_code == 302


def test_what_changed_since_the_sheet_was_opened_is_not_overwritten(
    desk: Client, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    entry = change_key(admin, key, limit=Decimal(80))
    found = re.search(r'name="seen" value="(\w+)"', desk.get(address(entry)).content.decode())
    assert found is not None
    change_key(admin, key, limit=Decimal(90))
    sandbox.sandbox.clear_requests()
    answer = desk.post(address(entry), {**ticked("limit"), "seen": found.group(1)})
    assert answer.status_code == 409
    assert "no longer as you saw it" in text_of(answer)
    assert "<del>$90.00</del>" in text_of(answer)
    assert sent(sandbox) == []
