"""Writing OpenRouter's answers into our rows: when two of them cross on their way, and beside other acts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization, User
from orgadmin.audit import services as audit
from orgadmin.audit.models import Entry, Outcome
from orgadmin.audit.services import Target
from orgadmin.inventory.models import Key
from orgadmin.keys.services import recording
from orgadmin.openrouter import keys as upstream
from tests.keys.conftest import log_of
from tests.sandbox_server import RunningSandbox


@pytest.fixture
def crossed(synced: Organization, key: Key, sandbox: RunningSandbox) -> tuple[upstream.Key, upstream.Key]:
    """What OpenRouter said before somebody renamed the key, and after."""
    client = client_for(synced)
    early = upstream.get(client, key_hash=key.hash)
    sandbox.sandbox.advance(5)
    sandbox.sandbox.outside.update_key(key.hash, name="renamed")
    return early, upstream.get(client, key_hash=key.hash)


@pytest.mark.parametrize("dated", [True, False])
def test_an_answer_that_was_overtaken_changes_nothing(
    synced: Organization, key: Key, crossed: tuple[upstream.Key, upstream.Key], dated: bool
) -> None:
    early, late = crossed
    recording.mirror(organization=synced, found=late, ours={"name"})
    early = early if dated else replace(early, updated_at=None)
    row = recording.mirror(organization=synced, found=early, ours={"limit"})
    assert row.name == "renamed"
    key.refresh_from_db()
    assert key.name == "renamed"
    assert log_of(synced) == []


def test_an_answer_is_kept_where_none_of_ours_has_a_date(
    synced: Organization, key: Key, crossed: tuple[upstream.Key, upstream.Key]
) -> None:
    Key.objects.filter(pk=key.pk).update(updated_at=None)
    recording.mirror(organization=synced, found=replace(crossed[1], updated_at=None), ours={"name"})
    key.refresh_from_db()
    assert key.name == "renamed"


def test_of_two_answers_of_one_moment_the_last_counts(
    synced: Organization, key: Key, crossed: tuple[upstream.Key, upstream.Key]
) -> None:
    late = crossed[1]
    recording.mirror(organization=synced, found=late, ours={"name"})
    recording.mirror(organization=synced, found=replace(late, name="again"), ours={"name"})
    key.refresh_from_db()
    assert key.name == "again"


# --- what else differs was changed elsewhere, unless we are at it ourselves ---


def act(key: Key, admin: User, verb: str, after: dict[str, Any] | None) -> Entry:
    """The ``started`` of an act of another process whose answer has not come."""
    target = recording.target_of(key)
    return audit.start(
        actor=admin, organization=key.organization, action=f"key.{verb}", target=target, after=after
    )


def outside(key: Key) -> list[tuple[str, dict[str, Any] | None]]:
    found = Entry.objects.filter(organization=key.organization, actor_kind="outside").order_by("id")
    return [(entry.action, entry.after) for entry in found]


def as_upstream_has_it(key: Key) -> upstream.Key:
    return upstream.get(client_for(key.organization), key_hash=key.hash)


def test_beside_an_act_under_way_only_what_it_names_is_left_to_it(
    synced: Organization, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    began = act(key, admin, "update", {"name": "ours", "limit": "7.5"})
    sandbox.sandbox.outside.update_key(key.hash, name="ours", limit=7.5, limit_reset="weekly")
    found = as_upstream_has_it(key)
    recording.mirror(organization=synced, found=found)
    assert outside(key) == [("key.update", {"limit_reset": "weekly"})]

    recording.succeeded(began, organization=synced, found=found)
    assert len(outside(key)) == 1


def test_an_act_under_way_on_another_key_of_that_name_hides_nothing(
    synced: Organization, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    sandbox.sandbox.outside.update_key(key.hash, name="twin")
    target = Target(type="key", id="", name="twin")
    audit.start(actor=admin, organization=synced, action="key.create", target=target, after={"name": "twin"})
    recording.mirror(organization=synced, found=as_upstream_has_it(key))
    assert outside(key) == [("key.update", {"name": "twin"})]


def test_what_an_act_failed_to_write_into_our_row_was_not_made_elsewhere(
    synced: Organization, key: Key, admin: User, sandbox: RunningSandbox
) -> None:
    audit.finish(act(key, admin, "update", {"name": "ours"}), outcome=Outcome.OK)
    sandbox.sandbox.outside.update_key(key.hash, name="ours", limit=7.5)
    recording.mirror(organization=synced, found=as_upstream_has_it(key))
    assert outside(key) == [("key.update", {"limit": "7.50"})]


def test_a_deletion_that_failed_to_be_written_into_our_row_was_not_made_elsewhere(
    synced: Organization, key: Key, admin: User
) -> None:
    audit.finish(act(key, admin, "delete", None), outcome=Outcome.OK)
    recording.found_gone(key)
    assert outside(key) == []


@pytest.mark.parametrize(("verb", "number"), [("disable", 1), ("delete", 0)])
def test_beside_an_act_under_way_only_a_deletion_is_left_to_a_deletion(
    synced: Organization, key: Key, admin: User, verb: str, number: int
) -> None:
    act(key, admin, verb, {"disabled": True} if verb == "disable" else None)
    recording.found_gone(key)
    assert outside(key) == [("key.delete", None)] * number
