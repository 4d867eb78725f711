"""Pages are no snapshot: the list moves while it is walked, and our own writes happen in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone

from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import ActorKind, Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory import pull as pull_module
from orgadmin.inventory.models import Key
from orgadmin.keys.services import key_delete, key_set_disabled, recording
from orgadmin.openrouter import keys
from orgadmin.sandbox.app import Options
from tests.inventory.pulling import between_pages, log_of, pulled
from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture
def crowd(db: None, organization: Organization) -> Iterator[RunningSandbox]:
    """One workspace with 230 keys: three pages."""
    with running_sandbox(Options(keys=230, workspaces=1, members=3)) as running:
        Organization.objects.filter(pk=organization.pk).update(base_url=running.url)
        organization.refresh_from_db()
        pulled(organization, "workspaces")
        pulled(organization, "keys")
        yield running


def test_a_list_that_shrinks_while_it_is_walked_loses_nothing(
    crowd: RunningSandbox, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = [key["hash"] for key in crowd.sandbox.every_key()[:5]]

    def shrink() -> None:
        for key_hash in newest:
            crowd.sandbox.outside.delete_key(key_hash)

    between_pages(monkeypatch, shrink)
    run = pulled(organization)
    # Five keys of the second page moved onto the first, which was read already.
    assert run.gone == 0
    assert Key.objects.filter(gone_at=None).count() == 230
    assert log_of(organization) == []
    assert pulled(organization).gone == 5
    assert {entry.target_id for entry in log_of(organization)} == set(newest)


def test_a_list_that_grows_while_it_is_walked_repeats_nothing(
    crowd: RunningSandbox, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_pages(monkeypatch, lambda: crowd.sandbox.outside.create_key(name="late"))
    run = pulled(organization)
    assert (run.added, run.gone) == (0, 0)
    assert pulled(organization).added == 1
    assert [entry.target_name for entry in log_of(organization)] == ["late"]


def test_keys_that_stay_hidden_do_not_keep_others_from_being_asked_for(
    synced: Organization, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = {key.hash for key in Key.objects.order_by("pk")[:6]}
    dead = Key.objects.latest("pk")
    sandbox.sandbox.outside.delete_key(dead.hash)
    shown = keys.page
    monkeypatch.setattr(
        keys, "page", lambda *args, **kw: [key for key in shown(*args, **kw) if key.hash not in hidden]
    )
    monkeypatch.setattr(pull_module, "CONFIRMATIONS", 2)
    for _ in range(100):
        sandbox.sandbox.clear_requests()
        run = pulled(synced)
        assert sandbox.sandbox.requests().count("GET /keys/{hash}") == 2
        if run.gone:
            break
    assert [key.pk for key in Key.objects.exclude(gone_at=None)] == [dead.pk]


def some_key() -> Key:
    return Key.objects.select_related("organization").filter(disabled=False).earliest("id")


def test_our_own_write_after_the_page_was_asked_for_is_not_undone(
    synced: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = some_key()
    between_pages(monkeypatch, lambda: key_set_disabled(actor=admin, key=key, disabled=True), before=True)
    pulled(synced)
    key.refresh_from_db()
    assert key.disabled
    assert [entry.outcome for entry in log_of(synced)] == [Outcome.STARTED, Outcome.OK]


def test_our_own_delete_during_the_walk_is_not_made_outside(
    synced: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = some_key()
    between_pages(monkeypatch, lambda: key_delete(actor=admin, key=key), before=True)
    pulled(synced)
    key.refresh_from_db()
    assert key.gone_at is not None
    assert not Entry.objects.filter(actor_kind=ActorKind.OUTSIDE).exists()


def begin(
    organization: Organization, actor: User, key: Key, verb: str, after: dict[str, object] | None
) -> Entry:
    """The ``started`` of an act whose answer has not come."""
    target = Target(type="key", id=key.hash, name=key.name)
    return audit.start(
        actor=actor, organization=organization, action=f"key.{verb}", target=target, after=after
    )


def test_an_act_in_flight_is_left_to_its_own_answer(
    synced: Organization, admin: User, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The act begins after the pull did, takes effect upstream, and its answer is still on its way."""
    walked_first = next(iter(sandbox.sandbox.account.workspaces)).id
    key = Key.objects.filter(disabled=False).exclude(workspace_uid=walked_first).earliest("id")

    def act() -> None:
        begin(synced, admin, key, "disable", {"disabled": True})
        sandbox.sandbox.outside.update_key(key.hash, disabled=True)

    between_pages(monkeypatch, act)
    pulled(synced)
    pulled(synced)
    key.refresh_from_db()
    assert not key.disabled
    assert [entry.outcome for entry in log_of(synced)] == [Outcome.STARTED]


