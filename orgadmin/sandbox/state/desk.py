"""The analytics desk: how often it may be asked, and answers it gives a second time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orgadmin.sandbox.errors import TooManyRequestsError

MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and when it was worked out."""

    at: datetime
    content: Any


@dataclass
class Desk:
    """`per_minute` calls in any 60 seconds (None: as many as come); the answer to a query is kept for
    `kept_for` seconds. Both go by the twin's clock."""

    per_minute: int | None
    kept_for: int
    _calls: deque[datetime] = field(default_factory=deque)
    _kept: dict[str, Kept] = field(default_factory=dict)

    def admit(self, now: datetime) -> None:
        """Counts a call. Raises TooManyRequestsError when there were enough in the last minute."""
        if self.per_minute is None:
            return
        self._calls = deque(call for call in self._calls if now - MINUTE < call <= now)
        if len(self._calls) < self.per_minute:
            self._calls.append(now)
            return
        reopens = self._calls[0] + MINUTE
        raise TooManyRequestsError(
            headers={
                "X-RateLimit-Limit": str(self.per_minute),
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(int(reopens.timestamp() * 1000)),
                "Retry-After": str(max(1, -int((now - reopens).total_seconds() // 1))),
            }
        )

    def kept(self, question: str, now: datetime) -> Kept | None:
        """The earlier answer to exactly this question, if it is still fresh."""
        oldest = now - timedelta(seconds=self.kept_for)
        self._kept = {name: kept for name, kept in self._kept.items() if oldest < kept.at <= now}
        return self._kept.get(question)

    def keep(self, question: str, content: Any, now: datetime) -> None:
        self._kept[question] = Kept(now, content)
