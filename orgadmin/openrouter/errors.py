"""One family of errors for everything that can go wrong between us and OpenRouter.

Callers branch on the class, `retryable` and `outcome_unknown`, never on the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

WRONG_KIND_START = "Only management keys can "


class OpenRouterError(Exception):
    """What went wrong with one call, after every retry that was allowed.

    - `status`: the HTTP status, or None when no answer arrived.
    - `message`: upstream's own words when it gave any, else a plain sentence of ours. Fit to be shown.
    - `request_id`: upstream's or the edge's name for this exchange, for a support ticket.
    - `retryable`: repeating this very call is safe and may help.
    - `outcome_unknown`: a change was asked for and may have happened. True as well when an earlier try of the
      same
      call may have done it, even if the last one was refused.
    - `metadata`: upstream's free-form `error.metadata`.
    """

    usually_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | int | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        outcome_unknown: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retryable = self.usually_retryable if retryable is None else retryable
        self.outcome_unknown = outcome_unknown
        self.metadata = metadata


class InvalidRequest(OpenRouterError):
    """400, 413 or 422: upstream understood and says what we sent is wrong."""


class Unauthorized(OpenRouterError):
    """401: the credential is missing, unknown, deleted, disabled or expired."""


class PaymentRequired(OpenRouterError):
    """402: credits exhausted."""


class Forbidden(OpenRouterError):
    """403: wrong kind of key, a feature the plan lacks, or a locked setting."""

    @property
    def wrong_key_kind(self) -> bool:
        """True when an inference key was used where a management key is needed."""
        return self.message.startswith(WRONG_KIND_START)


class NotFound(OpenRouterError):
    """404: unknown id, or a feature this account does not have."""


def lacks_feature(error: OpenRouterError) -> bool:
    """Whether it says that the account does not have what was asked for, rather than that the key may not."""
    return isinstance(error, NotFound) or (isinstance(error, Forbidden) and not error.wrong_key_kind)


class TooSlow(OpenRouterError):
    """408: OpenRouter gave up on it. Not retryable, because the same question would take as long again: ask
    once more for less, a shorter range or fewer dimensions.
    """


class Conflict(OpenRouterError):
    """409: somebody changed it at the same time."""


class RateLimited(OpenRouterError):
    """429, or our own limiter asking for more patience than the call has (then `status` is None and nothing
    was sent).

    `retry_after` is in seconds; None when upstream did not say.
    """

    usually_retryable = True
    retry_after: float | None = None


class ServerFailure(OpenRouterError):
    """Any 5xx, from OpenRouter or from the edge in front of it."""

    usually_retryable = True
    retry_after: float | None = None


class NotSent(OpenRouterError):
    """No byte of the request reached anybody: name not found, connection refused, TLS or connect timeout."""

    usually_retryable = True


class AnswerLost(OpenRouterError):
    """The request went out and no whole answer came back: read timeout, reset, body cut short."""

    usually_retryable = True


class UnreadableAnswer(OpenRouterError):
    """An answer that is not what the API promises: HTML, a redirect, JSON without a promised field."""
