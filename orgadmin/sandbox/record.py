"""What arrived: counts per endpoint and the latest requests, with every secret masked."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

KEPT = 500
LONGEST_BODY = 20_000
MASK = "•••"

_SECRET = re.compile(r"sk-or-[A-Za-z0-9_-]{8,}")
_SECRET_FIELDS = re.compile(
    r"(^|_)(api_?key|key|secret|token|password|authorization|dsn|(secret|public|license|space)key"
    r"|secretaccesskey|accesskeyid|sessiontoken)$",
    re.IGNORECASE,
)


@dataclass
class Seen:
    """One request. `endpoint` is its method and path template; `status` is None when no answer was sent."""

    method: str
    path: str
    endpoint: str
    query: dict[str, str]
    body: Any = None
    status: int | None = None


@dataclass(frozen=True)
class Requests:
    """What arrived since the last clearing. `counts` is by endpoint, such as `GET /keys/{hash}`."""

    counts: dict[str, int] = field(default_factory=dict)
    last: list[Seen] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def count(self, endpoint: str) -> int:
        return self.counts.get(endpoint, 0)

    def as_json(self) -> dict[str, Any]:
        return {"counts": self.counts, "total": self.total, "last": [asdict(seen) for seen in self.last]}


class Recorder:
    """Keeps counts of everything and the last 500 requests. Safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._last: deque[Seen] = deque(maxlen=KEPT)
        self._lock = Lock()

    def note(self, *, method: str, path: str, endpoint: str, query: dict[str, str], body: bytes) -> Seen:
        """The entry for a request that has just arrived; its status is set when the answer is known."""
        shown = {name: _masked(name, value) for name, value in query.items()}
        seen = Seen(method, _SECRET.sub(MASK, path), endpoint, shown, readable(body))
        with self._lock:
            self._counts[endpoint] += 1
            self._last.append(seen)
        return seen

    def requests(self) -> Requests:
        with self._lock:
            return Requests(dict(self._counts), list(self._last))

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._last.clear()


def readable(body: bytes) -> Any:
    """A request body as JSON with secrets masked; text when it is no JSON, None when it is empty."""
    if not body:
        return None
    if len(body) > LONGEST_BODY:
        return f"({len(body)} bytes)"
    try:
        return _masked("", json.loads(body))
    except (ValueError, RecursionError):
        return _SECRET.sub(MASK, body.decode(errors="replace"))


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {inner: _masked(inner, item) for inner, item in value.items()}
    if isinstance(value, list):
        return [_masked(name, item) for item in value]
    if isinstance(value, str):
        return MASK if _SECRET_FIELDS.search(name) else _SECRET.sub(MASK, value)
    return value
