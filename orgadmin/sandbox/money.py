"""US dollars: whole nano-dollars inside, JSON numbers outside."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

NANO = 1_000_000_000


def dollars(nano: int) -> float | int:
    """A JSON number as a JavaScript server spells it: whole amounts without a fraction."""
    whole, rest = divmod(nano, NANO)
    return whole if rest == 0 else nano / NANO


def worn(amount: float | int) -> float | int:
    """The same amount with the last-digit noise that a sum of doubles collects.

    The error stays far below a nano-dollar for any amount under eight million dollars.
    """
    if isinstance(amount, int):
        return amount
    return math.nextafter(amount, math.inf)


def nanos(amount: float | int | Decimal) -> int:
    """Whole nano-dollars, the nearest; exact for amounts whose product would leave the doubles."""
    return round(Fraction(amount) * NANO)
