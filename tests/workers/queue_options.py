"""How these tests share a broker with others. Needs no Django: the workers' settings use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def own_corner(url: str, options: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """The transport options with a prefix for every key in a Redis, not only for the queue's.

    A killed worker leaves notes there (``unacked``) that another one would take for its own.
    """
    return {**options, "global_keyprefix": f"{queue}:"} if url.startswith("redis") else dict(options)
