"""Prices as rows hold them: exact, in one spelling, and in an order that a database can sort by.

A token costs far less than a nano-dollar's worth of digits can say, so a column of prices holds whole
femto-dollars (10⁻¹⁵ USD). All prices of a model stand beside it as text in one spelling: upstream writes
"0.10" today and "0.1" tomorrow, and neither is a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from orgadmin.openrouter.model_catalog import Pricing, PricingOverride

FEMTO = Decimal("1e-15")
# What a signed 64-bit column of femto-dollars can hold, rounded down. Nothing is sold at such a price.
MOST = Decimal(9_000)
# What a price says that depends on where a router sends the request.
VARIES = "varies"
OVERRIDES, DISCOUNT = "overrides", "discount"
_ALWAYS = ("prompt", "completion")


class PriceField(models.BigIntegerField):  # type: ignore[type-arg]
    """Decimal dollars in Python, whole femto-dollars in the database."""

    # What the type checker's plugin reads in place of the integer's.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else (int(value) * FEMTO).normalize()

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Decimal) else Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        if value is None:
            return None
        capped = max(Decimal(0), min(Decimal(value), MOST))
        return int((capped / FEMTO).to_integral_value(rounding=ROUND_HALF_EVEN))


def kept(price: Decimal | None) -> Decimal | None:
    """A price as the column gives it back."""
    return None if price is None else (Decimal(PriceField().get_prep_value(price) or 0) * FEMTO).normalize()


def spelled(number: Decimal) -> str:
    """Digits without an exponent and without zeros at the end: "0.10" and "1e-1" are both "0.1"."""
    return format(number.normalize() if number else Decimal(0), "f")


def texts(pricing: Pricing) -> dict[str, Any]:
    """Every price that applies, by what is paid for, as text in one spelling; "varies" for what a router
    takes. ``overrides`` are dictionaries of the same kind, with their conditions."""
    found = dict(_texts(pricing))
    found.update({name: VARIES for name in _ALWAYS if getattr(pricing, name) is None})
    if pricing.overrides:
        found[OVERRIDES] = [dict(_texts(one)) for one in pricing.overrides]
    return found


def _texts(pricing: Pricing | PricingOverride) -> Iterator[tuple[str, Any]]:
    for item in fields(pricing):
        value = getattr(pricing, item.name)
        if isinstance(value, Decimal):
            # No discount is the same as none at all.
            if value or item.name != DISCOUNT:
                yield item.name, spelled(value)
        elif item.name == "utc_days" and value:
            yield item.name, list(value)


def flat(prices: Mapping[str, Any]) -> dict[str, str]:
    """Prices by name, each one text that can be compared and kept in a history."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True)
        for name, value in prices.items()
    }


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What of the prices is not as it was: name, before and after; "" where there was or is none."""
    old, new = flat(before), flat(after)
    names = sorted({*old, *new})
    return [(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)]
