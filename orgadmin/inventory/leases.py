"""Leases: at most one holder of a name, across processes, until it lets go or stops renewing.

One statement on SQLite and PostgreSQL alike. A process killed with its lease in hand blocks the name for
``SECONDS`` at most; whoever works longer renews as it goes, and stops when a renewal says it was too late.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

SECONDS = 60.0

_TAKE = """
INSERT INTO inventory_lease (name, holder, expires_at) VALUES (%(name)s, %(holder)s, %(until)s)
ON CONFLICT (name) DO UPDATE SET holder = %(holder)s, expires_at = %(until)s
WHERE inventory_lease.expires_at < %(now)s OR inventory_lease.holder = %(holder)s
RETURNING holder
"""


class LeaseLost(Exception):
    """Somebody else took over: stop at once, the work is theirs."""


@dataclass(frozen=True)
class Holding:
    """A lease in hand."""

    name: str
    holder: str

    def renew(self) -> None:
        """Keep it for another ``SECONDS``. Raises LeaseLost when it went to somebody else."""
        if not _take(self.name, self.holder):
            raise LeaseLost(self.name)


def _take(name: str, holder: str) -> bool:
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"name": name, "holder": holder, "now": now, "until": now + SECONDS})
        return cursor.fetchone() is not None


@contextmanager
def lease(name: str) -> Iterator[Holding | None]:
    """``with lease("…") as held``: ``held`` is None when somebody else has the name."""
    holding = Holding(name=name, holder=uuid.uuid4().hex)
    if not _take(name, holding.holder):
        yield None
        return
    try:
        yield holding
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM inventory_lease WHERE name = %s AND holder = %s", [name, holding.holder]
            )
