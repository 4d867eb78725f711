"""What the form offers: generated from /analytics/meta. What was chosen is kept even where it is not offered
any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dashboard.analytics.pickers import Option, picker
from dashboard.analytics.question import CUSTOM, NONE, RANGES, Condition, Question
from dashboard.analytics.ready import Ready, ready_made
from dashboard.analytics.rules import Allowance, allowance, is_short, length_of
from dashboard.analytics.services import labels_of
from orgadmin.accounts.models import Organization
from orgadmin.openrouter.analytics import MOST_DIMENSIONS, MOST_FILTERS, MOST_ROWS, Meta

_FORMATS: Mapping[str, str] = {
    "currency": "Money",
    "number": "Counts",
    "percent": "Rates",
    "latency": "Latency",
    "throughput": "Throughput",
}
_OTHER, _LOST = "Other", "Not offered any more"
_OPERATORS: Mapping[str, str] = {
    "eq": "is",
    "neq": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
}
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Tick:
    """One metric to tick. ``is_short``: OpenRouter keeps it for 31 days."""

    name: str
    label: str
    is_ticked: bool
    is_short: bool


@dataclass(frozen=True)
class Stretch:
    """One range; it is off where the question does not allow one so long."""

    value: str
    label: str
    is_off: bool


@dataclass(frozen=True)
class ConditionRow:
    """One filter of the form; ``options`` where its values are picked from what we know."""

    number: int
    condition: Condition
    options: Sequence[Option] | None
    is_searchable: bool

    @property
    def text(self) -> str:
        return ", ".join(self.condition.values)


@dataclass(frozen=True)
class Builder:
    organization: Organization
    question: Question
    meta: Meta
    most_dimensions: int = MOST_DIMENSIONS
    most_rows: int = MOST_ROWS

    @cached_property
    def labels(self) -> dict[str, str]:
        return labels_of(self.meta)

    @property
    def groups(self) -> list[tuple[str, list[Tick]]]:
        """The metrics by their format."""
        found: dict[str, list[Tick]] = {heading: [] for heading in (*_FORMATS.values(), _OTHER, _LOST)}
        for metric in self.meta.metrics:
            heading = _FORMATS.get(metric.display_format, _OTHER)
            found[heading].append(self._tick(metric.name))
        offered = {metric.name for metric in self.meta.metrics}
        found[_LOST] = [self._tick(name) for name in self.question.metrics if name not in offered]
        return [(heading, ticks) for heading, ticks in found.items() if ticks]

    def _tick(self, name: str) -> Tick:
        return Tick(name, self.labels.get(name, name), name in self.question.metrics, is_short(name))

    @property
    def chosen(self) -> str:
        """The metrics in a line."""
        return ", ".join(self.labels.get(name, name) for name in self.question.metrics)

    @property
    def breakdowns(self) -> list[tuple[str, Choices]]:
        """What is chosen in each of the two menus of dimensions, and what there is to choose."""
        chosen = [*self.question.dimensions, "", ""][:MOST_DIMENSIONS]
        known = [(one.name, self.labels[one.name]) for one in self.meta.dimensions]
        return [(name, _with("No breakdown", known, name)) for name in chosen]

    @property
    def widths(self) -> Choices:
        known = [(one.name, one.display_label or one.name) for one in self.meta.granularities]
        chosen = self.question.granularity
        lost = [] if not chosen or chosen in dict(known) else [(chosen, chosen)]
        return [(NONE, "One figure for all of it"), *known, *lost]

    @cached_property
    def allowed(self) -> Allowance:
        return allowance(self.question, self.labels)

    @property
    def ranges(self) -> list[Stretch]:
        most = self.allowed.most
        return [
            Stretch(value, label, length_of(value) > most and value != self.question.range)
            for value, label in RANGES.items()
        ]

    @property
    def is_custom(self) -> bool:
        return self.question.range == CUSTOM

    @property
    def is_ordered(self) -> bool:
        return self.question.order in self.question.orders

    @property
    def orders(self) -> Choices:
        names = [
            (name, "Time" if name == "date" else self.labels.get(name, name)) for name in self.question.orders
        ]
        return [("", "OpenRouter's order"), *names]

    @property
    def fields(self) -> Choices:
        return [(one.name, self.labels[one.name]) for one in self.meta.dimensions]

    @property
    def operators(self) -> Choices:
        return [(one.name, _OPERATORS.get(one.name, one.name)) for one in self.meta.operators]

    @property
    def rows(self) -> list[ConditionRow]:
        return [self._row(number, one) for number, one in enumerate(self.question.conditions)]

    def _row(self, number: int, condition: Condition) -> ConditionRow:
        picked = picker(self.organization, condition)
        if picked is None:
            return ConditionRow(number, condition, None, False)
        return ConditionRow(number, condition, picked.options, picked.is_searchable)

    @property
    def has_room(self) -> bool:
        return len(self.question.conditions) < MOST_FILTERS

    @property
    def ready(self) -> list[Ready]:
        return list(ready_made(self.meta))


def _with(nothing: str, known: Choices, chosen: str) -> Choices:
    lost = [] if not chosen or chosen in dict(known) else [(chosen, chosen)]
    return [("", nothing), *known, *lost]
