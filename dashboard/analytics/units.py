"""A metric's figures in its own unit: ``display_format`` of /analytics/meta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from dashboard import formats
from dashboard.formats import THIN

Figure = int | Decimal
Write = Callable[[Figure], str]
# From so many digits on.
ENORMOUS = 18


def writer(display_format: str) -> Write:
    """How a figure is spelled; a format that nobody knows yet is a plain number."""
    write = _WRITERS.get(display_format, plain)
    return lambda value: _enormous(value) if Decimal(value).adjusted() >= ENORMOUS else write(value)


def _enormous(value: Figure) -> str:
    """A figure that is nonsense in any unit, and has more digits than rounding can hold."""
    return f"{Decimal(value):.3e}"


def plain(value: Figure) -> str:
    """A number with at most four digits after the point."""
    if isinstance(value, int) or value == value.to_integral_value():
        return formats.number(int(value))
    return formats.number(_rounded(Decimal(value), 4).normalize())


def dollars(value: Figure) -> str:
    """Cents, and more digits where a cent says nothing."""
    amount = Decimal(value)
    return formats.money(amount, 2 if abs(amount) >= 1 or amount == _rounded(amount, 2) else 4)


def percent(value: Figure) -> str:
    """A ratio from 0 to 1."""
    return formats.share(Decimal(value), 1)


def milliseconds(value: Figure) -> str:
    """Milliseconds, from a hundred thousand on as seconds."""
    exact = Decimal(value)
    if abs(exact) >= 100_000:
        return f"{formats.number(_rounded(exact / 1000, 1))}{THIN}s"
    return f"{formats.number(_rounded(exact, 0))}{THIN}ms"


def tokens_a_second(value: Figure) -> str:
    return f"{formats.number(_rounded(Decimal(value), 1))}{THIN}tokens/s"


def _rounded(value: Decimal, places: int) -> Decimal:
    smallest = Decimal(1).scaleb(-places)
    return value.quantize(smallest, ROUND_HALF_UP)


_WRITERS: Mapping[str, Write] = {
    "number": plain,
    "currency": dollars,
    "percent": percent,
    "latency": milliseconds,
    "throughput": tokens_a_second,
}
