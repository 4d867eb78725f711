"""The twin as a WSGI application: doors for tests at `/_sandbox`, the service's API at `/api/v1`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from orgadmin.sandbox.answer import Answer, error_answer, in_place_of, json_answer, spoiled
from orgadmin.sandbox.clock import Clock
from orgadmin.sandbox.connection import hang_up, then_hang_up
from orgadmin.sandbox.doors import PREFIX, open_door
from orgadmin.sandbox.errors import (
    NotFoundError,
    ServiceError,
    TooLargeError,
    UnauthorizedError,
    WrongKeyKindError,
)
from orgadmin.sandbox.faults import Fault, FaultBook, fault_of
from orgadmin.sandbox.moments import utc_now
from orgadmin.sandbox.outside import Outside
from orgadmin.sandbox.record import Recorder, Requests
from orgadmin.sandbox.router import BASE, Match, router
from orgadmin.sandbox.seed.keys import inference_key
from orgadmin.sandbox.seed.population import Options, management_key, populate
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.state.keys import KeyRow, hash_of
from orgadmin.sandbox.statefile import restored, save
from orgadmin.sandbox.wire.destinations import destination_object
from orgadmin.sandbox.wire.guardrails import guardrail_object
from orgadmin.sandbox.wire.keys import key_object
from orgadmin.sandbox.wire.request import Call, Endpoint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["Options", "Sandbox"]

LARGEST_BODY = 1_000_000
_ROUTER = router()
_DEFAULTS = Options()


class Sandbox:
    """One twin with one account. Safe to call from several threads.

    `management_key` and `inference_key` follow from the seed. The same doors are open to Python (`fault`,
    `requests`, `advance`, `outside` ...) and to HTTP under `/_sandbox`.
    """

    def __init__(self, options: Options = _DEFAULTS, *, now: Callable[[], datetime] = utc_now) -> None:
        self.options = options
        self.management_key = management_key(options.seed)
        self.inference_key = inference_key(options.seed)
        self.clock = Clock(now)
        self._faults = FaultBook()
        self._recorder = Recorder()
        self._closing = Event()
        self.account = restored(options, self.clock)

    # The doors, for Python.

    def now(self) -> datetime:
        """The twin's present moment."""
        return self.clock.now()

    def reset(self) -> None:
        """A fresh account with the real time, no faults and no requests."""
        self.clock.restore()
        self._faults.clear()
        self._recorder.clear()
        self.account = populate(self.options, self.clock.now())
        self.save()

    def save(self) -> None:
        """Writes the account to `options.state`, if there is one.

        Every change is written before its answer goes out, so nothing acknowledged is ever lost.
        """
        account = self.account
        with account.lock:
            save(self.options, account, self.clock)

    def close(self) -> None:
        """Ends delays that are still running and saves."""
        self._closing.set()
        self.save()

    def fault(self, **fields: Any) -> None:
        """The next `times` matching calls go wrong; the fields are those of `Fault`."""
        self._faults.add(fault_of(fields))

    def faults(self) -> list[dict[str, Any]]:
        """The faults that still wait."""
        return self._faults.waiting()

    def clear_faults(self) -> None:
        self._faults.clear()

    def requests(self) -> Requests:
        """What arrived since the start or the last clearing."""
        return self._recorder.requests()

    def clear_requests(self) -> None:
        self._recorder.clear()

    def advance(self, by: float | timedelta) -> None:
        """Moves the clock by seconds or a timedelta."""
        self.clock.advance(by if isinstance(by, timedelta) else timedelta(seconds=by))
        self.save()

    def set_now(self, moment: datetime) -> None:
        """Sets the clock; it goes on from there."""
        self.clock.set(moment)
        self.save()

    @property
    def outside(self) -> Outside:
        """Changes behind a client's back."""
        return Outside(self.account, self.clock, self.save)

    def credentials(self) -> dict[str, str]:
        return {"management_key": self.management_key, "inference_key": self.inference_key}

    def key(self, key_hash: str) -> dict[str, Any]:
        """One key as the API would answer it now. Raises NotFoundError."""
        with self.account.lock:
            return key_object(self.account.keys.get(key_hash), self.now())

    def guardrail(self, guardrail_id: str) -> dict[str, Any]:
        """One guardrail as the API would answer it. Raises NotFoundError."""
        with self.account.lock:
            return guardrail_object(self.account.guardrails.get(guardrail_id))

    def destination(self, destination_id: str) -> dict[str, Any]:
        """One destination as the API would answer it. Raises NotFoundError."""
        with self.account.lock:
            return destination_object(self.account.destinations.get(destination_id))

    def every_key(self, workspace_id: str | None = None) -> list[dict[str, Any]]:
        """Every key (of one workspace), disabled and expired ones included, newest first."""
        with self.account.lock:
            rows = [row for row in self.account.keys if workspace_id in (None, row.workspace_id)]
            rows.sort(key=lambda row: (row.created_at, row.serial), reverse=True)
            return [key_object(row, self.now()) for row in rows]

    # The wire.

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        try:
            body = _read_body(environ)
            if path.startswith(PREFIX + "/"):
                answer: Answer | None = open_door(self, method, path, body)
            else:
                answer = self._meet(environ, method, path, query, body)
        except ServiceError as error:
            answer = error_answer(error)
        if answer is None:
            hang_up(environ)
            answer = Answer(500, b"")
        start_response(answer.status_line, answer.header_list)
        return [answer.body] if answer.promised is None else then_hang_up(environ, answer.body)

    def _meet(
        self, environ: WSGIEnvironment, method: str, path: str, query: dict[str, str], body: bytes
    ) -> Answer | None:
        """Answers a call to the API, faults included; None means that the connection drops."""
        if not path.startswith(BASE + "/"):
            raise NotFoundError()
        below = path.removeprefix(BASE)
        match = _ROUTER.match(method, below)
        seen = self._recorder.note(method=method, path=path, endpoint=match.name, query=query, body=body)
        token = environ.get("HTTP_AUTHORIZATION")
        fault = self._faults.take(method, below)
        answer = self._under(fault, lambda: self._serve(match, token, query, body))
        seen.status = answer.status if answer else None
        return answer

    def _under(self, fault: Fault | None, serve: Callable[[], Answer]) -> Answer | None:
        if fault is None:
            return serve()
        if fault.kind == "drop_before":
            return None
        if fault.kind == "delay" and not fault.after:
            self._closing.wait(fault.seconds)
        answer = in_place_of(fault)
        if answer is not None and not fault.after:
            return answer
        served = serve()
        if fault.kind == "drop_after":
            return None
        if fault.kind == "delay" and fault.after:
            self._closing.wait(fault.seconds)
        return answer or spoiled(served, fault)

    def _serve(self, match: Match, authorization: str | None, query: dict[str, str], body: bytes) -> Answer:
        """What the service itself answers. A change is saved before its answer exists."""
        if match.endpoint is None:
            return error_answer(match.problem or NotFoundError())
        account = self.account
        with account.lock:
            try:
                now = self.now()
                caller, anonymous = _admitted(match.endpoint, account, authorization, now)
                call = Call(account, now, query, body, caller, match.arguments, anonymous)
                reply = match.endpoint.handler(call)
            except ServiceError as error:
                return error_answer(error)
            if match.endpoint.method != "GET" and not match.endpoint.reads:
                self.save()
            return json_answer(reply.body, reply.status)


def _admitted(
    endpoint: Endpoint, account: Account, authorization: str | None, now: datetime
) -> tuple[KeyRow | None, bool]:
    """The inference key of a call (None for the management key), and whether nobody is known to call."""
    try:
        caller = _caller(account, authorization, now)
    except UnauthorizedError:
        if not endpoint.public:
            raise
        return None, True
    if caller is not None and not endpoint.inference and not endpoint.public:
        raise WrongKeyKindError
    return caller, False


def _caller(account: Account, authorization: str | None, now: datetime) -> KeyRow | None:
    """The inference key of a call, None for the management key. Raises UnauthorizedError."""
    if not authorization:
        raise UnauthorizedError
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError
    key_hash = hash_of(token.strip())
    if key_hash == account.management_hash:
        return None
    row = account.keys.find(key_hash)
    if row is None or not row.active(now):
        raise UnauthorizedError("No active API key matches this credential")
    return row


def _read_body(environ: WSGIEnvironment) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > LARGEST_BODY:
        raise TooLargeError
    return environ["wsgi.input"].read(length) if length else b""
