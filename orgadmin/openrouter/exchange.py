"""One try: one request out, one answer in, or the reason why not."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3 import Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from orgadmin.openrouter import jsontext, wire
from orgadmin.openrouter.errors import AnswerLost, NotSent, OpenRouterError, UnreadableAnswer
from orgadmin.openrouter.refusals import error_from_answer, request_id

LARGEST_BODY = 32 * 1024 * 1024
CHUNK = 64 * 1024
SHORTEST_TIMEOUT = 0.01

Remaining = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Call:
    """What to send. `write`: it changes something upstream; `repeatable`: doing it twice does no harm;
    `anonymous`: without the key.
    """

    method: str
    url: str
    params: Mapping[str, str]
    body: bytes | None = field(repr=False)
    write: bool
    repeatable: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with its body; None when the body got lost after the status had said enough."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)


class _TooLargeError(Exception):
    pass


class _TooSlowError(Exception):
    pass


def exchange(
    session: requests.Session,
    call: Call,
    *,
    auth: AuthBase,
    connect_timeout: float,
    read_timeout: float,
    remaining: Remaining,
) -> Mapping[str, Any]:
    """Send once and give the JSON object of a 2xx answer; every failure is an OpenRouterError.

    `remaining()` is in seconds and bounds connecting, waiting and reading together.
    """
    limits = Timeout(total=max(remaining(), SHORTEST_TIMEOUT), connect=connect_timeout, read=read_timeout)
    return _understood(_answer(session, call, auth, limits, remaining), call)


def _answer(
    session: requests.Session, call: Call, auth: AuthBase, limits: Any, remaining: Remaining
) -> Answer:
    request = _prepared(session, call, auth)
    wire.assume_sent()
    try:
        settings = session.merge_environment_settings(request.url, {}, True, None, None)
        with session.send(request, timeout=limits, allow_redirects=False, **settings) as response:
            return Answer(response.status_code, response.headers, _body_if_needed(response, remaining))
    except (requests.RequestException, HTTPError, OSError, ValueError, _TooSlowError) as problem:
        failure = _failure(problem, call)
    except _TooLargeError:
        failure = UnreadableAnswer("OpenRouter's answer is larger than we read.", outcome_unknown=call.write)
    # Raised here, outside the handler: the exceptions above hold the prepared request, and with it the key.
    raise failure


def _prepared(session: requests.Session, call: Call, auth: AuthBase) -> requests.PreparedRequest:
    request = requests.Request(
        call.method, call.url, params=call.params, data=call.body, headers=call.headers, auth=auth
    )
    try:
        return session.prepare_request(request)
    except (requests.RequestException, ValueError):
        failure = NotSent("The address of this call cannot be used.", retryable=False)
    raise failure


def _body_if_needed(response: requests.Response, remaining: Remaining) -> bytes | None:
    """The body; for a refusal, whose status says enough, None when the explanation got lost."""
    try:
        return _body(response, remaining)
    except (HTTPError, OSError, _TooSlowError, _TooLargeError):
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise
        return None


def _body(response: requests.Response, remaining: Remaining) -> bytes:
    """Read piece by piece, so that neither size nor a trickle of bytes can exceed what the call was given."""
    pieces: list[bytes] = []
    size = 0
    while True:
        left = remaining()
        if left <= 0:
            raise _TooSlowError
        wire.shorten_wait(left)
        piece = response.raw.read1(CHUNK, decode_content=True)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_BODY:
            raise _TooLargeError


def _understood(answer: Answer, call: Call) -> Mapping[str, Any]:
    status = answer.status
    if status == HTTPStatus.NO_CONTENT:
        return {}
    text = None if answer.body is None else answer.body.decode("utf-8", "replace")
    if status >= HTTPStatus.BAD_REQUEST:
        raise error_from_answer(
            status=status, headers=answer.headers, text=text, write=call.write, repeatable=call.repeatable
        )
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise _unreadable("answered with a redirect; is the base URL right?", answer, call, retryable=False)
    try:
        value = jsontext.loads(text or "")
    except ValueError:
        value = None
    if not isinstance(value, Mapping):
        raise _unreadable(
            "answered with something that is not JSON.", answer, call, retryable=call.repeatable
        )
    return value


def _unreadable(what: str, answer: Answer, call: Call, *, retryable: bool) -> UnreadableAnswer:
    return UnreadableAnswer(
        f"OpenRouter {what}",
        status=answer.status,
        request_id=request_id(answer.headers),
        retryable=retryable,
        outcome_unknown=call.write,
    )


def _failure(problem: Exception, call: Call) -> OpenRouterError:
    """NotSent when that is certain, AnswerLost in every other case: a doubt about a create must stay one."""
    inner = _innermost(problem)
    if not wire.was_sent() or _proves_unsent(inner):
        return NotSent(_why_unsent(inner))
    if isinstance(inner, DecodeError):
        return UnreadableAnswer("OpenRouter's answer cannot be unpacked.", outcome_unknown=call.write)
    slow = isinstance(inner, ReadTimeoutError | TimeoutError | _TooSlowError)
    message = (
        "OpenRouter did not answer in time."
        if slow
        else "The connection to OpenRouter broke before its answer."
    )
    return AnswerLost(message, retryable=call.repeatable, outcome_unknown=call.write)


def _innermost(problem: Exception) -> object:
    """The urllib3 exception that `requests` wrapped, or the problem itself."""
    inner: object = (
        problem.args[0] if isinstance(problem, requests.RequestException) and problem.args else problem
    )
    if isinstance(inner, MaxRetryError):
        inner = inner.reason
    return inner


def _proves_unsent(inner: object) -> bool:
    # Not ProxyError: a request that was lost behind a plain HTTP proxy is reported as one too.
    return isinstance(inner, NewConnectionError | ConnectTimeoutError) or _certificate_refused(inner)


def _certificate_refused(inner: object) -> bool:
    causes = inner.args if isinstance(inner, Exception) else ()
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in (inner, *causes))


def _why_unsent(inner: object) -> str:
    if isinstance(inner, NameResolutionError):
        return "OpenRouter could not be reached: its name is not known here."
    if isinstance(inner, ProxyError):
        return "OpenRouter could not be reached through the proxy."
    if _certificate_refused(inner):
        return "OpenRouter could not be reached: its TLS certificate is not trusted here."
    if isinstance(inner, ConnectTimeoutError | ReadTimeoutError | TimeoutError) and not isinstance(
        inner, NewConnectionError
    ):
        return "OpenRouter could not be reached in time."
    return "OpenRouter could not be reached: the connection was refused or broke off."
