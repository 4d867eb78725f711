from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from orgadmin.openrouter.errors import UnreadableAnswer

T = TypeVar("T")

LARGEST_PAGE = 100

# Pages shift while they are walked, so a page may bring nothing new; a server that ignores `offset` does so
# for ever.
STALE_PAGES_ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list that knows its size. `total_count` counts the whole filtered list, not this page."""

    items: tuple[T, ...]
    total_count: int


class Unrepeated(Generic[T]):
    """Lets each row through once, by identity, and notices a walk that no longer gets anywhere."""

    def __init__(self, identity: Callable[[T], str]) -> None:
        self._identity = identity
        self._seen: set[str] = set()
        self._stale = 0

    def new(self, rows: tuple[T, ...]) -> tuple[T, ...]:
        """The rows not seen before, in order. Raises UnreadableAnswer when page after page brings nothing."""
        fresh = []
        for row in rows:
            identity = self._identity(row)
            if identity not in self._seen:
                self._seen.add(identity)
                fresh.append(row)
        self._stale = 0 if fresh else self._stale + 1
        if self._stale > STALE_PAGES_ALLOWED:
            raise UnreadableAnswer("OpenRouter keeps answering with the same page of a list.")
        return tuple(fresh)


def check_window(offset: int, limit: int) -> None:
    """Upstream takes an offset from 0 and 1 to 100 rows; ValueError beyond."""
    if offset < 0 or not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"An offset starts at 0 and a page holds 1 to {LARGEST_PAGE} rows.")


def walk_counted(fetch: Callable[[int], Page[T]], identity: Callable[[T], str]) -> Iterator[tuple[T, ...]]:
    """Every page until `offset` reaches the total, advancing by what was received. Rows come once."""
    unrepeated = Unrepeated(identity)
    offset = 0
    while True:
        page = fetch(offset)
        offset += len(page.items)
        yield unrepeated.new(page.items) if page.items else ()
        if not page.items or offset >= page.total_count:
            return
