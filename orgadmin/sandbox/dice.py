"""Chance that is the same on every machine and every Python, because it is made of digests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")

_WORDS = 8
_SCALE = 1 << 64


class Dice:
    """A stream of even chances that depends on nothing but the parts it was named with."""

    __slots__ = ("_name", "_round", "_words")

    def __init__(self, *parts: object) -> None:
        self._name = "\x1f".join(str(part) for part in parts).encode()
        self._round = 0
        self._words: list[int] = []

    def _word(self) -> int:
        if not self._words:
            digest = blake2b(self._name + self._round.to_bytes(4, "big")).digest()
            self._round += 1
            self._words = [int.from_bytes(digest[8 * i : 8 * i + 8], "big") for i in range(_WORDS)]
        return self._words.pop()

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return self._word() % bound

    def unit(self) -> float:
        """A number from 0 up to but without 1."""
        return self._word() / _SCALE

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def happens(self, chance: float) -> bool:
        return self.unit() < chance

    def bell(self) -> float:
        """A number around 0 with deviation 1, from two even ones (Box and Muller)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.unit()))
        return radius * math.cos(2.0 * math.pi * self.unit())

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[Item], weights: Sequence[float]) -> Item:
        point = self.unit() * sum(weights)
        for item, weight in zip(items, weights, strict=True):
            point -= weight
            if point < 0:
                return item
        return items[-1]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        return sorted(items, key=lambda _: self._word())


def hex_digest(*parts: object) -> str:
    """64 hexadecimal characters that depend on the parts alone."""
    return blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=32).hexdigest()


def uuid_text(*parts: object) -> str:
    """A UUID that depends on the parts alone, with the version and variant bits of a random one."""
    digest = hex_digest("uuid", *parts)
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
