"""While two keys are live: what the old one still does, and when it may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
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
from tests.keys.conftest import form_in, last_entry, sent, text_of
from tests.keys.test_rotate import rotate_of
from tests.sandbox_server import RunningSandbox


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


def test_a_rotation_is_retired_once(desk: Client, rotation: Rotation, sandbox: RunningSandbox) -> None:
    desk.post(f"{page_of(rotation)}retire/", {"still_used": "1"})
    retired_at = Rotation.objects.get().retired_at
    desk.post(f"/o/acme/keys/{rotation.old.hash}/enable/")
    sandbox.sandbox.clear_requests()
    response: Any = desk.post(f"{page_of(rotation)}retire/", {"still_used": "1"})
    assert "The old key was retired already." in text_of(desk.get(response["Location"]))
    assert sent(sandbox) == []
    assert not sandbox.sandbox.key(rotation.old.hash)["disabled"]
    assert Rotation.objects.get().retired_at == retired_at


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
