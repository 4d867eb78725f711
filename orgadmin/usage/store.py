"""Writing facts: what an answer of OpenRouter covers is replaced by what it says, and the roll-ups follow.

Replacing, not adding: an answer that comes twice, late, or to two workers at once leaves the same rows. What
is new and what is held of the scope are laid against each other in the database; only the difference is
written, to the facts and to every roll-up, in one transaction. So a roll-up always equals the sum of its
facts.

Both databases run the same statements; only the way in differs: COPY into a temporary table on PostgreSQL,
many rows at a time on SQLite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.db import connection, transaction

from orgadmin.usage.models import MEASURES, Dimension, Grain

NATURAL = ("day", "key_id", "member_id", "workspace_id", "model_id", "endpoint_id")
COLUMNS = (*NATURAL, "provider_id", *MEASURES)
# Names this lock among the advisory locks of the database.
LOCK = 0x5553_4147

# day, key, member, workspace, model, endpoint, provider, then MEASURES; money in nano-dollars.
Fact = tuple[date, int, int, int, int, int, int, int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which facts an answer replaces: those of one key (NO_KEY, UNKNOWN_KEY) from ``since`` to ``until``,
    both included."""

    key_id: int
    since: date
    until: date


class OutOfScope(ValueError):
    """A fact that its scope does not cover would be counted again with every pull."""


def replace_facts(*, organization_id: int, scopes: Sequence[Scope], facts: Iterable[Fact]) -> int:
    """Make the facts of the scopes be these; returns how many of them differ from what was held.

    Facts with the same natural key are added up. Raises OutOfScope, and then nothing is written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, organization_id)
        _stage(cursor, scopes, facts)
        cursor.execute(_STRAYS)
        if cursor.fetchone() is not None:
            raise OutOfScope("A fact lies outside the days and keys that are being replaced.")
        cursor.execute(_DIFFER, [organization_id])
        cursor.execute("SELECT COUNT(*) FROM usage_delta")
        different: int = cursor.fetchone()[0]
        if different:
            cursor.execute(_APPLY, [organization_id])
            cursor.execute(_SWEEP, [organization_id])
            for statement in _roll_ups():
                cursor.execute(statement, [organization_id])
    return different


def rebuild_rollups(*, organization_id: int) -> None:
    """Add every roll-up up from the facts anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, organization_id)
        _prepare(cursor)
        cursor.execute(_EVERYTHING, [organization_id])
        cursor.execute("DELETE FROM usage_usagerollup WHERE organization_id = %s", [organization_id])
        for statement in _roll_ups():
            cursor.execute(statement, [organization_id])


# --- the way in ------------------------------------------------------------------------------------


