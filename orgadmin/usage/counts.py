"""The measures of a fact as whole numbers, money as nano-dollars: what is compared is compared exactly."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from orgadmin.inventory.money import to_nano
from orgadmin.usage.models import MEASURES

Counts = tuple[int, ...]
NOTHING: Counts = (0,) * len(MEASURES)
# Nano-dollars by which a sum of rounded amounts may differ from the rounded sum.
ROUNDING = 1000

Group = TypeVar("Group", bound=Hashable)


def added_up(rows: Iterable[tuple[Group, Sequence[int]]]) -> dict[Group, Counts]:
    """The sums of each group."""
    found: dict[Group, Counts] = {}
    for group, counts in rows:
        before = found.get(group)
        # Most groups have one row, and a list is made quicker than a generator is run.
        found[group] = (
            tuple(counts) if before is None else tuple([a + b for a, b in zip(before, counts, strict=True)])
        )
    return found


def difference(all_of_it: Counts, known: Counts) -> Counts:
    return tuple([whole - part for whole, part in zip(all_of_it, known, strict=True)])


def is_more(counts: Iterable[int]) -> bool:
    """Whether any of it is above zero, and by more than rounding many facts to the nano-dollar can make."""
    *numbers, usage, byok_usage = counts
    return any(number > 0 for number in numbers) or usage > ROUNDING or byok_usage > ROUNDING


def between(amount: int, whole: int) -> int:
    """The amount as far as it is part of the whole, which may lie below zero."""
    return min(max(amount, min(whole, 0)), max(whole, 0))


def whole_counts(values: Sequence[Any]) -> Counts:
    """Sums of the database as whole numbers."""
    return tuple(to_nano(value) if isinstance(value, Decimal) else int(value or 0) for value in values)
