"""Rotating a key: a successor with the same settings, and both live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Guardrail, Key, KeyAssignment, Workspace
from orgadmin.keys.models import Rotation
from tests.conftest import SignIn, Sync
from tests.keys.conftest import form_in, key_form, last_entry, log_of, secret_in, sent, text_of, token_in
from tests.sandbox_server import RunningSandbox

POST = {"method": "POST", "path": "/keys"}


@pytest.fixture
def full(synced: Organization, sandbox: RunningSandbox, sync: Sync, key: Key) -> Key:
    """A key with every setting set."""
    sandbox.sandbox.outside.update_key(
        key.hash,
        name="ci (from 2024-05-01)",
        limit=20.5,
        limit_reset="weekly",
        include_byok_in_limit=True,
        expires_at=datetime(2031, 5, 4, 3, 2, tzinfo=UTC),
    )
    sync("keys")
    sandbox.sandbox.clear_requests()
    key.refresh_from_db()
    return key


def rotate_of(key: Key) -> str:
    return f"/o/acme/keys/{key.hash}/rotate/"


def test_the_successor_has_the_same_settings(desk: Client, full: Key, sandbox: RunningSandbox) -> None:
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    response = desk.post(rotate_of(full), form)
    assert response.status_code == 201
    (call,) = sent(sandbox)
    assert call.endpoint == "POST /keys"
    assert call.body == {
        "name": f"ci (from {timezone.now():%Y-%m-%d})",
        "workspace_id": full.workspace_uid,
        "creator_user_id": full.creator_user_id,
        "limit": 20.5,
        "limit_reset": "weekly",
        "include_byok_in_limit": True,
        "expires_at": "2031-05-04T03:02:00Z",
    }


def test_keys_of_every_kind_have_a_successor_with_their_settings(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    kept = Key.objects.filter(organization=synced).exclude(owner=None, creator_user_id__isnull=False)
    for key in list(kept.order_by("hash"))[::3]:
        old = sandbox.sandbox.key(key.hash)
        assert desk.post(rotate_of(key), form_in(desk.get(rotate_of(key)), rotate_of(key))).status_code == 201
        new = sandbox.sandbox.every_key(workspace_id=old["workspace_id"])[0]
        for setting in ("limit", "limit_reset", "include_byok_in_limit", "workspace_id", "creator_user_id"):
            assert new[setting] == old[setting], (key.name, setting)
        # Upstream takes no expiry that is past.
        ahead = key.expires_at is not None and key.expires_at > timezone.now()
        assert (new["expires_at"] is not None) is ahead, key.name


def test_the_owner_who_left_is_not_dropped_without_a_word(
    desk: Client, full: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    left = full.creator_user_id
    sandbox.sandbox.outside.remove_member(str(left))
    sync()
    page = desk.get(rotate_of(full))
    assert ">former member " in text_of(page)
    form = form_in(page, rotate_of(full))
    assert form["creator"] == left

    refused = desk.post(rotate_of(full), form)
    assert refused.status_code == 400
    assert "OpenRouter: " in text_of(refused)
    assert [call.body["creator_user_id"] for call in sent(sandbox)] == [left]

    again = form_in(refused, rotate_of(full))
    assert desk.post(rotate_of(full), {**again, "creator": ""}).status_code == 201


def test_both_keys_are_live_and_the_pair_is_noted(
    desk: Client, full: Key, sandbox: RunningSandbox, admin: User
) -> None:
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    secret_in(response)
    assert response["Cache-Control"] == "no-store"
    page = text_of(response)
    rotation = Rotation.objects.get()
    assert f"/o/acme/keys/rotations/{rotation.pk}/" in page
    assert "The old key keeps working meanwhile." in page
    assert (rotation.old, rotation.started_by, rotation.retired_at) == (full, admin, None)
    assert rotation.old_usage_at_start == full.usage + full.byok_usage
    for key in (rotation.old, rotation.new):
        assert sandbox.sandbox.key(key.hash)["disabled"] is False
    assert log_of(full.organization)[-2:] == [("key.rotate", "started"), ("key.rotate", "ok")]
    assert last_entry().target_id == rotation.new.hash
    assert "is being replaced by" in text_of(desk.get(f"/o/acme/keys/{full.hash}/"))


def test_the_successor_may_differ_where_that_was_asked_for(
    desk: Client, full: Key, sandbox: RunningSandbox
) -> None:
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    desk.post(rotate_of(full), {**form, "name": "ci", "limit": "5", "expires_at": ""})
    (call,) = sent(sandbox)
    assert (call.body["name"], call.body["limit"], "expires_at" in call.body) == ("ci", 5, False)


def test_a_very_long_name_still_fits_with_its_date(desk: Client, full: Key) -> None:
    Key.objects.filter(pk=full.pk).update(name="n" * 500)
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    assert len(form["name"]) <= 200
    assert desk.post(rotate_of(full), form).status_code == 201


def test_a_double_click_makes_one_successor(desk: Client, full: Key, sandbox: RunningSandbox) -> None:
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    assert [desk.post(rotate_of(full), form).status_code for _ in range(2)] == [201, 409]
    assert len(sent(sandbox)) == 1
    assert Rotation.objects.count() == 1


def test_a_refusal_leaves_the_old_key_alone_and_keeps_what_was_typed(
    desk: Client, full: Key, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Not on this plan", **POST)
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    response = desk.post(rotate_of(full), {**form, "name": "typed"})
    page = text_of(response)
    assert response.status_code == 502
    assert "OpenRouter: Not on this plan" in page
    assert "the old key is as it was" in page
    assert 'value="typed"' in page
    assert token_in(response) != form["form_token"]
    assert not Rotation.objects.exists()


def test_a_lost_answer_that_made_nothing_gives_the_form_back(
    desk: Client, full: Key, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=500, **POST)
    form = form_in(desk.get(rotate_of(full)), rotate_of(full))
    response = desk.post(rotate_of(full), form)
    assert "lists no such key" in text_of(response)
    assert form_in(response, rotate_of(full))["limit"] == form["limit"]
    assert len(sent(sandbox)) == 1


def test_a_lost_answer_that_made_a_key_offers_to_delete_it(
    desk: Client, full: Key, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="drop_after", **POST)
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    assert response.status_code == 502
    orphan = Key.objects.latest("id")
    assert f"/o/acme/keys/{orphan.hash}/delete/" in text_of(response)
    assert not Rotation.objects.exists()
    assert len(sent(sandbox)) == 1


def test_what_cannot_be_carried_over_costs_neither_the_secret_nor_the_pair(
    desk: Client, full: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orgadmin.inventory import successors
    from orgadmin.openrouter.errors import ServerFailure

    def fail(*_: Any) -> None:
        raise ServerFailure("No guardrail today", status=500)

    monkeypatch.setattr(successors, "CARRY_OVER", [fail])
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    assert response.status_code == 201
    secret_in(response)
    assert "No guardrail today" in text_of(response)
    assert Rotation.objects.count() == 1


def test_the_successor_holds_the_guardrail_before_its_secret_is_shown(
    desk: Client, full: Key, admin: User, sandbox: RunningSandbox
) -> None:
    guardrail = Guardrail.objects.filter(organization=full.organization, workspace_uid__isnull=False).exclude(
        uid__in=Workspace.objects.values("default_guardrail_id")
    )[0]
    sandbox.sandbox.outside.assign_guardrail(guardrail.uid, keys=[full.hash])
    KeyAssignment.objects.update_or_create(
        organization=full.organization, key_hash=full.hash, defaults={"guardrail_uid": guardrail.uid}
    )
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    assert response.status_code == 201
    new = Key.objects.latest("id")
    assert KeyAssignment.objects.get(key_hash=new.hash).guardrail_uid == guardrail.uid
    assert KeyAssignment.objects.get(key_hash=full.hash).guardrail_uid == guardrail.uid
    assert Entry.objects.filter(action="key_assignment.create", target_id=new.hash, outcome="ok").exists()


def test_a_guardrail_that_is_not_carried_over_is_named_beside_the_secret(
    desk: Client, full: Key, sandbox: RunningSandbox
) -> None:
    guardrail = Guardrail.objects.filter(organization=full.organization, gone_at=None)[0]
    KeyAssignment.objects.update_or_create(
        organization=full.organization, key_hash=full.hash, defaults={"guardrail_uid": guardrail.uid}
    )
    sandbox.sandbox.fault(kind="status", status=400, path="/guardrails/*", message="Not today.", times=9)
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    assert response.status_code == 201
    secret_in(response)
    assert "could not be carried over: Not today." in text_of(response)


def test_a_deleted_key_has_no_successor(desk: Client, full: Key, sandbox: RunningSandbox) -> None:
    Key.objects.filter(pk=full.pk).update(gone_at=timezone.now())
    for answer in (desk.get(rotate_of(full)), desk.post(rotate_of(full), key_form(full.organization))):
        assert answer.status_code == 409
        assert "This key no longer exists" in text_of(answer)
    assert sent(sandbox) == []
    assert not Rotation.objects.exists()


def test_it_refuses_a_viewer(full: Key, viewer: User, sign_in: SignIn, sandbox: RunningSandbox) -> None:
    form = key_form(full.organization)
    assert sign_in(viewer).post(rotate_of(full), form).status_code == 403
    assert sent(sandbox) == []