def _lock(cursor: Any, organization_id: int) -> None:
    """One writer an organization. SQLite has one writer altogether."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, organization_id % 2**31])


def _prepare(cursor: Any) -> None:
    """The temporary tables, empty. They belong to the connection and are never seen by another."""
    for table, columns in (
        ("usage_scope", "key_id bigint, since date, until date"),
        ("usage_staging", _TYPED),
        ("usage_delta", f"{_TYPED}, usage_above bigint, byok_above bigint"),
    ):
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
        # A pooled connection brings the tables of its last use along.
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def _stage(cursor: Any, scopes: Sequence[Scope], facts: Iterable[Fact]) -> None:
    _prepare(cursor)
    _copy(cursor, "usage_scope", 3, ((scope.key_id, scope.since, scope.until) for scope in scopes))
    _copy(cursor, "usage_staging", len(COLUMNS), facts)
    if connection.vendor == "postgresql":
        # Else the planner takes the temporary tables for a thousand rows, whatever they hold.
        cursor.execute("ANALYZE usage_scope")
        cursor.execute("ANALYZE usage_staging")


def _copy(cursor: Any, table: str, width: int, rows: Iterable[tuple[Any, ...]]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    statement = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * width)})"  # noqa: S608
    for batch in _batches(rows, 2000):
        cursor.executemany(statement, [[_plain(value) for value in row] for row in batch])


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


# --- the statements: names of ours alone ------------------------------------------------------------

_TYPED = ", ".join(["day date", *(f"{name} bigint" for name in COLUMNS[1:])])
_NATURAL = ", ".join(NATURAL)
_SUMS = ", ".join(f"SUM({name})" for name in MEASURES)
_BOUNDED = (*MEASURES, "usage_above", "byok_above")

_STRAYS = """
SELECT 1 FROM usage_staging AS new WHERE NOT EXISTS (
    SELECT 1 FROM usage_scope AS scope
    WHERE scope.key_id = new.key_id AND new.day BETWEEN scope.since AND scope.until
) LIMIT 1
"""

# New minus held, by natural key; what is alike cancels out.
_DIFFER = f"""
INSERT INTO usage_delta
SELECT {_NATURAL}, MAX(provider_id), {_SUMS}, SUM(usage_above), SUM(byok_above) FROM (
    SELECT {_NATURAL}, MAX(provider_id) AS provider_id, {", ".join(f"SUM({m}) AS {m}" for m in MEASURES)},
        CASE WHEN SUM(usage) > 0 THEN SUM(usage) ELSE 0 END AS usage_above,
        CASE WHEN SUM(byok_usage) > 0 THEN SUM(byok_usage) ELSE 0 END AS byok_above
    FROM usage_staging GROUP BY {_NATURAL}
    UNION ALL
    SELECT {", ".join(f"held.{name}" for name in NATURAL)}, held.provider_id,
        {", ".join(f"-held.{name}" for name in MEASURES)},
        CASE WHEN held.usage > 0 THEN -held.usage ELSE 0 END,
        CASE WHEN held.byok_usage > 0 THEN -held.byok_usage ELSE 0 END
    FROM usage_scope AS scope JOIN usage_usageday AS held
        ON held.organization_id = %s AND held.key_id = scope.key_id
        AND held.day BETWEEN scope.since AND scope.until
) AS both_sides
GROUP BY {_NATURAL}
HAVING {" OR ".join(f"SUM({name}) <> 0" for name in MEASURES)}
"""  # noqa: S608

_EVERYTHING = f"""
INSERT INTO usage_delta
SELECT {_NATURAL}, provider_id, {", ".join(MEASURES)},
    CASE WHEN usage > 0 THEN usage ELSE 0 END, CASE WHEN byok_usage > 0 THEN byok_usage ELSE 0 END
FROM usage_usageday WHERE organization_id = %s
"""  # noqa: S608

_APPLY = f"""
INSERT INTO usage_usageday (organization_id, {", ".join(COLUMNS)})
SELECT %s, {", ".join(COLUMNS)} FROM usage_delta WHERE true
ON CONFLICT (organization_id, {_NATURAL}) DO UPDATE SET provider_id = excluded.provider_id,
    {", ".join(f"{name} = usage_usageday.{name} + excluded.{name}" for name in MEASURES)}
"""  # noqa: S608

# A fact that upstream took back altogether.
_SWEEP = f"""
DELETE FROM usage_usageday WHERE id IN (
    SELECT fact.id FROM usage_delta AS gone JOIN usage_usageday AS fact
        ON fact.organization_id = %s AND {" AND ".join(f"fact.{name} = gone.{name}" for name in NATURAL)}
    WHERE {" AND ".join(f"fact.{name} = 0" for name in MEASURES)}
)
"""  # noqa: S608


def _roll_ups() -> Iterator[str]:
    """A statement for every roll-up: the differences, added to its rows."""
    month = (
        "CAST(date_trunc('month', CAST(day AS timestamp)) AS date)"
        if connection.vendor == "postgresql"
        else "date(day, 'start of month')"
    )
    parts = {
        Dimension.TOTAL: "0",
        Dimension.WORKSPACE: "workspace_id",
        Dimension.MODEL: "model_id",
        Dimension.PROVIDER: "provider_id",
        Dimension.MEMBER: "member_id",
    }
    for dimension, part in parts.items():
        yield _roll_up(dimension, Grain.DAY, "day", part, "0")
        yield _roll_up(dimension, Grain.MONTH, month, part, "0")
    yield _roll_up(Dimension.KEY, Grain.MONTH, month, "key_id", "member_id")


def _roll_up(dimension: Dimension, grain: Grain, start: str, part: str, member: str) -> str:
    groups = ", ".join(column for column in (start, part, member) if column != "0")
    return f"""
INSERT INTO usage_usagerollup
    (organization_id, dimension, grain, start, part, member_id, {", ".join(_BOUNDED)})
SELECT %s, {dimension.value}, {grain.value}, {start}, {part}, {member},
    {", ".join(f"SUM({name})" for name in _BOUNDED)}
FROM usage_delta WHERE true GROUP BY {groups}
ON CONFLICT (organization_id, dimension, grain, start, part, member_id) DO UPDATE SET
    {", ".join(f"{name} = usage_usagerollup.{name} + excluded.{name}" for name in _BOUNDED)}
"""  # noqa: S608
