"""A question as it was asked and checked: which figures, of what, when, in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orgadmin.sandbox.analytics.dimensions import DIMENSIONS, Dimension
from orgadmin.sandbox.analytics.metrics import METRICS, Metric

SCALAR_OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte")
ARRAY_OPERATORS = ("in", "not_in")
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition. `values` are numbers and words alike as text; a scalar operator has one."""

    field: str
    operator: str
    values: tuple[str, ...]
    include_unset: bool = False

    @property
    def dimension(self) -> Dimension:
        return DIMENSIONS[self.field]

    def lets_through(self, names: tuple[str, ...]) -> bool:
        """Whether something with these names meets the condition; without any, it is not set."""
        if not names:
            return self.include_unset
        if self.operator in ("eq", "in"):
            return any(name in self.values for name in names)
        if self.operator in ("neq", "not_in"):
            return not any(name in self.values for name in names)
        return _compared(names[-1], self.operator, self.values[0])


def _compared(name: str, operator: str, value: str) -> bool:
    """Order of numbers where both are, order of letters otherwise."""
    left, right = _rank(name), _rank(value)
    if left[0] != right[0]:
        left, right = (1, 0.0, name), (1, 0.0, value)
    return {"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[operator]


def _rank(text: str) -> tuple[int, float, str]:
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, text)


@dataclass(frozen=True, slots=True)
class Order:
    field: str
    descending: bool


@dataclass(frozen=True)
class Question:
    """`start` and `end` are seconds since 1970. `limit` None lets the service choose."""

    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension, ...]
    granularity: str | None
    start: int
    end: int
    filters: tuple[Filter, ...] = ()
    order: Order | None = None
    limit: int | None = None
    group_limit: int | None = None

    @property
    def window(self) -> int:
        """The days that a range may have, and after which what is asked for is forgotten."""
        fields = [metric.window for metric in self.metrics]
        fields += [dimension.window for dimension in self.dimensions]
        fields += [condition.dimension.window for condition in self.filters]
        return min(fields)

    @property
    def measures(self) -> tuple[str, ...]:
        """What must be measured for it, the requests first."""
        needs = [need for metric in self.metrics for need in metric.needs]
        return tuple(dict.fromkeys(["requests", *needs]))

    def touches(self, scope: str) -> bool:
        """Whether a dimension or filter is about the last part of what is known."""
        fields = (*self.dimensions, *(condition.dimension for condition in self.filters))
        return any(dimension.scope == scope for dimension in fields)


REQUESTS = METRICS["request_count"]
