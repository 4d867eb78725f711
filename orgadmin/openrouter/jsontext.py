"""JSON whose numbers are exact: Decimal in, Decimal out, never a binary float in between."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

# Dollars never need more; a number beyond this would only be a way to make us write a gigabyte of zeros.
LARGEST_EXPONENT = 18
SMALLEST_EXPONENT = -400


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def loads(text: str) -> Any:
    """Parse JSON; fractions become Decimal with the digits of the text, integers stay int.

    Raises ValueError for anything that is not JSON, NaN and Infinity included.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_int=int, parse_constant=_refuse_constant)
    except (RecursionError, ArithmeticError) as problem:
        raise ValueError("JSON that no honest server sends") from problem


def reasonable(number: Decimal) -> bool:
    """True for finite numbers that can be written out in full without harm."""
    if not number.is_finite():
        return False
    exponent = number.as_tuple().exponent
    return (
        number.adjusted() <= LARGEST_EXPONENT and isinstance(exponent, int) and exponent >= SMALLEST_EXPONENT
    )


def number_text(number: Decimal) -> str:
    """The number in plain digits: no exponent, no rounding, every digit it has. ValueError if it is not
    finite.
    """
    if not reasonable(number):
        raise ValueError("A number that is sent must be finite and of a reasonable size.")
    return format(number, "f")


def dumps(value: Any) -> str:
    """Write JSON. Decimals become plain JSON numbers; NaN and Infinity are a ValueError, unknown types a
    TypeError.
    """
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_name(key)}:{dumps(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(dumps(item) for item in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("A number that is sent must be finite.")
    if value is None or isinstance(value, str | bool | int | float):
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError("A JSON object has text for names")
    return json.dumps(key)
