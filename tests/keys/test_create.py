"""Creating a key: what is asked for arrives, and the secret is shown once."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Key, Member, Workspace
from tests.conftest import SignIn, Sync
from tests.keys.conftest import key_form, log_of, secret_in, sent, shown, text_of, token_in
from tests.sandbox_server import RunningSandbox

CREATE = "/o/acme/keys/create/"
LIST = "/o/acme/keys/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def only_changes(desk: Client, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()


def test_every_field_arrives_upstream_exactly(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    workspace = Workspace.objects.get(organization=synced, slug="research")
    member = Member.objects.filter(organization=synced)[0]
    expires = (timezone.now() + timedelta(days=90)).replace(second=0, microsecond=0)
    form = key_form(
        synced,
        name="  Überwachung – “prod” 🔬 ",
        workspace=workspace.uid,
        creator=member.uid,
        limit="1,204.000001",
        limit_reset="weekly",
        include_byok_in_limit="on",
        expires_at=f"{expires:%Y-%m-%dT%H:%M}",
    )
    assert desk.post(CREATE, form).status_code == 201
    (call,) = sent(sandbox)
    assert (call.method, call.path, call.query) == ("POST", "/api/v1/keys", {})
    assert call.body == {
        "name": "Überwachung – “prod” 🔬",
        "workspace_id": workspace.uid,
        "creator_user_id": member.uid,
        "limit": 1204.000001,
        "limit_reset": "weekly",
        "include_byok_in_limit": True,
        "expires_at": f"{expires:%Y-%m-%dT%H:%M:%S}Z",
    }


def test_what_was_left_empty_is_not_sent(desk: Client, synced: Organization, sandbox: RunningSandbox) -> None:
    form = key_form(synced, creator="", limit="", limit_reset="", expires_at="")
    assert desk.post(CREATE, form).status_code == 201
    (call,) = sent(sandbox)
    assert call.body == {
        "name": "checkout-service",
        "workspace_id": form["workspace"],
        "include_byok_in_limit": False,
    }


def test_a_limit_of_nothing_is_a_limit(desk: Client, synced: Organization, sandbox: RunningSandbox) -> None:
    assert desk.post(CREATE, key_form(synced, limit="0")).status_code == 201
    assert sent(sandbox)[0].body["limit"] == 0
    assert Key.objects.get(name="checkout-service").limit == 0


def test_the_key_is_in_the_list_at_once_and_the_next_sync_agrees(
    desk: Client, synced: Organization, sandbox: RunningSandbox, sync: Sync
) -> None:
    desk.post(CREATE, key_form(synced, limit="25", limit_reset="daily"))
    row = Key.objects.get(name="checkout-service")
    assert (row.limit, row.limit_reset, row.disabled, row.gone_at) == (25, "daily", False, None)
    assert row.workspace is not None
    assert shown(desk.get(LIST, {"q": "checkout-service"})) == [row.hash]
    synced.refresh_from_db()
    assert synced.summary["keys"] == 41
    sync("keys")
    assert log_of(synced) == [("key.create", "started"), ("key.create", "ok")]


def test_the_log_says_who_made_what(desk: Client, synced: Organization, admin: User) -> None:
    desk.post(CREATE, key_form(synced, limit="25", limit_reset="daily"))
    started, ok = Entry.objects.order_by("id")
    assert (started.outcome, ok.outcome, ok.about) == ("started", "ok", started)
    assert (started.actor, ok.actor, ok.actor_name) == (admin, admin, str(admin))
    assert (started.target_id, started.before) == ("", None)
    assert (ok.target_id, ok.target_name) == (Key.objects.latest("id").hash, "checkout-service")
    assert ok.after is not None
    assert (ok.after["limit"], ok.after["limit_reset"]) == ("25", "daily")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_secret_is_shown_once_and_not_stored_by_the_browser(
    desk: Client, synced: Organization, headers: dict[str, str]
) -> None:
    response = desk.post(CREATE, key_form(synced), headers=headers)
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    secret = secret_in(response)
    row = Key.objects.get(name="checkout-service")
    assert hashlib.sha256(secret.encode()).hexdigest() == row.hash
    assert "shows this once" in text_of(response)
    for address in (LIST, f"{LIST}{row.hash}/", f"{LIST}{row.hash}/edit/", "/o/acme/audit-log/", CREATE):
        assert secret not in text_of(desk.get(address)), address


def test_the_secret_is_nowhere_else(
    desk: Client, synced: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = secret_in(desk.post(CREATE, key_form(synced)))
    assert secret not in caplog.text
    assert not tables_holding(secret)
    session = dict(desk.session)
    assert session
    assert secret not in repr(session)
    assert all(secret not in str(cookie) for cookie in desk.cookies.values())


def tables_holding(text: str) -> list[str]:
    """The tables that hold a text in any column."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.append(table)
    return found


