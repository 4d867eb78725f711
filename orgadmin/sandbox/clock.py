"""The twin's clock: a given one, moved on request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """Answers the time of `source` plus whatever it was moved by. It may be moved backwards too."""

    def __init__(self, source: Callable[[], datetime]) -> None:
        self._source = source
        self.moved = timedelta()

    def now(self) -> datetime:
        return self._source().astimezone(UTC) + self.moved

    def advance(self, by: timedelta) -> None:
        self.moved += by

    def set(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("The clock needs a moment with a time zone")
        self.moved += moment - self.now()

    def restore(self) -> None:
        self.moved = timedelta()
