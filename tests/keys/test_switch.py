"""Disabling and enabling a key, and the lock of an administrator."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.inventory.models import Key
from orgadmin.keys.services.recording import target_of
from tests.conftest import SignIn, Sync
from tests.keys.conftest import last_entry, log_of, sent, text_of
from tests.sandbox_server import RunningSandbox

PATCH = "PATCH /keys/{hash}"


@pytest.fixture
def mine(member: User, synced: Organization, sandbox: RunningSandbox) -> Key:
    """A live key of the member's own."""
    sandbox.sandbox.clear_requests()
    keys = Key.objects.filter(organization=synced, owner__email__iexact=member.email, disabled=False)
    return keys.filter(expires_at=None).order_by("id")[0]


@pytest.fixture
def theirs(member: User, sign_in: SignIn) -> Client:
    """The member's browser."""
    return sign_in(member)


def switch(browser: Client, key: Key, verb: str) -> str:
    """Press the button; the page that the browser is sent to."""
    response: Any = browser.post(f"/o/acme/keys/{key.hash}/{verb}/")
    assert response.status_code == 302, response.content
    return text_of(browser.get(response["Location"]))


def is_disabled(sandbox: RunningSandbox, key: Key) -> bool:
    return bool(sandbox.sandbox.key(key.hash)["disabled"])


