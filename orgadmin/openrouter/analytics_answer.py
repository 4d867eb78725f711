"""The one adapter for analytics rows, whose spelling depends on the data source that served them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from orgadmin.openrouter import jsontext
from orgadmin.openrouter.errors import UnreadableAnswer
from orgadmin.openrouter.reading import (
    Count,
    Figure,
    MisfitError,
    at,
    explained,
    figure,
    is_plain,
    named,
    read_data,
)
from orgadmin.openrouter.timestamps import parse_timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME_PREFIXES = ("date", "created_at")

_COUNT = re.compile(r".*_count|.*_tokens|tokens_.*")
# A cost has components that upstream leaves out when they are not used. These are no components.
_WHOLE_COSTS = frozenset({"total_usage", "credits_usage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group, or one group in one bucket of time.

    `moment` is when the bucket begins, in UTC; None when no granularity was asked for. `dimensions` has a
    label for each dimension that was asked for, often a name in place of an id, so two different keys can
    share one: '' is traffic that belongs to nobody, None is upstream's null. `metrics` has each metric that
    was asked for: counts are int (Decimal when there is a fraction), everything else is Decimal, null and
    unused components of a cost are None. Columns nobody asked for, such as `user_email`, are in `extra`.
    """

    moment: datetime | None
    dimensions: Mapping[str, str | None]
    metrics: Mapping[str, int | Decimal | None]
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def amount(self, metric: str) -> Decimal:
        """The metric as something to add up: 0 for None, which is wrong for rates, averages and percentiles.

        KeyError for a metric the query did not ask for.
        """
        return Decimal(self.metrics[metric] or 0)

    def count(self, metric: str) -> int:
        """The metric as a whole number to add up, 0 for None. UnreadableAnswer when it has a fraction;
        KeyError for a metric the query did not ask for.
        """
        value = self.metrics[metric] or 0
        if int(value) != value:
            raise UnreadableAnswer(f"OpenRouter counted a fraction of one in the field “{metric}”.")
        return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows in upstream's order; buckets of time in which nothing happened may be missing.

    `truncated` means that rows are missing: no total may be made of these. `warnings` are upstream's words,
    such as a filter that matches nothing. `cached_at` is None for an answer that is fresh, or whose age
    cannot be read (then it is in `extra`). `row_count` is upstream's figure, `query_time_ms` in milliseconds.
    """

    rows: tuple[Row, ...]
    truncated: bool
    warnings: tuple[str, ...]
    cached_at: datetime | None
    row_count: int
    query_time_ms: Decimal | None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def _epoch_milliseconds(value: Any) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=int(figure(value) * 1000))
    except OverflowError:
        raise MisfitError("") from None


def _warnings(value: Any) -> tuple[str, ...]:
    """Each warning as text, whatever its shape: one that is dropped may be the one that explains a zero."""
    listed = value if isinstance(value, list) else [value]
    return tuple(str(item) for item in listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metadata:
    truncated: bool
    row_count: Count
    query_time_ms: Figure | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    data: tuple[Mapping[str, Any], ...]
    metadata: _Metadata
    warnings: Annotated[tuple[str, ...], _warnings] | None = None
    cached_at: Annotated[datetime, _epoch_milliseconds] | None = field(
        default=None, metadata=named("cachedAt")
    )
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_answer(
    answer: Mapping[str, Any],
    *,
    metrics: Collection[str],
    dimensions: Collection[str] = (),
    granularity: str | None = None,
) -> Answer:
    """The answer to a query for these metrics, dimensions and granularity.

    UnreadableAnswer, naming the field, for a number or a time that is none, and for a missing column without
    which the rest would mislead: a dimension, a time, a count, a whole cost.
    """
    body = read_data(_Body, answer)

    def row(raw: Mapping[str, Any]) -> Row:
        return _row(raw, metrics, dimensions, granularity)

    rows = explained(
        lambda: tuple(at(f"data.data[{place}]", row, raw) for place, raw in enumerate(body.data))
    )
    return Answer(
        rows=rows,
        truncated=body.metadata.truncated,
        warnings=body.warnings or (),
        cached_at=body.cached_at,
        row_count=body.metadata.row_count,
        query_time_ms=body.metadata.query_time_ms,
        extra=body.extra,
    )


def _row(
    raw: Mapping[str, Any], metrics: Collection[str], dimensions: Collection[str], granularity: str | None
) -> Row:
    times = _time_columns(raw, granularity, {*metrics, *dimensions})
    known = {*metrics, *dimensions, *times}
    return Row(
        moment=None if granularity is None else _moment(raw, times, granularity),
        dimensions={name: at(name, _label, _promised(raw, name)) for name in dimensions},
        metrics={name: _metric(raw, name) for name in metrics},
        extra={name: value for name, value in raw.items() if name not in known},
    )


def _time_columns(raw: Mapping[str, Any], granularity: str | None, asked: Collection[str]) -> list[str]:
    """The columns that hold the time: those of the two documented prefixes, else any with the suffix."""
    if granularity is None:
        return []
    suffix = f"__{granularity}"
    found = [name for name in raw if name.endswith(suffix) and name not in asked]
    return [name for name in found if name.removesuffix(suffix) in TIME_PREFIXES] or found


def _moment(raw: Mapping[str, Any], columns: list[str], granularity: str) -> datetime:
    if not columns:
        raise MisfitError(f"{TIME_PREFIXES[0]}__{granularity}", missing=True)
    moments = {at(name, _time, raw[name]) for name in columns}
    if len(moments) > 1:
        raise MisfitError(columns[0])
    return moments.pop()


def _time(value: Any) -> datetime:
    moment = parse_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        raise MisfitError("")
    return moment


@cache
def _is_count(name: str) -> bool:
    return _COUNT.fullmatch(name) is not None


def _metric(raw: Mapping[str, Any], name: str) -> int | Decimal | None:
    counted = _is_count(name)
    value = _promised(raw, name) if counted or name in _WHOLE_COSTS else raw.get(name)
    if value is None:
        return None
    if counted and is_plain(value):
        return int(value)
    number = at(name, figure, value)
    return int(number) if counted and number == number.to_integral_value() else number


def _label(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | Decimal):
        with contextlib.suppress(ValueError):
            return jsontext.dumps(value)
    raise MisfitError("")


def _promised(raw: Mapping[str, Any], name: str) -> Any:
    if name not in raw:
        raise MisfitError(name, missing=True)
    return raw[name]
