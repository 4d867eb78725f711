"""From an answer that is not a success to an error of the family."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import Any

from orgadmin.openrouter import errors, jsontext
from orgadmin.openrouter.secret import Secret

CLASS_OF_STATUS: dict[int, type[errors.OpenRouterError]] = {
    400: errors.InvalidRequest,
    401: errors.Unauthorized,
    402: errors.PaymentRequired,
    403: errors.Forbidden,
    404: errors.NotFound,
    408: errors.TooSlow,
    409: errors.Conflict,
    413: errors.InvalidRequest,
    422: errors.InvalidRequest,
    429: errors.RateLimited,
}
WORTH_REPEATING = frozenset({429, 500, 502, 503, 504, *range(520, 531)})

# This says "not now" before anything is done. After any failure of the server, and after 408, a change may
# have been made although its answer got lost on the way: whoever answers 503 need not be who did the work.
REFUSED_OUTRIGHT = frozenset({429})
REQUEST_TIMEOUT = 408

# A header must not be able to stop an organization for longer than an hour.
LONGEST_RETRY_AFTER = 3600.0
LONGEST_MESSAGE = 1000
LONGEST_REQUEST_ID = 200

_KEY_IN_TEXT = re.compile(r"sk-or-v1-[0-9A-Za-z]{8,}")


def error_from_answer(
    *, status: int, headers: Mapping[str, str], text: str | None, write: bool, repeatable: bool
) -> errors.OpenRouterError:
    """The error an HTTP status of 400 and above stands for.

    `text` is the body, or None when it got lost. `write` says whether the call changes things, `repeatable`
    whether doing it twice does no harm.
    """
    described = _described(text)
    kind = CLASS_OF_STATUS.get(status, errors.ServerFailure if status >= 500 else errors.OpenRouterError)
    code = described.get("code")
    metadata = described.get("metadata")
    refused = status in REFUSED_OUTRIGHT
    error = kind(
        _words(status, _message(described)),
        status=status,
        code=code if isinstance(code, str | int) else None,
        request_id=request_id(headers),
        retryable=status in WORTH_REPEATING and (repeatable or refused),
        outcome_unknown=write and not refused and (status >= 500 or status == REQUEST_TIMEOUT),
        metadata=metadata if isinstance(metadata, Mapping) else None,
    )
    if isinstance(error, errors.RateLimited | errors.ServerFailure):
        error.retry_after = retry_after(headers)
    return error


def request_id(headers: Mapping[str, str]) -> str | None:
    """What upstream, or the edge in front of it, calls this exchange; None when neither says."""
    for name in ("x-request-id", "cf-ray"):
        value = headers.get(name, "").strip()
        if value:
            return value[:LONGEST_REQUEST_ID]
    return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` (seconds or an HTTP date) or `retry-after-ms`; between 0 and an
    hour.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    text = headers.get("retry-after")
    seconds = _number(text) if milliseconds is None else milliseconds / 1000
    if seconds is None and text:
        seconds = _seconds_until(text)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def without_keys(text: str) -> str:
    """The text with every key in it masked: an explanation must not repeat a secret back to us."""
    return _KEY_IN_TEXT.sub(lambda found: Secret.mask(found.group()), text)


def _described(text: str | None) -> Mapping[str, Any]:
    """The `error` object of the envelope, or something like it; empty for HTML and other surprises."""
    try:
        body = jsontext.loads(without_keys(text or ""))
    except ValueError:
        return {}
    if not isinstance(body, Mapping):
        return {}
    described = body.get("error", body)
    if isinstance(described, str):
        return {"message": described}
    return described if isinstance(described, Mapping) else {}


def _message(described: Mapping[str, Any]) -> str:
    message = described.get("message")
    return message.strip()[:LONGEST_MESSAGE] if isinstance(message, str) else ""


def _words(status: int, message: str) -> str:
    """What was said, unless a failing server said no more than its status, such as "Bad Gateway"."""
    phrase = responses.get(status, "")
    if status >= 500 and message.rstrip(".").casefold() in {"", phrase.casefold()}:
        return f"OpenRouter could not answer ({f'{status} {phrase}'.strip()})."
    return message or f"OpenRouter answered with status {status} and no explanation."


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
