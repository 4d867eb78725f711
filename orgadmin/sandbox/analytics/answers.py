"""Answers a question: adds up what it is about, labels and sorts the rows, cuts them to their limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orgadmin.sandbox.analytics.dimensions import Trait, member_of
from orgadmin.sandbox.analytics.metrics import STATISTICS, statistic
from orgadmin.sandbox.analytics.question import HASH, REQUESTS, Filter, Question
from orgadmin.sandbox.buckets import spell_bucket, time_key
from orgadmin.sandbox.dice import hex_digest
from orgadmin.sandbox.errors import TooSlowError
from orgadmin.sandbox.measures import FINISH_REASONS, MEASURES
from orgadmin.sandbox.mix import Lane
from orgadmin.sandbox.moments import DAY, window_start
from orgadmin.sandbox.sources import Source, sources
from orgadmin.sandbox.state.account import Account
from orgadmin.sandbox.tally import Range, Stream, Sums, add_to, walk

DEFAULT_LIMIT = 1_000
HIGHEST_LIMIT = 10_000
MOST_EDGES = 1_500_000
MOST_GENERATIONS = 50_000

Ids = tuple[str | None, ...]
"""A value for each dimension that was asked for."""


@dataclass(frozen=True)
class Answer:
    """Rows as they are shown, whether some were left out, and what was odd about the question."""

    rows: list[dict[str, Any]]
    truncated: bool
    warnings: list[str]


def answer(account: Account, question: Question, now: int) -> Answer:
    """Raises TooSlowError for a question that would take the real service too long."""
    filters, warnings = _resolved(account, question.filters)
    # What is older than the window has been forgotten, whole days at a time.
    oldest = (now - question.window * DAY) // DAY * DAY
    span = Range(
        max(question.start, oldest),
        question.end,
        now,
        question.granularity,
        by_day=any(metric.kind == "statistic" for metric in question.metrics),
    )
    counting = _Counting(account.seed, question, filters)
    wanted = [source for source in sources(account) if counting.wants(source)]
    if len(wanted) * sum(len(part.edges) for part in span.parts()) > MOST_EDGES:
        raise TooSlowError
    # Single requests are always told apart by reason, so that each has the same id in every answer.
    reasons = FINISH_REASONS if counting.singly or question.touches("reason") else (None,)
    walk(wanted, span, counting.exact, counting.group_of, counting.receive, reasons)
    rows, truncated = _rows(account, question, counting)
    return Answer(rows, truncated, warnings)


def _resolved(account: Account, filters: Sequence[Filter]) -> tuple[list[Filter], list[str]]:
    """The filters with key hashes that stand for a key, and a warning for each that does not."""
    warnings = []
    kept = []
    for condition in filters:
        values = condition.values
        if condition.field == "api_key_id":
            lost = [value for value in values if not _stands_for_a_key(account, value)]
            warnings += [f'api_key_id "{value}" could not be resolved to an API key' for value in lost]
            values = tuple(value for value in values if value not in lost)
        kept.append(Filter(condition.field, condition.operator, values, condition.include_unset))
    return kept, warnings


def _stands_for_a_key(account: Account, value: str) -> bool:
    """Hashes are looked up among the living keys; numbers are taken as they are."""
    return account.keys.find(value) is not None if HASH.fullmatch(value) else value.isdecimal()


@dataclass
class _Counting:
    """Sorts pieces of use into groups and adds them up. `measures` are what is kept of each group."""

    seed: int
    question: Question
    filters: list[Filter]
    sums: Sums[Ids] = field(default_factory=dict)
    generations: int = 0

    def __post_init__(self) -> None:
        self.measures = self.question.measures
        self.exact = [name for name in self.measures if name in MEASURES]
        self.statistics = [name for name in self.measures if name in STATISTICS]
        self.measures = (*self.exact, *self.statistics)
        self.singly = self.question.touches("generation")

    def wants(self, source: Source) -> bool:
        return self._passes(Trait(source), ("source",))

    def group_of(self, source: Source, lane: Lane, reason: str | None) -> Ids | None:
        trait = Trait(source, lane, reason)
        if not self._passes(trait, ("lane", "reason")):
            return None
        return tuple(dimension.id_of(trait) for dimension in self.question.dimensions)

    def _passes(self, trait: Trait, scopes: tuple[str, ...]) -> bool:
        return all(
            condition.lets_through(condition.dimension.names_of(trait))
            for condition in self.filters
            if condition.dimension.scope in scopes
        )

    def receive(self, stream: Stream[Ids], start: int, bucket: int, before: int, values: list[int]) -> None:
        if self.singly:
            for group, share in self._each(stream, start, before, values):
                add_to(self.sums, (bucket, group), self._with_statistics(stream.lane, start, share))
        else:
            add_to(self.sums, (bucket, stream.group), self._with_statistics(stream.lane, start, values))

    def _with_statistics(self, lane: Lane, start: int, values: list[int]) -> list[int]:
        if not self.statistics:
            return values
        day = start // DAY
        averages = (statistic(name, self.seed, lane, day) for name in self.statistics)
        return [*values, *(values[0] * average for average in averages)]

    def _each(
        self, stream: Stream[Ids], start: int, before: int, values: list[int]
    ) -> Iterator[tuple[Ids, list[int]]]:
        """Every request alone, with its part of what was measured. Raises TooSlowError for too many."""
        requests = max(1, values[0])
        self.generations += requests
        if self.generations > MOST_GENERATIONS:
            raise TooSlowError
        for number in range(requests):
            name = _generation_id(self.seed, stream, start, before + number)
            trait = Trait(stream.source, stream.lane, stream.reason, name)
            if self._passes(trait, ("generation",)):
                group = tuple(dimension.id_of(trait) for dimension in self.question.dimensions)
                yield (
                    group,
                    [value * (number + 1) // requests - value * number // requests for value in values],
                )


def _generation_id(seed: int, stream: Stream[Ids], start: int, number: int) -> str:
    source, lane = stream.source, stream.lane
    whose = source.key.hash if source.key else source.user_id
    monday = window_start("weekly", start)
    words = (lane.model.id, lane.provider, lane.byok, stream.reason, monday, number)
    return f"gen-{monday}-{hex_digest('generation', seed, whose, *words)[:20]}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A row on its way: its bucket, the labels of its dimensions, and what was measured."""

    bucket: int
    ids: Ids
    labels: tuple[str | None, ...]
    measured: Mapping[str, int]


