"""Writing facts: what an answer of OpenRouter covers is replaced by what it says, and the roll-ups follow.

Replacing, not adding: an answer that comes twice, late, or to two workers at once leaves the same rows. What
is new is laid against what is held of the scope; only the difference is written, to the facts and to every
roll-up, in one transaction. So a roll-up always equals the sum of its facts.

Both databases run the same statements; only the way in differs: COPY into a temporary table on PostgreSQL,
many rows at a time on SQLite.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.db import connection, transaction

from orgadmin.usage.models import MEASURES, Dimension, Grain

NATURAL = ("day", "key_id", "member_id", "workspace_id", "model_id", "endpoint_id")
COLUMNS = (*NATURAL, "provider_id", *MEASURES)
BOUNDED = (*MEASURES, "usage_above", "byok_above")
# Where the natural key of a fact ends, and where its measures begin.
_KEY, _COUNTED = len(NATURAL), len(NATURAL) + 1
# Names this lock among the advisory locks of the database.
LOCK = 0x5553_4147

# day, key, member, workspace, model, endpoint, provider, then MEASURES; money in nano-dollars.
Fact = tuple[date, int, int, int, int, int, int, int, int, int, int, int, int, int]
_Held = dict[tuple[Any, ...], tuple[Any, ...]]


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

    Facts with the same natural key are added up. Some ten thousand facts at a time are quickest. Raises
    OutOfScope, and then nothing is written.
    """
    new = _added_up(scopes, facts)
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, organization_id)
        held = _held(cursor, organization_id, scopes)
        different = list(_differences(new, held))
        if different:
            _prepare(cursor)
            _copy(cursor, different)
            cursor.execute(_APPLY, [organization_id])
            if held:
                if connection.vendor == "postgresql":
                    cursor.execute("ANALYZE usage_delta")
                cursor.execute(_SWEEP, [organization_id])
            _roll_up(cursor, organization_id)
    return len(different)


def rebuild_rollups(*, organization_id: int) -> None:
    """Add every roll-up up from the facts anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, organization_id)
        _prepare(cursor)
        cursor.execute(_EVERYTHING, [organization_id])
        cursor.execute("DELETE FROM usage_usagerollup WHERE organization_id = %s", [organization_id])
        _roll_up(cursor, organization_id)


# --- what differs ----------------------------------------------------------------------------------


def _added_up(scopes: Sequence[Scope], facts: Iterable[Fact]) -> _Held:
    """The facts by natural key: provider and measures."""
    spans: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for scope in scopes:
        spans[scope.key_id].append((scope.since, scope.until))
    found: _Held = {}
    for fact in facts:
        day = fact[0]
        for since, until in spans.get(fact[1], ()):
            if since <= day <= until:
                break
        else:
            raise OutOfScope("A fact lies outside the days and keys that are being replaced.")
        natural, rest = fact[:_KEY], fact[_KEY:]
        before = found.get(natural)
        if before is not None:
            rest = (rest[0], *(a + b for a, b in zip(before[1:], rest[1:], strict=True)))
        found[natural] = rest
    return found


def _held(cursor: Any, organization_id: int, scopes: Sequence[Scope]) -> _Held:
    """What is held of the scopes, in the same shape."""
    together: Mapping[tuple[date, date], list[int]] = defaultdict(list)
    for scope in scopes:
        together[scope.since, scope.until].append(scope.key_id)
    found: _Held = {}
    for (since, until), keys in together.items():
        for some in _batches(keys, 500):
            statement = f"{_READ} AND key_id IN ({', '.join(['%s'] * len(some))})"
            cursor.execute(statement, [organization_id, since, until, *some])
            for row in cursor.fetchall():
                # SQLite gives a day as the text it is.
                day = row[0] if isinstance(row[0], date) else date.fromisoformat(row[0])
                found[(day, *row[1:_KEY])] = row[_KEY:]
    return found


def _differences(new: _Held, held: _Held) -> Iterator[tuple[Any, ...]]:
    """New minus held, for every natural key whose measures differ: a row of the temporary table."""
    for natural, rest in new.items():
        before = held.get(natural)
        if before is None:
            if any(rest[1:]):
                yield (*natural, *rest, max(rest[-2], 0), max(rest[-1], 0))
        elif before[1:] != rest[1:]:
            yield _difference(natural, rest[0], rest[1:], before[1:])
    nothing = (0,) * len(MEASURES)
    for natural, rest in held.items():
        if natural not in new:
            yield _difference(natural, rest[0], nothing, rest[1:])


def _difference(
    natural: tuple[Any, ...], provider: int, counts: Sequence[int], before: Sequence[int]
) -> tuple[Any, ...]:
    minus = [now - then for now, then in zip(counts, before, strict=True)]
    above = [max(now, 0) - max(then, 0) for now, then in zip(counts[-2:], before[-2:], strict=True)]
    return (*natural, provider, *minus, *above)


# --- the way in ------------------------------------------------------------------------------------


def _lock(cursor: Any, organization_id: int) -> None:
    """One writer an organization. SQLite has one writer altogether."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, organization_id % 2**31])


