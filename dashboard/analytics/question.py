"""A question as the address spells it: everything a person chose, and nothing that was looked up.

``metric`` may be repeated, ``by`` twice; a condition is ``f0``, ``op0`` and one or more ``v0``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from orgadmin.openrouter.analytics import MOST_FILTERS, MOST_ROWS, TAKES_SEVERAL

LONGEST = 200
MOST_METRICS, MOST_VALUES = 40, 100
# No granularity has no name upstream: it is left out.
NONE = "none"
CUSTOM = "custom"
USUAL_RANGE, USUAL_GRANULARITY = "7d", "day"
RANGES: Mapping[str, str] = {
    "1h": "Last hour",
    "3h": "Last 3 hours",
    "24h": "Last 24 hours",
    "today": "Today",
    "7d": "Last 7 days",
    "31d": "Last 31 days",
    "month": "This month",
    "last-month": "Last month",
    "90d": "Last 90 days",
    "12m": "Last 365 days",
    CUSTOM: "From … to …",
}
_YEARS = range(2015, 2101)

Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Condition:
    """One filter. ``search`` narrows the picker of its values and is no part of the question."""

    field: str
    operator: str
    values: tuple[str, ...] = ()
    search: str = ""

    @property
    def takes_several(self) -> bool:
        return self.operator in TAKES_SEVERAL


@dataclass(frozen=True)
class Question:
    """``granularity`` "" means one figure for the whole range. ``since`` and ``until`` are minutes in UTC,
    "2026-05-01T00:00", and count with the range "custom" only. ``limit`` None lets OpenRouter choose."""

    metrics: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    granularity: str = USUAL_GRANULARITY
    range: str = USUAL_RANGE
    since: str = ""
    until: str = ""
    conditions: tuple[Condition, ...] = ()
    order: str = ""
    ascending: bool = False
    limit: int | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Question:
        """Read a query string. What makes no sense is dropped, or shown as it is and explained when asked."""
        return cls.of_params(dict(query.lists()))

    @classmethod
    def of_params(cls, params: Params) -> Question:
        since, until = _minute(_first(params, "since")), _minute(_first(params, "until"), is_end=True)
        chosen = _first(params, "range")
        if chosen not in RANGES:
            chosen = CUSTOM if since and until else USUAL_RANGE
        granularity = _first(params, "every") or USUAL_GRANULARITY
        return cls(
            metrics=_several(params, "metric", MOST_METRICS),
            dimensions=_several(params, "by", 3),
            granularity="" if granularity == NONE else granularity,
            range=chosen,
            since=since,
            until=until,
            conditions=_conditions(params),
            order=_first(params, "sort"),
            ascending=_first(params, "dir") == "asc",
            limit=_whole(_first(params, "limit")),
        )

    @property
    def asked(self) -> tuple[Condition, ...]:
        """The conditions that name a field: an empty row of the form is none."""
        return tuple(one for one in self.conditions if one.field)

    @property
    def is_empty(self) -> bool:
        return not self.metrics

    @property
    def orders(self) -> list[str]:
        """What the answer can be ordered by (FACTS 2.9)."""
        dated = ["date"] if self.granularity else []
        return list(dict.fromkeys([*dated, *self.metrics, *self.dimensions, "request_count"]))

    def params(self) -> dict[str, list[str]]:
        """What ``of_params`` reads back; what is usual is left out, so that equal questions look alike."""
        found: dict[str, list[str]] = {
            "metric": list(self.metrics),
            "by": list(self.dimensions),
            "every": [] if self.granularity == USUAL_GRANULARITY else [self.granularity or NONE],
            "range": [] if self.range == USUAL_RANGE else [self.range],
            "since": [self.since] if self.range == CUSTOM and self.since else [],
            "until": [self.until] if self.range == CUSTOM and self.until else [],
            "sort": [self.order] if self.order in self.orders else [],
            "dir": ["asc"] if self.order in self.orders and self.ascending else [],
            "limit": [] if self.limit is None else [str(self.limit)],
        }
        for number, condition in enumerate(self.asked):
            found[f"f{number}"] = [condition.field]
            found[f"op{number}"] = [condition.operator]
            found[f"v{number}"] = list(condition.values)
        return {name: values for name, values in found.items() if values}

    def query(self, **extra: str) -> str:
        """The query string, with more after it."""
        return urlencode({**self.params(), **extra}, doseq=True)

    def with_row(self) -> Question:
        """An empty condition more, to be filled in."""
        return replace(self, conditions=(*self.conditions, Condition("", "eq"))[:MOST_FILTERS])

    def without_row(self, number: str) -> Question:
        """The condition of that number left out."""
        kept = tuple(one for at, one in enumerate(self.conditions) if str(at) != number)
        return replace(self, conditions=kept)


def moment(text: str) -> datetime | None:
    """A minute of the address as a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()[:LONGEST]


def _first(params: Params, name: str) -> str:
    values = params.get(name) or [""]
    return _clean(values[-1])


def _several(params: Params, name: str, most: int) -> tuple[str, ...]:
    found = (_clean(value) for value in params.get(name, ()))
    return tuple(dict.fromkeys(value for value in found if value))[:most]


def _whole(text: str) -> int | None:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        return None
    return min(max(int(text), 1), MOST_ROWS)


def _minute(text: str, *, is_end: bool = False) -> str:
    """The minute that is meant; a day alone is its beginning, or, as the end, all of it."""
    try:
        found = datetime.fromisoformat(text.removesuffix("Z")) if len(text) >= 10 else None
    except ValueError:
        return ""
    if found is None or found.year not in _YEARS or found.tzinfo is not None:
        return ""
    if is_end and len(text) == 10:
        found = datetime.combine(found.date(), time(23, 59))
    return found.strftime("%Y-%m-%dT%H:%M")


def _conditions(params: Params) -> tuple[Condition, ...]:
    numbers = [number for number in range(MOST_FILTERS) if f"f{number}" in params]
    return tuple(_condition(params, number) for number in numbers)


def _condition(params: Params, number: int) -> Condition:
    operator = _first(params, f"op{number}") or "eq"
    texts = [_clean_long(text) for text in params.get(f"v{number}", ())]
    if operator in TAKES_SEVERAL:
        texts = [part.strip() for text in texts for part in text.split(",")]
    values = tuple(dict.fromkeys(text for text in texts if text))[:MOST_VALUES]
    return Condition(
        field=_first(params, f"f{number}"),
        operator=operator,
        values=values if operator in TAKES_SEVERAL else values[:1],
        search=_first(params, f"q{number}"),
    )


def _clean_long(text: str) -> str:
    return text.replace("\x00", "").strip()[: LONGEST * 20]


def params_of(stored: Any) -> dict[str, list[str]]:
    """The parameters of a stored question, whatever became of the row."""
    if not isinstance(stored, Mapping):
        return {}
    return {
        str(name): [str(value) for value in values]
        for name, values in stored.items()
        if isinstance(values, list)
    }
