"""The rate limit that all processes share, one row a credential and group.

A generic cell rate algorithm in one statement that SQLite and PostgreSQL both run atomically: the row holds
the moment the bucket is full again; each reservation moves it one interval on, and a sender waits until
its place. A database row works the same under every broker and cache, and 12 a second is nothing to it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

# How many requests may leave at once after a quiet spell, in seconds' worth of the rate.
BURST_SECONDS = 1.0

_RESERVE = """
INSERT INTO accounts_rateslot (name, full_at) VALUES (%(name)s, %(now)s + %(interval)s)
ON CONFLICT (name) DO UPDATE SET full_at = %(interval)s
    + CASE WHEN accounts_rateslot.full_at > %(now)s THEN accounts_rateslot.full_at ELSE %(now)s END
RETURNING full_at
"""

_HOLD = """
INSERT INTO accounts_rateslot (name, full_at) VALUES (%(name)s, %(until)s)
ON CONFLICT (name) DO UPDATE SET full_at = %(until)s WHERE accounts_rateslot.full_at < %(until)s
"""


@dataclass(frozen=True)
class SharedLimiter:
    """Paces one credential across all processes. ``credential`` is the key's hash, never the key."""

    credential: str

    def reserve(self, group: str) -> float:
        """Take the next place; returns the seconds to wait before sending (0 when there is room)."""
        rate = settings.OPENROUTER_ANALYTICS_RATE if group == "analytics" else settings.OPENROUTER_RATE
        now = time.time()
        with connection.cursor() as cursor:
            cursor.execute(_RESERVE, {"name": self._name(group), "now": now, "interval": 1 / rate})
            full_at: float = cursor.fetchone()[0]
        return max(0.0, full_at - 1 / rate - BURST_SECONDS - now)

    def hold(self, group: str, seconds: float) -> None:
        """OpenRouter said 429: nobody with this credential sends for ``seconds``."""
        until = time.time() + seconds + BURST_SECONDS
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, {"name": self._name(group), "until": until})

    def _name(self, group: str) -> str:
        return f"{self.credential[:64]}:{group}"
