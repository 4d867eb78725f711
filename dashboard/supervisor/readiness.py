"""Waiting for the web server, from a process of its own."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

EVERY_SECONDS = 0.2


def wait_until_ready(url: str, *, seconds: float) -> bool:
    """Whether ``url`` (a /readyz) answered 200 within so many seconds."""
    # A proxy of the environment has no business between two processes of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with opener.open(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(EVERY_SECONDS)
    return False