def _prepare(cursor: Any) -> None:
    """The temporary table, empty. It belongs to the connection, which a pool hands on, table and all."""
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS usage_delta ({_TYPED})")
    cursor.execute("DELETE FROM usage_delta")


def _copy(cursor: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy("COPY usage_delta FROM STDIN") as copy:
            for batch in _batches(rows, 2000):
                # Days and whole numbers have nothing to quote.
                copy.write("".join("\t".join(map(str, row)) + "\n" for row in batch))
        return
    width = _COUNTED + len(BOUNDED)
    statement = f"INSERT INTO usage_delta VALUES ({', '.join(['%s'] * width)})"  # noqa: S608
    for batch in _batches(rows, 2000):
        cursor.executemany(statement, [(row[0].isoformat(), *row[1:]) for row in batch])


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


# --- the statements: names of ours alone ------------------------------------------------------------

_TYPED = ", ".join(["day date", *(f"{name} bigint" for name in (*COLUMNS[1:], *BOUNDED[-2:]))])
_NATURAL = ", ".join(NATURAL)

_READ = f"""SELECT {", ".join(COLUMNS)} FROM usage_usageday
WHERE organization_id = %s AND day BETWEEN %s AND %s"""  # noqa: S608

_EVERYTHING = f"""
INSERT INTO usage_delta
SELECT {", ".join(COLUMNS)},
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


# What a roll-up by day is grouped by.
_PARTS = {
    Dimension.WORKSPACE: "workspace_id",
    Dimension.MODEL: "model_id",
    Dimension.PROVIDER: "provider_id",
    Dimension.MEMBER: "member_id",
}


def _roll_up(cursor: Any, organization_id: int) -> None:
    """Add the differences to every roll-up. The days are summed up once and then serve their months too."""
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS usage_part ({_PARTS_TYPED})")
    cursor.execute("DELETE FROM usage_part")
    for dimension, part in _PARTS.items():
        cursor.execute(
            f"INSERT INTO usage_part SELECT {dimension.value}, day, {part}, {_SUMS} "  # noqa: S608
            f"FROM usage_delta GROUP BY day, {part}"
        )
    cursor.execute(
        f"INSERT INTO usage_part SELECT {Dimension.TOTAL.value}, start, 0, {_SUMS} "  # noqa: S608
        f"FROM usage_part WHERE dimension = {Dimension.WORKSPACE.value} GROUP BY start"
    )
    cursor.execute(_add_parts(Grain.DAY), [organization_id])
    cursor.execute(
        f"INSERT INTO usage_part SELECT {Dimension.KEY.value}, {_month('day')}, key_id, {_SUMS} "  # noqa: S608
        f"FROM usage_delta GROUP BY {_month('day')}, key_id"
    )
    cursor.execute(_add_parts(Grain.MONTH), [organization_id])


_SUMS = ", ".join(f"SUM({name})" for name in BOUNDED)
_PARTS_TYPED = ", ".join(
    ["dimension smallint", "start date", *(f"{name} bigint" for name in ("part", *BOUNDED))]
)


def _month(day: str) -> str:
    if connection.vendor == "postgresql":
        return f"CAST(date_trunc('month', CAST({day} AS timestamp)) AS date)"
    return f"date({day}, 'start of month')"


def _add_parts(grain: Grain) -> str:
    """Days are summed up already. In the order of the index, which is quicker to write."""
    selected = f"start, part, {', '.join(BOUNDED)} FROM usage_part WHERE true ORDER BY dimension, start, part"
    if grain == Grain.MONTH:
        month = _month("start")
        selected = f"{month}, part, {_SUMS} FROM usage_part WHERE true GROUP BY dimension, {month}, part"
    return f"""
INSERT INTO usage_usagerollup
    (organization_id, dimension, grain, start, part, {", ".join(BOUNDED)})
SELECT %s, dimension, {grain.value}, {selected}
ON CONFLICT (organization_id, dimension, grain, start, part) DO UPDATE SET
    {", ".join(f"{name} = usage_usagerollup.{name} + excluded.{name}" for name in BOUNDED)}
"""
