"""Rotating a key: a successor with the same settings, and both live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from orgadmin.inventory.nouns import stored
from orgadmin.keys.models import Rotation
from orgadmin.keys.services.rotate import handover
from orgadmin.openrouter import keys as upstream
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
    sync()
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
    from orgadmin.keys.services import rotate
    from orgadmin.openrouter.errors import ServerFailure

    def fail(*_: Any) -> None:
        raise ServerFailure("No guardrail today", status=500)

    monkeypatch.setattr(rotate, "CARRY_OVER", [fail])
    response = desk.post(rotate_of(full), form_in(desk.get(rotate_of(full)), rotate_of(full)))
    assert response.status_code == 201
    secret_in(response)
    assert "No guardrail today" in text_of(response)
    assert Rotation.objects.count() == 1


def test_it_refuses_a_viewer(full: Key, viewer: User, sign_in: SignIn, sandbox: RunningSandbox) -> None:
    form = key_form(full.organization)
    assert sign_in(viewer).post(rotate_of(full), form).status_code == 403
    assert sent(sandbox) == []


# --- the handover ---


@pytest.fixture
def rotation(desk: Client, key: Key, sandbox: RunningSandbox) -> Rotation:
    desk.post(rotate_of(key), form_in(desk.get(rotate_of(key)), rotate_of(key)))
    sandbox.sandbox.clear_requests()
    return Rotation.objects.get()


def page_of(rotation: Rotation) -> str:
    return f"/o/acme/keys/rotations/{rotation.pk}/"


def spent(page: str) -> list[str]:
    """What the page says either key spent since the rotation, old one first."""
    import re

    return re.findall(r"Spend since the rotation</dt>\s*<dd>.*?(\$[\d,.]+)", page, re.DOTALL)


def test_the_page_shows_what_either_key_spent_since(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.quiet_key(rotation.old.hash)
    sandbox.sandbox.outside.quiet_key(rotation.new.hash)
    sync()
    rotation.old.refresh_from_db()
    Rotation.objects.update(old_usage_at_start=rotation.old.usage + rotation.old.byok_usage)
    sandbox.sandbox.outside.spend(rotation.old.hash, usd=3.5, byok_usd=0.25)
    sandbox.sandbox.outside.spend(rotation.new.hash, usd=12)
    sync()
    assert spent(text_of(desk.get(page_of(rotation)))) == ["$3.75", "$12.00"]
    listed = text_of(desk.get("/o/acme/keys/rotations/"))
    assert "$3.75" in listed
    assert "$12.00" in listed


def test_as_time_passes_both_counters_move_and_nothing_is_retired_by_itself(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.advance(timedelta(days=3))
    sync()
    old, new = (
        float(amount.strip("$").replace(",", "")) for amount in spent(text_of(desk.get(page_of(rotation))))
    )
    assert old > 0
    assert new > 0
    rotation.refresh_from_db()
    assert rotation.retired_at is None
    assert not sandbox.sandbox.key(rotation.old.hash)["disabled"]
    assert sent(sandbox) == []


def test_an_old_key_in_use_is_retired_only_with_the_tick(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.spend(rotation.old.hash, usd=1)
    sync()
    assert "The old key is still in use." in text_of(desk.get(page_of(rotation)))
    refused = desk.post(f"{page_of(rotation)}retire/")
    assert refused.status_code == 400
    assert "Tick the box" in text_of(refused)
    assert sent(sandbox) == []
    assert desk.post(f"{page_of(rotation)}retire/", {"still_used": "1"}).status_code == 302
    assert sandbox.sandbox.key(rotation.old.hash)["disabled"]


def test_a_quiet_old_key_is_retired_at_once_and_reversibly(
    desk: Client,
    rotation: Rotation,
    sandbox: RunningSandbox,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Key.objects.filter(pk=rotation.old.pk).update(active_at=timezone.now() - timedelta(hours=30, minutes=5))
    found = upstream.get(client_for(rotation.organization), key_hash=rotation.old.hash)
    silent = replace(found, last_used_at=timezone.now() - timedelta(hours=30, minutes=5))
    monkeypatch.setattr(upstream, "get", lambda *_, **__: silent)
    Key.objects.filter(pk=rotation.old.pk).update(
        usage=stored(found.usage), byok_usage=stored(found.byok_usage)
    )
    assert "was not used for 30 hours" in text_of(desk.get(page_of(rotation)))
    response: Any = desk.post(f"{page_of(rotation)}retire/")
    page = text_of(desk.get(response["Location"]))
    assert "is disabled. Delete it when nothing misses it." in page
    assert "Delete old key…" in page
    assert [call.body for call in sent(sandbox)] == [{"disabled": True}]
    assert (last_entry().action, last_entry().outcome, last_entry().actor) == ("key.disable", "ok", admin)
    desk.post(f"/o/acme/keys/{rotation.old.hash}/enable/")
    assert not sandbox.sandbox.key(rotation.old.hash)["disabled"]


def test_when_the_old_key_cannot_be_disabled_it_is_not_retired(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Locked", method="PATCH")
    response: Any = desk.post(f"{page_of(rotation)}retire/", {"still_used": "1"})
    assert "OpenRouter: Locked. The old key is as it was." in text_of(desk.get(response["Location"]))
    rotation.refresh_from_db()
    assert rotation.retired_at is None


def test_an_old_key_deleted_elsewhere_can_be_retired(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.delete_key(rotation.old.hash)
    response: Any = desk.post(f"{page_of(rotation)}retire/", {"still_used": "1"})
    assert response.status_code == 302
    rotation.refresh_from_db()
    assert rotation.retired_at is not None
    assert "was retired" in text_of(desk.get(page_of(rotation)))


def test_it_hides_rotations_of_others(
    desk: Client, rotation: Rotation, stranger: User, viewer: User, sign_in: SignIn
) -> None:
    assert sign_in(stranger).get(page_of(rotation)).status_code == 404
    reader = sign_in(viewer)
    assert reader.get(page_of(rotation)).status_code == 200
    assert "Retire old key" not in text_of(reader.get(page_of(rotation)))
    assert reader.post(f"{page_of(rotation)}retire/", {"still_used": "1"}).status_code == 403
    assert desk.get(f"/o/acme/keys/rotations/{10**30}/").status_code == 404


def test_a_key_used_since_the_last_pull_is_not_taken_for_quiet(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox
) -> None:
    Key.objects.filter(pk=rotation.old.pk).update(active_at=timezone.now() - timedelta(days=47))
    sandbox.sandbox.outside.spend(rotation.old.hash, usd=9)

    refused = desk.post(f"{page_of(rotation)}retire/")

    assert refused.status_code == 400
    assert "$9.00" in text_of(refused)
    assert not sandbox.sandbox.key(rotation.old.hash)["disabled"]


def test_silence_of_a_sync_that_is_down_is_not_silence_of_the_key(
    desk: Client, rotation: Rotation, synced: Organization
) -> None:
    Key.objects.filter(pk=rotation.old.pk).update(active_at=timezone.now() - timedelta(hours=48))
    stale = (timezone.now() - timedelta(hours=47)).isoformat()
    Organization.objects.update(summary={**synced.summary, "synced_at": stale})

    assert handover(Rotation.objects.select_related("old", "new", "organization").get()).is_quiet is False


def test_retiring_waits_when_openrouter_cannot_be_asked(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Not now", method="GET", path="/keys/*")
    response: Any = desk.post(f"{page_of(rotation)}retire/")
    assert "OpenRouter: Not now" in text_of(desk.get(response["Location"]))
    assert not sandbox.sandbox.key(rotation.old.hash)["disabled"]


def test_an_old_key_that_is_off_already_needs_no_waiting(
    desk: Client, rotation: Rotation, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(rotation.old.hash, disabled=True)
    sync()
    page = text_of(desk.get(page_of(rotation)))
    assert "there is nothing to wait for" in page
    assert "Close rotation" in page
    assert "Retire" not in page
    assert "Old one is off" in text_of(desk.get("/o/acme/keys/rotations/"))

    assert desk.post(f"{page_of(rotation)}retire/").status_code == 302
    rotation.refresh_from_db()
    assert rotation.retired_at is not None
    assert sent(sandbox) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"disabled": True}, "The successor is disabled"),
        ({"gone_at": timezone.now()}, "The successor was deleted"),
        ({"limit": 1, "limit_remaining": 0}, "The successor has reached its limit"),
    ],
)
def test_it_warns_of_a_successor_that_refuses(
    desk: Client, rotation: Rotation, state: dict[str, Any], words: str
) -> None:
    assert "what has changed over to it is refused" not in text_of(desk.get(page_of(rotation)))
    Key.objects.filter(pk=rotation.new.pk).update(**state)
    assert words in text_of(desk.get(page_of(rotation)))
