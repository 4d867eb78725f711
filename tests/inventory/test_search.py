"""Search finds any part of any word, and the index follows every way a key can change."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from orgadmin.accounts.models import Organization
from orgadmin.inventory import search
from orgadmin.inventory.models import Key

sqlite_only = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL keeps its own index; run on SQLite to see this"
)


def found(text: str) -> set[str]:
    keys = Key.objects.all()
    for condition in search.containing(text):
        keys = keys.filter(condition)
    return set(keys.values_list("name", flat=True))


@pytest.fixture
def key(organization: Organization) -> Key:
    return Key.objects.create(
        organization=organization, hash="a" * 64, name="one", search_text="über alpha-beta"
    )


@pytest.mark.parametrize(
    "text", ["pha-be", "ÜBER", "al", "r", "über beta", 'a"b', "100%", "al_ha", "*", "a OR b"]
)
def test_it_finds_what_a_scan_finds(key: Key, text: str) -> None:
    expected = {"one"} if all(word in key.search_text for word in text.casefold().split()) else set()
    assert found(text) == expected


def test_it_follows_changes_of_every_kind(key: Key, organization: Organization) -> None:
    Key.objects.filter(pk=key.pk).update(search_text="gamma")
    assert (found("alpha"), found("gamma")) == (set(), {"one"})

    again = Key(organization=organization, hash="a" * 64, name="one", search_text="delta")
    Key.objects.bulk_create(
        [again], update_conflicts=True, unique_fields=["organization", "hash"], update_fields=["search_text"]
    )
    assert (found("gamma"), found("delta")) == (set(), {"one"})

    Key.objects.all().delete()
    assert found("delta") == set()


@sqlite_only
def test_a_copied_table_gets_its_triggers_back(key: Key) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER inventory_key_search_changed")
    Key.objects.filter(pk=key.pk).update(search_text="epsilon")
    assert found("epsilon") == set()

    call_command("migrate", verbosity=0)

    assert found("epsilon") == {"one"}


@sqlite_only
def test_without_the_index_it_scans(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "has_index", lambda: False)
    assert found("alpha") == {"one"}
