"""Exact money in the database.

OpenRouter speaks US dollars as JSON numbers. SQLite stores Django's decimals as REAL, whose sums are not
exact; so a column holds whole nano-dollars (10⁻⁹ USD) and Python sees ``Decimal`` dollars.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.db import models

NANO = Decimal("1e-9")
# What a signed 64-bit column of nano-dollars can hold, rounded down: about nine billion dollars.
MOST = Decimal(9_000_000_000)


def to_nano(dollars: Decimal | int | str) -> int:
    """Dollars to whole nano-dollars, half to even below that. Raises ValueError beyond nine billion."""
    value = Decimal(dollars)
    if not value.is_finite() or abs(value) > MOST:
        raise ValueError(f"{dollars} is not an amount of money that can be stored")
    return int((value / NANO).to_integral_value(rounding=ROUND_HALF_EVEN))


def nano_that_fits(dollars: Decimal) -> int:
    """Dollars to whole nano-dollars; what no column can hold becomes the most that it can."""
    return to_nano(max(-MOST, min(dollars, MOST)))


def to_dollars(nano: int) -> Decimal:
    """Whole nano-dollars to exact dollars, without trailing zeros beyond the cent."""
    value = Decimal(nano) * NANO
    cents = value.quantize(Decimal("0.01"))
    return cents if cents == value else value.normalize()


class MoneyField(models.BigIntegerField):  # type: ignore[type-arg]
    """Decimal dollars in Python, integer nano-dollars in the database. Sums in SQL are exact."""

    # What the type checker's plugin reads in place of the integer's.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else to_dollars(int(value))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Decimal) else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else to_nano(value)
