"""Analytics: what can be asked (`meta`), and asking it (`query`). Both share the limit "analytics"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from orgadmin.openrouter.analytics_answer import Answer, Row, read_answer
from orgadmin.openrouter.reading import read_data
from orgadmin.openrouter.timestamps import timestamp_text
from orgadmin.openrouter.transport import OpenRouter

__all__ = [
    "meta",
    "Meta",
    "Metric",
    "Dimension",
    "Operator",
    "Granularity",
    "query",
    "Query",
    "Filter",
    "OrderBy",
    "Answer",
    "Row",
]

LIMIT_GROUP = "analytics"
MOST_DIMENSIONS = 2
MOST_FILTERS = 20
MOST_ROWS = 10_000
TAKES_SEVERAL = frozenset({"in", "not_in"})
TAKES_ONE = frozenset({"eq", "neq", "gt", "gte", "lt", "lte"})

Scalar = str | int | Decimal

_STATISTIC = re.compile(r"(avg|mean|median|p\d+|min|max)_.*|.*_(rate|ratio|latency|throughput)")
_ADDITIVE_FORMATS = frozenset({"number", "currency"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that can be asked for. `display_format` is number, currency, percent, latency or throughput
    today; a percent is a ratio from 0 to 1.

    `is_rate` says that it must never be summed. Percentiles and averages must not be either, and upstream
    does not promise to mark those.
    """

    name: str
    display_label: str
    display_format: str
    is_rate: bool
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_additive(self) -> bool:
        """Whether rows may be added up: percentiles and averages are known by their names and formats, and
        what has a format nobody knows is not added either."""
        return (
            not self.is_rate
            and self.display_format in _ADDITIVE_FORMATS
            and _STATISTIC.fullmatch(self.name) is None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """Something to group and to filter by."""

    name: str
    display_label: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A way to compare in a filter. `value_type` is scalar or array today."""

    name: str
    value_type: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granularity:
    """A width of time buckets, in UTC. Upstream's weeks may begin on a Sunday, unlike those of limits."""

    name: str
    display_label: str
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What this account may ask at this moment. It wins over every list that is written down anywhere."""

    metrics: tuple[Metric, ...]
    dimensions: tuple[Dimension, ...]
    operators: tuple[Operator, ...]
    granularities: tuple[Granularity, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition. `value` is a tuple for `in` and `not_in` and a single value for the other operators.

    Where rows carry a label, filters take the id behind it: the hash of a key for `api_key_id`, `user_…` for
    `user`, the UUID for `workspace`, the number for `app`. Raises ValueError for a value that does not fit
    the operator, and for an empty tuple: nobody can mean "one of none".
    """

    field: str
    operator: str
    value: Scalar | tuple[Scalar, ...]

    def __post_init__(self) -> None:
        several = isinstance(self.value, tuple)
        if self.operator in (TAKES_ONE if several else TAKES_SEVERAL):
            raise ValueError(f"“{self.operator}” takes {'one value' if several else 'a tuple of values'}.")
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        if not values or not all(_is_scalar(value) for value in values):
            raise ValueError(
                "A filter compares with texts, whole numbers or Decimals, and with at least one."
            )

    def body(self) -> dict[str, Any]:
        """Its JSON form."""
        return {"field": self.field, "operator": self.operator, "value": self.value}


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Sort by a metric or dimension that is asked for, by `request_count`, or by `date`."""

    field: str
    direction: Literal["asc", "desc"] = "desc"

    def __post_init__(self) -> None:
        if self.direction not in ("asc", "desc"):
            raise ValueError("A direction is “asc” or “desc”.")

    def body(self) -> dict[str, Any]:
        """Its JSON form."""
        return {"field": self.field, "direction": self.direction}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question. What is None or empty is not sent, and upstream decides: the last 7 days, 1000 rows.

    `start` and `end` are in UTC and sent with seconds, fractions dropped. Without `granularity` each group is
    one row for the whole range. `limit` bounds the rows, `group_limit` those of each group; both count 1 to
    10,000. Filters all have to hold. Raises ValueError for what upstream is known to refuse whatever the
    names mean; what a name allows (31 days, say) only upstream knows.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    granularity: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    filters: tuple[Filter, ...] = ()
    order_by: OrderBy | None = None
    limit: int | None = None
    group_limit: int | None = None

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError("A query asks for at least one metric.")
        if len(self.dimensions) > MOST_DIMENSIONS or len(self.filters) > MOST_FILTERS:
            raise ValueError(f"A query has at most {MOST_DIMENSIONS} dimensions and {MOST_FILTERS} filters.")
        if not all(limit is None or 1 <= limit <= MOST_ROWS for limit in (self.limit, self.group_limit)):
            raise ValueError(f"A limit is between 1 and {MOST_ROWS}.")
        self._time_range()

    def body(self) -> dict[str, Any]:
        """The JSON body: only what is set."""
        asked = {
            "metrics": self.metrics,
            "dimensions": self.dimensions,
            "granularity": self.granularity,
            "time_range": self._time_range(),
            "filters": [one.body() for one in self.filters],
            "order_by": self.order_by and self.order_by.body(),
            "limit": self.limit,
            "group_limit": self.group_limit,
        }
        return {name: value for name, value in asked.items() if value}

    def _time_range(self) -> dict[str, str] | None:
        if self.start is None and self.end is None:
            return None
        if self.start is None or self.end is None:
            raise ValueError("A range of time has a start and an end.")
        start, end = timestamp_text(self.start), timestamp_text(self.end)
        if start >= end:
            raise ValueError("A range of time ends after it starts.")
        return {"start": start, "end": end}


def meta(client: OpenRouter) -> Meta:
    """`GET /analytics/meta`. Needs a management key, else Forbidden. Worth keeping for an hour."""
    return read_data(Meta, client.request("GET", "/analytics/meta", group=LIMIT_GROUP))


def query(client: OpenRouter, query: Query) -> Answer:
    """`POST /analytics/query`, which only reads and so may be repeated; no failure leaves anything in doubt.

    Needs a management key, else Forbidden. InvalidRequest carries upstream's reason for refusing, TooSlow
    (408) means to ask for less. Raises UnreadableAnswer rather than give a number nobody sent.
    """
    answer = client.request(
        "POST", "/analytics/query", body=query.body(), idempotent=True, write=False, group=LIMIT_GROUP
    )
    return read_answer(
        answer, metrics=query.metrics, dimensions=query.dimensions, granularity=query.granularity
    )


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | Decimal) and not isinstance(value, bool)
