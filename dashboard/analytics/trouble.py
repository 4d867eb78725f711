"""Why there is no answer, and what to do next, in words (FACTS 1.4, 1.5, 2.9)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.analytics.services import Unfit
from orgadmin.openrouter import errors
from orgadmin.pages import sentence


@dataclass(frozen=True)
class Trouble:
    """``steps`` are what may help. ``is_about_question``: it belongs next to the form. ``may_wait``: a
    background job, which waits longer, may get the answer. ``is_connection``: Settings is the place to go."""

    title: str
    text: str
    steps: tuple[str, ...] = ()
    is_about_question: bool = False
    may_wait: bool = False
    is_connection: bool = False
    request_id: str = ""


def unfit(problem: Unfit) -> Trouble:
    return Trouble("This cannot be asked yet", "", problem.problems, is_about_question=True)


def trouble_of(error: errors.OpenRouterError) -> Trouble:
    for kind, explain in _EXPLAINED:
        if isinstance(error, kind):
            return explain(error)
    return _unforeseen(error)


def _refused(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter refused the question",
        f"It says: {sentence(error.message)}",
        ("Change what it names above, then run it again.",),
        is_about_question=True,
        request_id=error.request_id or "",
    )


def _unauthorized(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter does not accept the management key",
        sentence(error.message),
        ("An owner can enter another key in Settings.",),
        is_connection=True,
        request_id=error.request_id or "",
    )


def _forbidden(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter does not let this key read analytics",
        f"It says: {sentence(error.message)}",
        ("Analytics need a management key of the organization: look at the connection in Settings.",),
        is_connection=True,
        request_id=error.request_id or "",
    )


def _too_slow(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter gave up: the question takes too long",
        "Asking the same again would take as long.",
        (
            "Choose a shorter range.",
            "Leave out latency and throughput.",
            "Leave out a breakdown, generations above all, or filter by a key or a workspace.",
        ),
        is_about_question=True,
        request_id=error.request_id or "",
    )


def _crowded(error: errors.OpenRouterError) -> Trouble:
    wait = error.retry_after if isinstance(error, errors.RateLimited) else None
    seconds = f"{max(1, math.ceil(wait))} seconds" if wait is not None else "a minute"
    return Trouble(
        "Too many questions at once",
        "OpenRouter answers 64 analytics questions a minute for all of an organization, the pulls of this "
        "dashboard among them.",
        (f"Wait {seconds}, then run it again.",),
        may_wait=True,
        request_id=error.request_id or "",
    )


def _no_answer(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "No answer within 10 seconds",
        "A page does not wait longer. A background job waits up to a minute, and shows its answer here for a "
        "day, even if you leave.",
        may_wait=True,
    )


def _not_reached(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter cannot be reached",
        sentence(error.message),
        ("Run it again in a moment.",),
        may_wait=True,
        request_id=error.request_id or "",
    )


def _unreadable(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter's answer cannot be read",
        f"{sentence(error.message)} No figure is shown rather than a wrong one.",
        ("Run it again; if it stays so, ask for less until the part that does it is found.",),
        request_id=error.request_id or "",
    )


def _unforeseen(error: errors.OpenRouterError) -> Trouble:
    return Trouble(
        "OpenRouter did not answer the question",
        f"It says: {sentence(error.message)}",
        ("Run it again in a moment.",),
        request_id=error.request_id or "",
    )


_EXPLAINED: tuple[tuple[type[errors.OpenRouterError], Callable[[errors.OpenRouterError], Trouble]], ...] = (
    (errors.InvalidRequest, _refused),
    (errors.Unauthorized, _unauthorized),
    (errors.Forbidden, _forbidden),
    (errors.TooSlow, _too_slow),
    (errors.RateLimited, _crowded),
    (errors.AnswerLost, _no_answer),
    (errors.NotSent, _not_reached),
    (errors.ServerFailure, _not_reached),
    (errors.UnreadableAnswer, _unreadable),
)