# --- the form ---


def test_the_form_opens_with_a_token_of_its_own_each_time(desk: Client, synced: Organization) -> None:
    first, second = desk.get(CREATE), desk.get(CREATE)
    assert token_in(first) != token_in(second)


def test_the_form_opens_on_the_workspace_the_list_was_filtered_by(desk: Client, synced: Organization) -> None:
    research = Workspace.objects.get(organization=synced, slug="research")
    page = text_of(desk.get(CREATE, {"workspace": "research"}))
    assert f'<option value="{research.uid}" selected>Research</option>' in page


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "Give the key a name"),
    ({"name": "   "}, "Give the key a name"),
    ({"name": "a\nb"}, "characters that cannot be seen"),
    ({"name": "a" * 201}, "at most 200 characters"),
    ({"workspace": "somewhere"}, "Choose one of the workspaces in the list."),
    ({"workspace": None}, "This field is required."),
    ({"creator": "user_of_another_organization"}, "Choose one of the members in the list."),
    ({"limit": "-1"}, "A limit cannot be negative."),
    ({"limit": "NaN"}, "Write an amount in US dollars"),
    ({"limit": "Infinity"}, "Write an amount in US dollars"),
    ({"limit": "1e400"}, "more than a billion"),
    ({"limit": "12,50"}, "Write an amount in US dollars"),
    ({"limit": "1.0000001"}, "no more than 6 decimal places"),
    ({"limit_reset": "monthly"}, "Only a limit can reset"),
    ({"limit": "5", "limit_reset": "yearly"}, "Choose one of the windows in the list."),
    ({"expires_at": "2020-01-01T00:00"}, "already past"),
    ({"expires_at": "2030-01-01T00:00+02:00"}, "in UTC"),
    ({"expires_at": "tomorrow"}, "Write a date and time"),
    ({"form_token": "once"}, "Enter a valid UUID."),
]


def test_what_upstream_would_refuse_is_refused_here_and_nothing_is_sent(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    for fields, message in REFUSED:
        response = desk.post(CREATE, key_form(synced, **fields))
        page = text_of(response)
        assert response.status_code == 400, fields
        assert message in page, fields
        assert "No key was created" in page
    assert sent(sandbox) == []
    assert log_of(synced) == []


def test_what_was_typed_survives_a_refusal(desk: Client, synced: Organization) -> None:
    page = text_of(
        desk.post(
            CREATE,
            key_form(synced, name="<kept>", limit="-5", limit_reset="daily", include_byok_in_limit="on"),
        )
    )
    assert 'value="&lt;kept&gt;"' in page
    assert 'value="-5"' in page
    assert '<option value="daily" selected>' in page
    assert 'name="include_byok_in_limit" ' in page
    assert "checked" in page


@pytest.mark.parametrize("typed", ["$1,204.50", " 1204.5 ", "1,204.50", "1204.500000"])
def test_a_limit_may_be_typed_as_people_write_money(
    desk: Client, synced: Organization, sandbox: RunningSandbox, typed: str
) -> None:
    assert desk.post(CREATE, key_form(synced, limit=typed)).status_code == 201
    assert sent(sandbox)[0].body["limit"] == 1204.5


# --- who may ---


def test_it_refuses_a_viewer(
    synced: Organization, viewer: User, sign_in: SignIn, sandbox: RunningSandbox
) -> None:
    assert sign_in(viewer).post(CREATE, key_form(synced)).status_code == 403
    assert sent(sandbox) == []


def test_it_refuses_other_methods(desk: Client) -> None:
    assert desk.put(CREATE).status_code == 405
    assert desk.delete(CREATE).status_code == 405


def test_a_disconnected_organization_says_what_to_do(desk: Client, synced: Organization) -> None:
    Organization.objects.filter(pk=synced.pk).update(management_key=None, status="disconnected")
    response = desk.post(CREATE, key_form(synced))
    assert response.status_code == 502
    assert "This organization is disconnected." in text_of(response)
    assert log_of(synced) == []