def _rows(account: Account, question: Question, counting: _Counting) -> tuple[list[dict[str, Any]], bool]:
    lines = [
        _Line(bucket, ids, _labels(account, question, ids), dict(zip(counting.measures, values, strict=True)))
        for (bucket, ids), values in counting.sums.items()
        if any(values)
    ]
    lines.sort(key=lambda line: tuple(label or "" for label in (*line.labels, *line.ids)))
    for sort_key, descending in _orders(question):
        lines.sort(key=sort_key, reverse=descending)
    kept = _within_limits(lines, question)
    return [_row(account, question, line) for line in kept], len(kept) < len(lines)


def _labels(account: Account, question: Question, ids: Ids) -> tuple[str | None, ...]:
    return tuple(
        dimension.label_of(account, value) for dimension, value in zip(question.dimensions, ids, strict=True)
    )


SortKey = Callable[[_Line], tuple[bool, Any]]


def _orders(question: Question) -> list[tuple[SortKey, bool]]:
    """Sort keys, the most important last."""
    orders: list[tuple[SortKey, bool]] = [(_by_metric(question, question.metrics[0].name), True)]
    if question.granularity:
        orders.append((lambda line: (True, line.bucket), True))
    order = question.order
    if order is None:
        return orders
    names = [dimension.name for dimension in question.dimensions]
    if order.field == "date":
        return [*orders, (lambda line: (True, line.bucket), order.descending)]
    if order.field in names:
        return [*orders, (_by_label(names.index(order.field)), order.descending)]
    return [*orders, (_by_metric(question, order.field), order.descending)]


def _by_label(index: int) -> SortKey:
    return lambda line: (line.labels[index] is not None, line.labels[index] or "")


def _by_metric(question: Question, name: str) -> SortKey:
    metric = next((metric for metric in question.metrics if metric.name == name), REQUESTS)

    def key(line: _Line) -> tuple[bool, Any]:
        value = metric.exact(line.measured)
        return (value is not None, value or 0)

    return key


def _within_limits(lines: list[_Line], question: Question) -> list[_Line]:
    limit = question.limit
    if limit is None:
        # A time series with a breakdown is given room for all its buckets.
        roomy = question.granularity and question.dimensions and question.group_limit is None
        limit = HIGHEST_LIMIT if roomy else DEFAULT_LIMIT
    if question.group_limit is not None and question.dimensions:
        lines = list(_first_of_each(lines, question.group_limit))
    return lines[:limit]


def _first_of_each(lines: list[_Line], most: int) -> Iterator[_Line]:
    seen: Counter[Ids] = Counter()
    for line in lines:
        seen[line.ids] += 1
        if seen[line.ids] <= most:
            yield line


def _row(account: Account, question: Question, line: _Line) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if question.granularity:
        row[time_key(question.granularity)] = spell_bucket(question.granularity, line.bucket)
    for dimension, value, label in zip(question.dimensions, line.ids, line.labels, strict=True):
        row[dimension.name] = label
        if dimension.name == "user":
            member = member_of(account, value)
            row["user_email"] = member.email if member else None
    for metric in question.metrics:
        row[metric.name] = metric.value(line.measured)
    return row
