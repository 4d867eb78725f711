"""The page of one key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from tests.conftest import SignIn, Sync
from tests.keys.conftest import form_in, text_of
from tests.sandbox_server import RunningSandbox

# A Wednesday.
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def page_of(desk: Client, key: Key) -> str:
    response = desk.get(f"/o/acme/keys/{key.hash}/")
    assert response.status_code == 200
    return text_of(response)


def test_every_key_of_the_cast_has_a_page(desk: Client, synced: Organization) -> None:
    for key in Key.objects.filter(organization=synced):
        page = page_of(desk, key)
        assert key.hash in page
        assert key.label in page


def test_it_shows_what_was_spent_and_what_is_left(desk: Client, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(
        usage_daily=Decimal("1.25"),
        usage_weekly=Decimal("20.5"),
        usage_monthly=Decimal("60"),
        usage=Decimal("1234.5"),
        byok_usage=Decimal("0.001"),
        limit=Decimal(100),
        limit_remaining=Decimal(40),
        limit_reset="monthly",
    )
    page = page_of(desk, key)
    for amount in ("$1.25", "$20.50", "$60.00", "$1,234.50", "&lt;$0.01", "$40.00"):
        assert amount in page, amount
    assert "$60.00 of $100.00" in page


@pytest.mark.parametrize(
    ("limit", "reset", "words"),
    [
        (Decimal(100), "monthly", "$100 / month"),
        (Decimal(100), None, "$100 / lifetime"),
        (None, None, "It had none."),
    ],
)
def test_nothing_is_left_of_a_deleted_keys_limit(
    desk: Client, key: Key, limit: Decimal | None, reset: str | None, words: str
) -> None:
    left = None if limit is None else Decimal("41.11")
    Key.objects.filter(pk=key.pk).update(
        limit=limit, limit_remaining=left, limit_reset=reset, gone_at=timezone.now()
    )
    page = page_of(desk, key)
    assert words in page
    for promise in ("$41.11", "<meter", "Next reset", "can spend all the credits"):
        assert promise not in page, promise


@pytest.mark.parametrize(
    ("reset", "moment"),
    [
        ("daily", "2026-11-26T00:00:00Z"),
        ("weekly", "2026-11-30T00:00:00Z"),
        ("monthly", "2026-12-01T00:00:00Z"),
    ],
)
def test_it_says_when_the_limit_resets(desk: Client, key: Key, reset: str, moment: str) -> None:
    Key.objects.filter(pk=key.pk).update(limit=100, limit_remaining=40, limit_reset=reset)
    with time_machine.travel(NOON, tick=False):
        desk.force_login(User.objects.get(email="adam@house.test"))
        assert f'datetime="{moment}"' in page_of(desk, key)


def test_a_window_nobody_knows_is_shown_as_it_is(desk: Client, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(limit=100, limit_remaining=40, limit_reset="fortnightly")
    assert "fortnightly" in page_of(desk, key)


def test_unknown_is_never_zero(desk: Client, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(limit=100, limit_remaining=None, active_at=None, created_at=None)
    page = page_of(desk, key)
    assert "— of $100.00" in page
    assert "OpenRouter does not say when" in page
    assert "no use on record" not in page
    Key.objects.filter(pk=key.pk).update(usage=0, byok_usage=0)
    assert "no use on record" in page_of(desk, key)


def test_its_history_is_what_happened_here_and_elsewhere(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync, admin: User
) -> None:
    address = f"/o/acme/keys/{key.hash}/edit/"
    desk.post(address, {**form_in(desk.get(address), address), "limit": "55"})
    sandbox.sandbox.outside.update_key(key.hash, name="renamed elsewhere")
    sync()
    page = page_of(desk, key)
    history = page[page.index(">History<") :]
    assert history.index("Outside this dashboard") < history.index(str(admin))
    assert f"{key.name} → renamed elsewhere" in history
    assert "$55.00" in history


def test_a_successor_made_here_begins_its_history_with_its_creation(desk: Client, key: Key) -> None:
    address = f"/o/acme/keys/{key.hash}/rotate/"
    desk.post(address, form_in(desk.get(address), address))
    assert "Rotate key" in page_of(desk, Key.objects.latest("id"))


def test_fields_nobody_knew_are_shown(desk: Client, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(extra={"colour": "<green>", "nested": {"a": [1]}})
    page = page_of(desk, key)
    assert "Further fields of OpenRouter" in page
    assert "&lt;green&gt;" in page


def test_a_viewer_sees_it_without_the_buttons(
    synced: Organization, key: Key, viewer: User, sign_in: SignIn
) -> None:
    page = page_of(sign_in(viewer), key)
    for part in ("edit/", "rotate/", "disable/", "delete/"):
        assert f"/{key.hash}/{part}" not in page


def test_what_is_not_there_is_404(
    desk: Client, synced: Organization, stranger: User, sign_in: SignIn, key: Key
) -> None:
    assert desk.get(f"/o/acme/keys/{'0' * 64}/").status_code == 404
    assert desk.get(f"/o/acme/keys/{key.hash.upper()}/").status_code == 404
    assert sign_in(stranger).get(f"/o/acme/keys/{key.hash}/").status_code == 404


def test_a_key_that_expires_says_when(desk: Client, key: Key) -> None:
    Key.objects.filter(pk=key.pk).update(
        expires_at=timezone.now() + timedelta(days=3), limit=None, limit_remaining=None
    )
    assert "Expires soon" in page_of(desk, key)
    Key.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(days=3))
    assert "Expired" in page_of(desk, key)


@pytest.mark.parametrize(("reset", "why"), [(None, "never resets"), ("hourly", "OpenRouter does not say")])
def test_it_says_why_there_is_no_next_reset(desk: Client, key: Key, reset: str | None, why: str) -> None:
    Key.objects.filter(pk=key.pk).update(limit=5, limit_remaining=5, limit_reset=reset)
    assert why in page_of(desk, key)
