"""A database that worker processes can open too, in place of the tests' own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, connections
from django.db.models import F, Model, QuerySet

from orgadmin.audit.models import Entry
from orgadmin.inventory.models import Lease, SyncRun


@contextmanager
def shared_database(folder: Path) -> Iterator[str]:
    """Migrated and empty; the default connection of this thread leads there. Gives its URL."""
    if connections["default"].vendor == "sqlite":
        name = str(folder / "workers.sqlite3")
        with _connected(name):
            yield f"sqlite:///{name}"
        return
    name = f"workers_{os.getpid()}"
    outside = _wrapper("postgres")
    with outside.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        with _connected(name):
            yield _url(name)
    finally:
        with outside.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        outside.close()


@contextmanager
def _connected(name: str) -> Iterator[None]:
    ours = connections["default"]
    shared = _wrapper(name)
    connections["default"] = shared
    try:
        call_command("migrate", interactive=False, verbosity=0)
        yield
    finally:
        shared.close()
        connections["default"] = ours


def _wrapper(name: str) -> Any:
    """A connection to another database of the same server, or to another file; without a pool."""
    ours = connections["default"]
    options = {key: value for key, value in ours.settings_dict["OPTIONS"].items() if key != "pool"}
    settings = {**ours.settings_dict, "NAME": name, "OPTIONS": options}
    return type(ours)(settings, "default")


def _url(name: str) -> str:
    found = connections["default"].settings_dict
    secret = f":{quote(found['PASSWORD'], safe='')}" if found["PASSWORD"] else ""
    return f"postgres://{quote(found['USER'])}{secret}@{found['HOST']}:{found['PORT'] or 5432}/{name}"


def empty() -> None:
    """Every table, as after the migrations."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    statements = connection.ops.sql_flush(
        no_style(), [table for table in tables if table != "django_migrations"], allow_cascade=True
    )
    connection.ops.execute_sql_flush(statements)


def pass_time(by: timedelta) -> None:
    """What so much time would do: everything written down lies that much further back.

    A living worker renews its lease at once; a dead one's has run out.
    """
    Lease.objects.update(expires_at=F("expires_at") - by.total_seconds())
    _move(SyncRun.objects.all(), by, "created_at", "started_at", "finished_at")
    # The log's own manager lets nobody edit it.
    _move(QuerySet(Entry), by, "at")


def _move(rows: QuerySet[Any], by: timedelta, *columns: str) -> None:
    for row in rows.values("pk", *columns):
        moved = {name: row[name] - by for name in columns if row[name] is not None}
        QuerySet[Model](rows.model).filter(pk=row["pk"]).update(**moved)
