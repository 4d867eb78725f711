"""The client: one `request()`, with patience, retries that are safe, and a shared limit on speed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from orgadmin.openrouter import jsontext
from orgadmin.openrouter.addresses import checked_base_url
from orgadmin.openrouter.errors import NotSent, OpenRouterError, RateLimited, ServerFailure, Unauthorized
from orgadmin.openrouter.exchange import Call, Remaining, exchange
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.wire import Bearer, Nobody, shared_session

USER_AGENT = "openrouter-dashboard"
READING = frozenset({"GET", "HEAD"})

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 20.0
# Everybody who was told to wait would come back in the same instant without this.
RETRY_AFTER_SPREAD = 0.25
# A try that would begin with less than this cannot succeed; giving up early gives the person an answer
# sooner.
SHORTEST_TRY = 0.2


@dataclass(frozen=True)
class Patience:
    """How long one call may take. `seconds` bounds everything: tries, waits between them and the limiter's
    waits.

    `connect_timeout` and `read_timeout` are per try and shrink with what remains. Two things escape:
    resolving a name, which the operating system does, and a server that trickles its headers.
    """

    tries: int
    seconds: float
    connect_timeout: float
    read_timeout: float


WEB = Patience(tries=3, seconds=10, connect_timeout=3, read_timeout=6)
WORKER = Patience(tries=6, seconds=120, connect_timeout=5, read_timeout=30)


class Limiter(Protocol):
    """A rate limit shared by everybody who uses one credential. `group` is "default" or "analytics"."""

    def reserve(self, group: str) -> float:
        """Take the next free slot; the seconds to wait before using it, 0 for now."""
        ...

    def hold(self, group: str, seconds: float) -> None:
        """Upstream answered 429: nobody sends for that long."""
        ...


class OpenRouter:
    """A connection to one organization, for one thread at a time.

    `calls` counts the HTTP requests that went out. Raises ValueError for a base URL that is none.
    """

    def __init__(
        self,
        *,
        base_url: str,
        key: Secret,
        patience: Patience = WEB,
        limiter: Limiter | None = None,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.calls = 0
        self._base_url = checked_base_url(base_url)
        self._key = key
        self._patience = patience
        self._limiter = limiter
        self._session = session
        self._sleep = sleep
        self._clock = clock
        self._rand = rand

    def __repr__(self) -> str:
        return f"OpenRouter({self._base_url!r})"

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        idempotent: bool | None = None,
        write: bool | None = None,
        group: str = "default",
        anonymous: bool = False,
    ) -> Mapping[str, Any]:
        """Call the API and give the JSON object it answers, `{}` for 204.

        `path` begins with a slash and is already quoted (`addresses.path`). `params` that are None are left
        out, booleans become `true` and `false`. `idempotent` says that repeating does no harm (default: all
        but POST); what is not idempotent is repeated only when it was certainly not sent, not even when it
        was refused with 429. `write` says that it changes something (default: all but GET and HEAD): only the
        outcome of a change can be unknown. `anonymous` leaves the key at home, for what is public. Raises
        OpenRouterError; ValueError or TypeError, before anything is sent, for a body JSON cannot hold.
        """
        self._check_key()
        method = method.upper()
        call = Call(
            method=method,
            url=self._base_url + path,
            params=_query(params or {}),
            body=None if body is None else jsontext.dumps(body).encode(),
            write=method not in READING if write is None else write,
            repeatable=method != "POST" if idempotent is None else idempotent,
            headers=_headers(body is not None),
            anonymous=anonymous,
        )
        return self._persist(call, group)

    def _persist(self, call: Call, group: str) -> Mapping[str, Any]:
        deadline = self._clock() + self._patience.seconds

        def remaining() -> float:
            return deadline - self._clock()

        tried = 0
        doubt = False
        while True:
            try:
                self._wait_for_turn(group, remaining)
                return self._try(call, remaining)
            except OpenRouterError as failure:
                tried += 1
                # A change an earlier try may have made stays possible, whatever the last try was told.
                doubt = doubt or failure.outcome_unknown
                failure.outcome_unknown = doubt
                delay = self._delay(failure, tried)
                self._tell_limiter(failure, group, delay)
                exhausted = tried >= self._patience.tries or delay + SHORTEST_TRY > remaining()
                if exhausted or not _again(failure, call):
                    raise
            self._sleep(delay)

    def _try(self, call: Call, remaining: Remaining) -> Mapping[str, Any]:
        self.calls += 1
        try:
            return exchange(
                self._session or shared_session(),
                call,
                auth=Nobody() if call.anonymous else Bearer(self._key),
                connect_timeout=self._patience.connect_timeout,
                read_timeout=self._patience.read_timeout,
                remaining=remaining,
            )
        except NotSent:
            self.calls -= 1
            raise

    def _wait_for_turn(self, group: str, remaining: Remaining) -> None:
        wait = self._limiter.reserve(group) if self._limiter else 0.0
        if wait <= 0:
            return
        if wait + SHORTEST_TRY > remaining():
            message = "Too many calls to OpenRouter are waiting already; try again shortly."
            crowded = RateLimited(message)
            crowded.retry_after = wait
            raise crowded
        self._sleep(wait)

    def _delay(self, failure: OpenRouterError, tried: int) -> float:
        """Seconds before the next try: what upstream asked for, else anything up to a doubling ceiling."""
        asked = _retry_after(failure)
        if asked is not None:
            return asked + self._rand() * RETRY_AFTER_SPREAD
        ceiling: float = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** (tried - 1))
        return self._rand() * ceiling

    def _tell_limiter(self, failure: OpenRouterError, group: str, delay: float) -> None:
        if self._limiter and isinstance(failure, RateLimited) and failure.status is not None:
            self._limiter.hold(group, delay if failure.retry_after is None else failure.retry_after)

    def _check_key(self) -> None:
        raw = self._key.reveal()
        if not raw or not all("!" <= character <= "~" for character in raw):
            raise Unauthorized("This is not an OpenRouter key: it is empty or holds characters no key has.")


def _again(failure: OpenRouterError, call: Call) -> bool:
    if not failure.retryable or (isinstance(failure, RateLimited) and failure.status is None):
        return False
    return call.repeatable or isinstance(failure, NotSent)


def _retry_after(failure: OpenRouterError) -> float | None:
    return failure.retry_after if isinstance(failure, RateLimited | ServerFailure) else None


def _headers(with_body: bool) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
    return {**headers, "Content-Type": "application/json"} if with_body else headers


def _query(params: Mapping[str, Any]) -> dict[str, str]:
    """Texts for the query string. The API takes `true` and `false`, not Python's spelling of them."""
    given = {name: value for name, value in params.items() if value is not None}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()
    }