def test_it_disables_and_enables(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.clear_requests()
    page = switch(desk, key, "disable")
    assert "Key disabled." in page
    assert "Enable key" in page
    assert is_disabled(sandbox, key)
    key.refresh_from_db()
    assert key.disabled
    page = switch(desk, key, "enable")
    assert "Key enabled." in page
    assert "Disable key" in page
    assert not is_disabled(sandbox, key)
    assert [call.body for call in sent(sandbox, PATCH)] == [{"disabled": True}, {"disabled": False}]
    assert log_of(key.organization) == [
        (f"key.{verb}", outcome) for verb in ("disable", "enable") for outcome in ("started", "ok")
    ]


UNDO = re.compile(r'<div class="toast.*?</div>', re.DOTALL)


def undo_in(page: str) -> list[str]:
    """Where the toasts of a page post to take back what they tell."""
    toasts = UNDO.findall(page)
    assert toasts
    assert all("csrfmiddlewaretoken" in toast for toast in toasts if "<form" in toast)
    return [action for toast in toasts for action in re.findall(r'action="([^"]+)"', toast)]


def test_what_was_switched_can_be_switched_back_from_its_message(
    desk: Client, key: Key, sandbox: RunningSandbox
) -> None:
    address = f"/o/acme/keys/{key.hash}"
    assert undo_in(switch(desk, key, "disable")) == [f"{address}/enable/"]
    assert undo_in(switch(desk, key, "enable")) == [f"{address}/disable/"]
    assert "<form" not in "".join(UNDO.findall(text_of(desk.get(f"{address}/"))))


def test_what_was_so_already_has_nothing_to_undo(desk: Client, key: Key) -> None:
    switch(desk, key, "disable")
    assert undo_in(switch(desk, key, "disable")) == []


def test_what_failed_has_nothing_to_undo(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Locked by policy", method="PATCH")
    assert undo_in(switch(desk, key, "disable")) == []


def test_a_message_for_htmx_carries_the_way_back_too(desk: Client, key: Key) -> None:
    desk.post(f"/o/acme/keys/{key.hash}/disable/")
    fragment = text_of(desk.get("/o/acme/keys/", headers={"HX-Request": "true"}))
    assert "<html" not in fragment
    assert undo_in(fragment) == [f"/o/acme/keys/{key.hash}/enable/"]


def test_it_answers_only_to_post(desk: Client, key: Key) -> None:
    for verb in ("disable", "enable"):
        assert desk.get(f"/o/acme/keys/{key.hash}/{verb}/").status_code == 405


@pytest.mark.parametrize("kind", ["drop_after", "truncated"])
def test_a_lost_answer_is_settled_by_reading(
    desk: Client, key: Key, sandbox: RunningSandbox, kind: str
) -> None:
    sandbox.sandbox.fault(kind=kind, method="PATCH", times=3)
    assert "Key disabled." in switch(desk, key, "disable")
    assert last_entry().outcome == "ok"


def test_nothing_is_claimed_when_nothing_happened(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="drop_before", method="PATCH", times=3)
    assert "The key was not changed." in switch(desk, key, "disable")
    assert last_entry().outcome == "failed"
    assert not is_disabled(sandbox, key)


def test_nothing_is_claimed_when_nobody_knows(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.fault(kind="drop_after", method="PATCH", times=3)
    sandbox.sandbox.fault(kind="status", status=500, method="GET", path="/keys/*", times=3)
    assert "Nobody knows yet" in switch(desk, key, "disable")
    assert last_entry().outcome == "unknown"
    sync("keys")
    assert (last_entry().outcome, last_entry().actor_kind) == ("ok", "person")


def test_a_refusal_is_told(desk: Client, key: Key, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.fault(kind="status", status=403, message="Locked by policy", method="PATCH")
    assert "OpenRouter: Locked by policy" in switch(desk, key, "disable")
    assert last_entry().outcome == "failed"


def test_a_key_deleted_elsewhere_is_marked_gone(
    desk: Client, key: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.delete_key(key.hash)
    page = switch(desk, key, "disable")
    assert "OpenRouter does not know this key any more" in page
    assert "no longer exists at OpenRouter" in page
    assert log_of(key.organization) == [
        ("key.disable", "started"),
        ("key.disable", "failed"),
        ("key.delete", "ok"),
    ]
    assert last_entry().actor_kind == "outside"
    sync("keys")
    assert len(log_of(key.organization)) == 3


# --- a member and the lock of an administrator ---


def test_a_member_may_undo_their_own_disabling(theirs: Client, mine: Key, sandbox: RunningSandbox) -> None:
    page = switch(theirs, mine, "disable")
    assert undo_in(page) == [f"/o/acme/keys/{mine.hash}/enable/"]
    assert "Key enabled." in switch(theirs, mine, "enable")


def test_an_edit_in_between_does_not_take_that_away(
    theirs: Client, mine: Key, sandbox: RunningSandbox, desk: Client
) -> None:
    switch(theirs, mine, "disable")
    from tests.keys.conftest import form_in

    address = f"/o/acme/keys/{mine.hash}/edit/"
    for browser, name in ((theirs, "renamed"), (desk, "renamed by an administrator")):
        assert (
            browser.post(address, {**form_in(browser.get(address), address), "name": name}).status_code == 302
        )
    assert "Key enabled." in switch(theirs, mine, "enable")


def test_a_member_may_not_enable_what_an_administrator_disabled(
    theirs: Client, mine: Key, desk: Client, sandbox: RunningSandbox
) -> None:
    switch(desk, mine, "disable")
    page = text_of(theirs.get(f"/o/acme/keys/{mine.hash}/"))
    assert "An administrator disabled this key." in page
    assert "/enable/" not in page
    assert "An administrator disabled this key." in switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_disabling_it_once_more_does_not_make_the_lock_theirs(
    theirs: Client, mine: Key, desk: Client, sandbox: RunningSandbox
) -> None:
    switch(desk, mine, "disable")
    page = switch(theirs, mine, "disable")
    assert "already disabled" in page
    assert undo_in(page) == []
    switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_an_act_of_theirs_that_is_settled_late_does_not_make_the_lock_theirs(
    theirs: Client, mine: Key, member: User, desk: Client, sandbox: RunningSandbox
) -> None:
    """Their own disabling got lost with its process; then an administrator disabled the key."""
    act = audit.start(
        actor=member,
        organization=mine.organization,
        action="key.disable",
        target=target_of(mine),
        after={"disabled": True},
    )
    switch(desk, mine, "disable")
    assert [entry.outcome for entry in act.outcomes.all()] == ["ok"]
    assert "An administrator disabled this key." in switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_a_lock_set_elsewhere_holds_even_before_a_sync_has_seen_it(
    theirs: Client, mine: Key, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.update_key(mine.hash, disabled=True)
    switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)
    switch(theirs, mine, "disable")
    switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)
    assert sent(sandbox, PATCH) == []
    assert last_entry().actor_kind == "outside"


def test_a_lock_set_elsewhere_and_synced_holds(
    theirs: Client, mine: Key, sandbox: RunningSandbox, sync: Sync
) -> None:
    sandbox.sandbox.outside.update_key(mine.hash, disabled=True)
    sync("keys")
    assert "An administrator disabled this key." in switch(theirs, mine, "enable")
    assert is_disabled(sandbox, mine)


def test_a_lock_from_before_the_first_sync_holds(
    theirs: Client, member: User, sandbox: RunningSandbox, synced: Organization
) -> None:
    locked = Key.objects.filter(organization=synced, owner__email__iexact=member.email, disabled=True)[0]
    assert "An administrator disabled this key." in switch(theirs, locked, "enable")
    assert is_disabled(sandbox, locked)


def test_an_administrator_may_always_enable(
    theirs: Client, mine: Key, desk: Client, sandbox: RunningSandbox
) -> None:
    switch(theirs, mine, "disable")
    switch(desk, mine, "enable")
    assert not is_disabled(sandbox, mine)
