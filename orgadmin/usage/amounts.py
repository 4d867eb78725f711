"""The measures of use as Python sees them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from orgadmin.usage.models import MEASURES


class Amounts(NamedTuple):
    """The measures of one group. Money in US dollars, exact."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    usage: Decimal = Decimal(0)
    byok_usage: Decimal = Decimal(0)

    @classmethod
    def of(cls, counts: Sequence[int]) -> Amounts:
        """From whole numbers in the order of MEASURES, money in nano-dollars."""
        *numbers, usage, byok_usage = counts
        return cls._make((*numbers, Decimal(usage).scaleb(-9), Decimal(byok_usage).scaleb(-9)))

    # A page adds thousands of these up, so that the seven sums are written out.
    def __add__(self, other: Amounts) -> Amounts:  # type: ignore[override]
        a, b, c, d, e, f, g = self
        k, m, n, p, q, r, s = other
        return Amounts(a + k, b + m, c + n, d + p, e + q, f + r, g + s)

    def __sub__(self, other: Amounts) -> Amounts:
        a, b, c, d, e, f, g = self
        k, m, n, p, q, r, s = other
        return Amounts(a - k, b - m, c - n, d - p, e - q, f - r, g - s)

    @property
    def total(self) -> Decimal:
        """Credits and BYOK together."""
        return self.usage + self.byok_usage

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def per_million(self) -> Decimal | None:
        """Dollars for a million tokens, BYOK included; None without tokens."""
        return self.total * 1_000_000 / self.tokens if self.tokens else None


NOTHING = Amounts()
assert Amounts._fields == MEASURES


def value_of(amounts: Amounts, measure: str) -> Any:
    """The measure of a group: a column, or one of the sums of two."""
    return getattr(amounts, measure)
