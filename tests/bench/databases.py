"""The databases a bench runs on: each empty, its own, and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

POSTGRESQL = "postgres://postgres@127.0.0.1:5432/postgres"


@contextlib.contextmanager
def sqlite() -> Iterator[str]:
    """The URL of a file that does not exist yet."""
    with tempfile.TemporaryDirectory(prefix="dashboard-bench-") as folder:
        yield f"sqlite:///{Path(folder) / 'bench.sqlite3'}"


def postgresql_server() -> str:
    """The server named by DATABASE_URL, else the usual local one; empty when none answers."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith(("postgres://", "postgresql://")):
        url = POSTGRESQL
    try:
        psycopg.connect(_maintenance(url), connect_timeout=3).close()
    except psycopg.OperationalError:
        return ""
    return url


@contextlib.contextmanager
def postgresql(server: str) -> Iterator[str]:
    """A database of our own on the server, dropped at the end."""
    name = f"dashboard_bench_{os.getpid()}"
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(_maintenance(server), autocommit=True) as connection:
        connection.execute(statement)


def _maintenance(url: str) -> str:
    """The same server's database that is always there."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))