def test_a_lost_act_that_took_effect_is_resolved(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    key = some_key()
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        started = begin(synced, admin, key, "disable", {"disabled": True})
    sandbox.sandbox.outside.update_key(key.hash, disabled=True)
    pulled(synced)
    key.refresh_from_db()
    assert key.disabled
    (_, resolved) = log_of(synced)
    assert (resolved.outcome, resolved.about, resolved.actor) == (Outcome.OK, started, admin)
    assert "lost" in resolved.message


def test_an_unknown_act_that_took_effect_is_resolved_at_once(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    key = some_key()
    started = begin(synced, admin, key, "update", {"limit": "7.5"})
    audit.finish(started, outcome=Outcome.UNKNOWN, message="No answer.")
    sandbox.sandbox.outside.update_key(key.hash, limit=7.5)
    pulled(synced)
    assert [entry.outcome for entry in log_of(synced)] == [Outcome.STARTED, Outcome.UNKNOWN, Outcome.OK]


def test_an_unknown_create_is_found_by_what_it_asked_for(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    started = audit.start(
        actor=admin,
        organization=synced,
        action="key.create",
        target=Target(type="key", id="", name="twin"),
        after={"name": "twin", "limit": None},
    )
    audit.finish(started, outcome=Outcome.UNKNOWN)
    made = sandbox.sandbox.outside.create_key(name="twin")
    pulled(synced)
    resolved = log_of(synced)[-1]
    assert (resolved.outcome, resolved.about, resolved.target_id) == (Outcome.OK, started, made)
    assert not Entry.objects.filter(actor_kind=ActorKind.OUTSIDE).exists()


def test_an_unknown_delete_is_resolved(synced: Organization, admin: User, sandbox: RunningSandbox) -> None:
    key = some_key()
    audit.finish(begin(synced, admin, key, "delete", None), outcome=Outcome.UNKNOWN)
    sandbox.sandbox.outside.delete_key(key.hash)
    assert pulled(synced).gone == 1
    assert log_of(synced)[-1].outcome == Outcome.OK
    assert not Entry.objects.filter(actor_kind=ActorKind.OUTSIDE).exists()


def test_a_delete_in_flight_is_left_alone(synced: Organization, admin: User, sandbox: RunningSandbox) -> None:
    key = some_key()
    begin(synced, admin, key, "delete", None)
    sandbox.sandbox.outside.delete_key(key.hash)
    assert pulled(synced).gone == 0
    key.refresh_from_db()
    assert key.gone_at is None
    assert len(log_of(synced)) == 1


def test_what_a_lost_act_does_not_account_for_was_made_outside(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    key = some_key()
    audit.finish(begin(synced, admin, key, "update", {"limit": "7.5"}), outcome=Outcome.UNKNOWN)
    sandbox.sandbox.outside.update_key(key.hash, limit=7.5, name="taken over")
    pulled(synced)
    resolved, other = log_of(synced)[-2:]
    assert resolved.outcome == Outcome.OK
    assert (other.actor_kind, other.after) == (ActorKind.OUTSIDE, {"name": "taken over"})
    assert other.before == {"name": key.name}


def test_a_lost_act_that_had_no_effect_stays_unknown(
    synced: Organization, admin: User, sandbox: RunningSandbox
) -> None:
    key = some_key()
    audit.finish(begin(synced, admin, key, "update", {"limit": "7.5"}), outcome=Outcome.UNKNOWN)
    sandbox.sandbox.outside.update_key(key.hash, limit=9)
    pulled(synced)
    assert log_of(synced)[-1].actor_kind == ActorKind.OUTSIDE
    assert not Entry.objects.filter(outcome=Outcome.OK, actor=admin).exists()


@pytest.mark.parametrize("verb", ["disable", "delete"])
def test_an_act_whose_row_we_failed_to_write_is_adopted_in_silence(
    synced: Organization, admin: User, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("no space left on device")

    key = some_key()
    with monkeypatch.context() as broken:
        broken.setattr(recording, "mirror", fail)
        broken.setattr("orgadmin.keys.services.delete.mark_gone", lambda key: None)
        if verb == "delete":
            key_delete(actor=admin, key=key)
        else:
            key_set_disabled(actor=admin, key=key, disabled=True)
    key.refresh_from_db()
    assert key.state != "disabled"
    assert key.gone_at is None
    pulled(synced)
    key.refresh_from_db()
    assert key.state in {"disabled", "gone"}
    assert [entry.outcome for entry in log_of(synced)] == [Outcome.STARTED, Outcome.OK]
