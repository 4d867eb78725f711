"""Writing OpenRouter's answers into our rows when two of them cross on their way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orgadmin.accounts.connection import client_for
from orgadmin.accounts.models import Organization
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
