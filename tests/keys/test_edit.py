"""Editing a key: what changed and nothing else, and never over somebody's head."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.inventory.models import Key
from tests.conftest import SignIn, Sync
from tests.keys.conftest import form_in, last_entry, log_of, sent, text_of
from tests.sandbox_server import RunningSandbox

PATCH = "PATCH /keys/{hash}"


@pytest.fixture
def limited(synced: Organization, sandbox: RunningSandbox, sync: Sync, key: Key) -> Key:
    """A key with every editable setting set."""
    sandbox.sandbox.outside.update_key(
        key.hash, name="ci", limit=20, limit_reset="weekly", include_byok_in_limit=True
    )
    sync("keys")
    sandbox.sandbox.clear_requests()
    key.refresh_from_db()
    return key


def edit_of(key: Key) -> str:
    return f"/o/acme/keys/{key.hash}/edit/"


def opened(desk: Client, key: Key) -> dict[str, str]:
    """The form as it opens, ready to be changed and posted."""
    return form_in(desk.get(edit_of(key)), edit_of(key))


def bodies(sandbox: RunningSandbox) -> list[Any]:
    return [call.body for call in sent(sandbox, PATCH)]


def test_it_opens_on_what_the_key_is(desk: Client, limited: Key) -> None:
    form = opened(desk, limited)
    assert (form["name"], form["limit"], form["limit_reset"]) == ("ci", "20.00", "weekly")
    assert form["include_byok_in_limit"] == "on"


CHANGES: list[tuple[dict[str, str | None], dict[str, Any]]] = [
    ({"name": "CI, new"}, {"name": "CI, new"}),
    ({"limit": "25.5"}, {"limit": 25.5}),
    ({"limit": "0"}, {"limit": 0}),
    ({"limit": "", "limit_reset": ""}, {"limit": None, "limit_reset": None}),
    ({"limit_reset": ""}, {"limit_reset": None}),
    # A window sent alone may be judged against the body alone (FACTS trap 10): the limit goes along.
    ({"limit_reset": "daily"}, {"limit_reset": "daily", "limit": 20}),
    ({"include_byok_in_limit": None}, {"include_byok_in_limit": False}),
    ({"name": "both", "limit": "1"}, {"name": "both", "limit": 1}),
]


@pytest.mark.parametrize(("typed", "body"), CHANGES, ids=["+".join(typed) for typed, _ in CHANGES])
def test_only_what_changed_is_sent(
    desk: Client, limited: Key, sandbox: RunningSandbox, typed: dict[str, str | None], body: dict[str, Any]
) -> None:
    form = {**opened(desk, limited), **typed}
    response: Any = desk.post(
        edit_of(limited), {name: value for name, value in form.items() if value is not None}
    )
    assert response.status_code == 302
    assert bodies(sandbox) == [body]
    entry = last_entry()
    assert (entry.action, entry.outcome, entry.target_id) == ("key.update", "ok", limited.hash)
    assert entry.before is not None
    assert entry.after is not None
    assert set(entry.before) == set(entry.after) == set(body)
    assert "Key saved." in text_of(desk.get(response["Location"]))
    limited.refresh_from_db()
    shown = sandbox.sandbox.key(limited.hash)
    assert (limited.name, limited.limit_reset) == (shown["name"], shown["limit_reset"])


def test_a_name_with_spaces_around_it_stays_as_it_is_unless_edited(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    key = Key.objects.get(name="prod-api ")
    form = opened(desk, key)
    sandbox.sandbox.clear_requests()
    desk.post(edit_of(key), {**form, "limit": "77"})
    assert bodies(sandbox) == [{"limit": 77}]


def test_a_form_sent_as_it_opened_sends_nothing(desk: Client, limited: Key, sandbox: RunningSandbox) -> None:
    written = log_of(limited.organization)
    response: Any = desk.post(edit_of(limited), opened(desk, limited))
    assert "Nothing to save" in text_of(desk.get(response["Location"]))
    assert sent(sandbox) == []
    assert log_of(limited.organization) == written


def test_every_key_of_the_cast_can_be_opened_and_sent_back_unchanged(
    desk: Client, synced: Organization, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.clear_requests()
    for key in Key.objects.filter(organization=synced):
        assert desk.post(edit_of(key), opened(desk, key)).status_code == 302, key.name
    assert sent(sandbox) == []


# --- two at once ---


@pytest.fixture
def colleague(owner: User, sign_in: SignIn) -> Client:
    return sign_in(owner)


def test_two_who_change_different_fields_both_keep_theirs(
    desk: Client, colleague: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine, theirs = opened(desk, limited), opened(colleague, limited)
    colleague.post(edit_of(limited), {**theirs, "name": "renamed by a colleague"})
    assert desk.post(edit_of(limited), {**mine, "limit": "50"}).status_code == 302
    assert bodies(sandbox) == [{"name": "renamed by a colleague"}, {"limit": 50}]
    shown = sandbox.sandbox.key(limited.hash)
    assert (shown["name"], shown["limit"]) == ("renamed by a colleague", 50)


def test_two_who_change_the_same_field_are_told_and_nothing_is_sent(
    desk: Client, colleague: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine, theirs = opened(desk, limited), opened(colleague, limited)
    colleague.post(edit_of(limited), {**theirs, "limit": "50", "name": "renamed by a colleague"})
    sandbox.sandbox.clear_requests()
    response = desk.post(edit_of(limited), {**mine, "limit": "10"})
    page = text_of(response)
    assert response.status_code == 409
    assert sent(sandbox) == []
    assert "Somebody else changed this key while you had it open." in page
    row = page[page.index('<th scope="row">Limit</th>') :]
    assert row.startswith('<th scope="row">Limit</th><td>$20.00</td><td>$50.00</td><td>$10.00</td>')
    assert "Overwrite with mine" in page

    again = form_in(response, edit_of(limited))
    assert (again["limit"], again["name"]) == ("10", "renamed by a colleague")
    assert desk.post(edit_of(limited), again).status_code == 302
    assert bodies(sandbox) == [{"limit": 10}]
    assert last_entry().before == {"limit": "50.00"}


def test_amounts_of_a_conflict_are_money_and_names_are_not(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.outside.update_key(limited.hash, limit=1234.5, name="50")
    page = text_of(desk.post(edit_of(limited), {**mine, "limit": "", "limit_reset": "", "name": "60"}))
    cells = re.findall(r"<td>(.*?)</td>", page[page.index("What differs") :])
    assert ["$20.00", "$1,234.50", "none"] in [cells[at : at + 3] for at in range(0, len(cells), 3)]
    assert [limited.name, "50", "60"] in [cells[at : at + 3] for at in range(0, len(cells), 3)]


def test_an_overwrite_is_refused_again_when_it_changed_once_more(
    desk: Client, colleague: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine = opened(desk, limited)
    colleague.post(edit_of(limited), {**opened(colleague, limited), "limit": "50"})
    again = form_in(desk.post(edit_of(limited), {**mine, "limit": "10"}), edit_of(limited))
    colleague.post(edit_of(limited), {**opened(colleague, limited), "limit": "60"})
    assert desk.post(edit_of(limited), again).status_code == 409
    assert sandbox.sandbox.key(limited.hash)["limit"] == 60


def test_two_who_want_the_same_agree(
    desk: Client, colleague: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine, theirs = opened(desk, limited), opened(colleague, limited)
    colleague.post(edit_of(limited), {**theirs, "limit": "50"})
    assert desk.post(edit_of(limited), {**mine, "limit": "50.00"}).status_code == 302
    assert bodies(sandbox) == [{"limit": 50}]


def test_a_change_from_outside_is_noticed_and_ends_up_in_the_log(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.outside.update_key(limited.hash, limit=99)
    assert desk.post(edit_of(limited), {**mine, "limit": "10"}).status_code == 409
    entry = last_entry()
    assert (entry.action, entry.actor_kind) == ("key.update", "outside")
    assert (entry.before, entry.after) == ({"limit": "20.00"}, {"limit": "99.00"})
    written = log_of(limited.organization)
    sync("keys")
    assert log_of(limited.organization) == written


def test_a_change_from_outside_in_another_field_is_in_the_log_too(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.outside.update_key(limited.hash, name="renamed elsewhere", disabled=True)
    desk.post(edit_of(limited), {**mine, "limit": "10"})
    sync("keys")
    outside = limited.organization.audit_entries.filter(actor_kind="outside").order_by("id").last()
    assert outside is not None
    assert outside.after == {"name": "renamed elsewhere", "disabled": True}


# --- what goes wrong ---


def test_a_key_deleted_elsewhere_is_marked_gone_and_the_log_says_so(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.outside.delete_key(limited.hash)
    response: Any = desk.post(edit_of(limited), {**mine, "limit": "10"})
    page = text_of(desk.get(response["Location"]))
    assert "OpenRouter does not know this key any more" in page
    assert "no longer exists at OpenRouter" in page
    limited.refresh_from_db()
    assert limited.gone_at is not None
    assert sent(sandbox) == []
    entry = last_entry()
    assert (entry.action, entry.actor_kind, entry.target_id) == ("key.delete", "outside", limited.hash)
    written = log_of(limited.organization)
    sync("keys")
    assert log_of(limited.organization) == written


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 400, "message": "No such window"}, 400),
        ({"status": 401, "message": "No such user"}, 502),
        ({"status": 403, "message": "Not yours"}, 502),
        ({"status": 429, "message": "Slow down", "times": 3}, 502),
        ({"status": 503, "message": "Overloaded", "times": 3}, 502),
    ],
    ids=["400", "401", "403", "429", "503"],
)
def test_a_refusal_is_shown_beside_what_was_typed(
    desk: Client, limited: Key, sandbox: RunningSandbox, fault: dict[str, Any], status: int
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.fault(kind="status", method="PATCH", **fault)
    response = desk.post(edit_of(limited), {**mine, "name": "typed", "limit": "7.5"})
    page = text_of(response)
    assert response.status_code == status
    assert f"OpenRouter: {fault['message']}" in page
    assert 'value="typed"' in page
    assert 'value="7.5"' in page
    assert last_entry().outcome == "failed"
    # After a server's failure the key was read again, and the log says so behind OpenRouter's words.
    assert last_entry().message.startswith(fault["message"])
    limited.refresh_from_db()
    assert (limited.name, limited.limit) == ("ci", Decimal(20))


def test_when_the_key_cannot_be_read_first_nothing_is_written(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine = opened(desk, limited)
    written = log_of(limited.organization)
    sandbox.sandbox.fault(kind="html", status=502, method="GET", path="/keys/*", times=3)
    response = desk.post(edit_of(limited), {**mine, "name": "typed"})
    assert response.status_code == 502
    assert "The key was not changed." in text_of(response)
    assert sent(sandbox) == []
    assert log_of(limited.organization) == written


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "cut"])
def test_a_lost_answer_is_asked_for_again_and_the_change_is_there_once(
    desk: Client, limited: Key, sandbox: RunningSandbox, kind: str
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.fault(kind=kind, method="PATCH", times=3)
    assert desk.post(edit_of(limited), {**mine, "limit": "7.5"}).status_code == 302
    assert last_entry().outcome == "ok"
    assert "read again: the change took effect" in last_entry().message
    limited.refresh_from_db()
    assert limited.limit == Decimal("7.5")


def test_a_change_that_was_lost_on_the_way_is_known_not_to_be(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.fault(kind="drop_before", method="PATCH", times=3)
    response = desk.post(edit_of(limited), {**mine, "limit": "7.5"})
    assert response.status_code == 502
    assert "The key was not changed." in text_of(response)
    assert 'value="7.5"' in text_of(response)
    assert last_entry().outcome == "failed"
    assert "read again: nothing changed" in last_entry().message


def test_what_nobody_can_know_stays_unknown_until_a_sync_finds_it(
    desk: Client, limited: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    mine = opened(desk, limited)
    sandbox.sandbox.fault(kind="drop_after", method="PATCH", times=3)
    # The first read is the one before the change; the ones after it fail.
    reads = iter([False])
    real = sandbox.sandbox._faults.take

    def take(method: str, path: str) -> Any:
        if method == "GET" and next(reads, True):
            sandbox.sandbox.fault(kind="status", status=500, method="GET", path="/keys/*")
        return real(method, path)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(sandbox.sandbox._faults, "take", take)
        response = desk.post(edit_of(limited), {**mine, "limit": "7.5"})
    assert response.status_code == 502
    assert "Nobody knows yet whether the change took effect" in text_of(response)
    assert last_entry().outcome == "unknown"
    sandbox.sandbox.clear_faults()
    sync("keys")
    assert (last_entry().outcome, last_entry().action) == ("ok", "key.update")
    assert "took effect" in last_entry().message
    assert not limited.organization.audit_entries.filter(
        actor_kind="outside", after={"limit": "7.5"}
    ).exists()


# --- who may, and what may be sent ---


def test_it_refuses_a_viewer_and_hides_what_is_not_there(
    desk: Client, synced: Organization, key: Key, viewer: User, sign_in: SignIn
) -> None:
    assert sign_in(viewer).get(edit_of(key)).status_code == 403
    assert desk.get(f"/o/acme/keys/{'0' * 64}/edit/").status_code == 404
    assert desk.post(f"/o/acme/keys/{'0' * 64}/edit/", {}).status_code == 404


SEEN = [
    "",
    "null",
    "[]",
    "{}",
    "[" * 100_000,
    "1" * 5000,
    '{"name": "ci"}',
    '{"name": "ci", "limit": "sNaN", "limit_reset": null, "include_byok_in_limit": true}',
    '{"name": "ci", "limit": "lots", "limit_reset": null, "include_byok_in_limit": true}',
    '{"name": "ci", "limit": {"a": 1}, "limit_reset": null, "include_byok_in_limit": true}',
    "\x00",
]


def test_a_form_that_forgot_what_it_saw_must_be_opened_again(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    form = opened(desk, limited)
    for seen in SEEN:
        response = desk.post(edit_of(limited), {**form, "name": "typed", "seen": seen})
        assert response.status_code == 400, seen[:80]
    assert sent(sandbox) == []


def test_a_window_without_a_limit_is_refused_here(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    response = desk.post(edit_of(limited), {**opened(desk, limited), "limit": ""})
    assert response.status_code == 400
    assert "Only a limit can reset" in text_of(response)
    assert sent(sandbox) == []


def test_another_window_leaves_a_limit_that_was_lowered_meanwhile(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    form = opened(desk, limited)
    sandbox.sandbox.outside.update_key(limited.hash, limit=5)

    desk.post(edit_of(limited), {**form, "limit_reset": "daily"})

    assert bodies(sandbox) == [{"limit_reset": "daily", "limit": 5}]


def test_a_window_for_a_limit_that_was_removed_meanwhile_is_a_conflict(
    desk: Client, limited: Key, sandbox: RunningSandbox
) -> None:
    form = opened(desk, limited)
    sandbox.sandbox.outside.update_key(limited.hash, limit=None)

    answer = desk.post(edit_of(limited), {**form, "limit_reset": "daily"})

    assert answer.status_code == 409
    assert bodies(sandbox) == []
