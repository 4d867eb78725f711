"""Searching the keys' text by any part of any word, at any size.

PostgreSQL has a trigram index on the column (a migration makes it). SQLite has none to put on a column, but a
full-text table of trigrams beside it, kept in step by triggers: at 100,000 keys it answers in a few
milliseconds where a scan takes forty. Changing a table on SQLite copies it and drops its triggers, so the
index is looked after at the end of every ``migrate``, not in a migration.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Collate

# A trigram index knows nothing shorter.
SHORTEST = 3
TABLE = "inventory_key_search"
# What SQLite calls the function that folds, and a character behind all others.
FOLD = "dashboard_casefold"
LAST = "\U0010ffff"

_TABLE = f"""CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5(
    search_text, content='inventory_key', content_rowid='id', tokenize='trigram case_sensitive 1')"""
_FORGET = f"""INSERT INTO {TABLE} ({TABLE}, rowid, search_text)
    VALUES ('delete', old.id, old.search_text);"""  # noqa: S608 (names of ours)
_LEARN = f"INSERT INTO {TABLE} (rowid, search_text) VALUES (new.id, new.search_text);"  # noqa: S608
_TRIGGERS = {
    "inventory_key_search_added": f"AFTER INSERT ON inventory_key BEGIN {_LEARN} END",
    "inventory_key_search_gone": f"AFTER DELETE ON inventory_key BEGIN {_FORGET} END",
    "inventory_key_search_changed": "AFTER UPDATE OF search_text ON inventory_key "
    f"WHEN old.search_text <> new.search_text BEGIN {_FORGET} {_LEARN} END",
}


def teach_folding(*, connection: Any, **_: Any) -> None:
    """Give a new connection to SQLite a function that folds: by itself it knows the case of ASCII only."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(FOLD, 1, _folded, deterministic=True)


def _folded(text: Any) -> str | None:
    return None if text is None else str(text).casefold()


def beginning(rows: QuerySet[Any], column: str, start: str) -> QuerySet[Any]:
    """The rows whose column, folded already and indexed, begins with this, in the order of its characters.

    SQLite finds a range in an index and not what is LIKE something. PostgreSQL does the opposite, and only in
    an index of collation C: in others, what begins alike does not stand together.
    """
    found: QuerySet[Any]
    if connection.vendor == "sqlite":
        found = rows.filter(**{f"{column}__gte": start, f"{column}__lt": start + LAST}).order_by(column)
    else:
        ordered = rows.alias(characters=Collate(column, "C")).order_by("characters")
        found = ordered.filter(characters__startswith=start)
    return found


def containing(text: str) -> list[Q]:
    """A condition for each of the first eight words of ``text``: the key's search text holds it somewhere."""
    return [_holding(word) for word in text.casefold().split()[:8]]


def _holding(word: str) -> Q:
    if connection.vendor != "sqlite" or len(word) < SHORTEST or not has_index():
        return Q(search_text__contains=word)
    phrase = '"' + word.replace('"', '""') + '"'
    return Q(pk__in=RawSQL(f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s", (phrase,)))  # noqa: S608, S611


@cache
def has_index() -> bool:
    """Whether this SQLite could make the index; one without FTS5 scans instead. Asked once a process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [TABLE])
        return cursor.fetchone() is not None


def look_after_index(**_: Any) -> None:
    """Make what is missing of SQLite's index; after a trigger was missing, read all keys anew."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        missing = _TRIGGERS.keys() - {name for (name,) in cursor.fetchall()}
        if not missing:
            return
        try:
            cursor.execute(_TABLE)
        except OperationalError:
            # Built without FTS5 or older than 3.34: searching scans the column.
            return
        for name in missing:
            cursor.execute(f"CREATE TRIGGER {name} {_TRIGGERS[name]}")
        cursor.execute(f"INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild')")  # noqa: S608
    has_index.cache_clear()


def learn_sizes() -> None:
    """Let SQLite count its tables, after which it starts a search from the few hits and not from the many
    keys. PostgreSQL does this by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE inventory_key")
