"""The moment at which a session last proved who is behind it."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

# The session's name for it.
PROOF_KEY = "proved_at"
# How long a password counts as fresh for sensitive acts.
PROOF_SECONDS = 15 * 60


def record_proof(request: HttpRequest) -> None:
    """The person just proved who they are."""
    request.session[PROOF_KEY] = time.time()


def proof_is_fresh(request: HttpRequest) -> bool:
    """Whether the last proof is younger than ``PROOF_SECONDS``. A clock set back does not prolong it."""
    age = time.time() - request.session.get(PROOF_KEY, 0)
    return bool(0 <= age < PROOF_SECONDS)


def _at_sign_in(sender: Any, request: HttpRequest | None, **_: Any) -> None:
    # Test clients sign in without a request of their own; there is no session to write to then.
    if request is not None and hasattr(request, "session"):
        record_proof(request)


def connect() -> None:
    """Every way of signing in, second factor included, ends in this signal: the proof is as fresh as that."""
    user_logged_in.connect(_at_sign_in, dispatch_uid="proof of identity")
