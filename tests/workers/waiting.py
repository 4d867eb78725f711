"""Waiting for what other processes do, no longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable

# A test that goes well needs a few seconds; a machine with much else to do, several times that.
SECONDS = 60.0


def eventually(check: Callable[[], object], what: str, *, seconds: float = SECONDS) -> None:
    """Return as soon as ``check()`` is true; AssertionError with ``what`` when it never is."""
    until = time.monotonic() + seconds
    while not check():
        if time.monotonic() > until:
            raise AssertionError(f"Within {seconds:g} s it did not happen that {what}.")
        time.sleep(0.05)
