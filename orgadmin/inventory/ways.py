"""Ways into what a noun lists, where one credential does not see all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgadmin.openrouter.errors import Forbidden, Unauthorized
from orgadmin.openrouter.transport import OpenRouter


@dataclass(frozen=True)
class Way:
    """One credential and what it lists.

    ``refused`` is told that OpenRouter does not take the credential: what this way would have shown is then
    not known, which fails no pull. ``read`` is told that the walk came to its end. ``covers`` gives, after
    it, the parts of the noun (values of its ``part`` column) of which everything was met. ``is_first`` says
    that nobody looked there before, so that nothing can have changed since.
    """

    client: OpenRouter
    walk: Callable[[], Iterator[Sequence[Any]]]
    covers: Callable[[], set[str]]
    refused: Callable[[Unauthorized | Forbidden], None] = field(default=lambda _: None)
    read: Callable[[], None] = field(default=lambda: None)
    is_first: bool = False
