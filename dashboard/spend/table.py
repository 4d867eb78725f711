"""The table of the spend page: its lines, what each is a share of, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dashboard.spend.drawing import REST
from orgadmin.usage.amounts import NOTHING, Amounts, value_of
from orgadmin.usage.labels import Label
from orgadmin.usage.reading import Question, groups

if TYPE_CHECKING:
    from dashboard.spend.selectors import Found


@dataclass(frozen=True)
class Line:
    """One row of the table. ``share`` is of the measure's total, ``before`` what the span before had.
    ``counted`` is what its requests and tokens are read from: where those of today are not told, the complete
    days, and None without any."""

    label: Label
    amounts: Amounts
    counted: Amounts | None
    value: Any
    share: Decimal | None
    # What it had in the complete days, and in as many days before them; None where nothing is compared.
    closed: Amounts | None
    before: Amounts | None
    href: str

    def change(self, measure: str) -> Decimal | None:
        """Part by which the measure grew over the complete days; None without a before."""
        return None if self.closed is None else growth(self.before, self.closed, measure)

    def difference(self, measure: str) -> Any:
        """By how much it grew; None where there is nothing to take from or to take."""
        if self.closed is None or self.before is None:
            return None
        now, then = value_of(self.closed, measure), value_of(self.before, measure)
        return None if now is None or then is None else now - then


def growth(before: Amounts | None, now: Amounts, measure: str) -> Decimal | None:
    then = value_of(before, measure) if before is not None else None
    value = value_of(now, measure)
    if not then or then < 0 or value is None:
        return None
    return (Decimal(value) - Decimal(then)) / Decimal(then)


@dataclass(frozen=True)
class Comparison:
    """Complete days, and the days that they are held against, with the sums of both."""

    now: Question
    closed: Amounts
    previous: Question
    before: Amounts


@dataclass(frozen=True)
class Table:
    """``comparison``: None where there is nothing to compare with."""

    found: Found
    everything: Amounts
    closed_total: Amounts
    comparison: Comparison | None

    @property
    def measure(self) -> str:
        return self.found.filters.measure

    def lines(self) -> list[Line]:
        before, now = self._before, self._now
        closed = self._closed()
        return [
            Line(
                label=self.found.names[part],
                amounts=amounts,
                counted=self.found.counted(amounts, closed[part]),
                value=value_of(amounts, self.measure),
                share=self._share(amounts),
                closed=None if now is None else now.get(part, NOTHING),
                before=None if before is None else before.get(part, NOTHING),
                href=self.found.drawing.narrowed(self.found.names[part]),
            )
            for part, amounts in self.found.parts.items()
        ]

    def _closed(self) -> dict[int, Amounts]:
        """What the rows have in the complete days."""
        closed = dict(self.found.parts)
        for _, part, amounts in self.found.opening:
            closed[part] -= amounts
        return closed

    def rest(self) -> Line | None:
        """What the rows of the table leave out, today or in the days before: with it the changes add up."""
        left = self.everything - sum(self.found.parts.values(), NOTHING)
        closed, before = self._rest_compared()
        if left == NOTHING and (before is None or before == closed):
            return None
        left_closed = self.closed_total - sum(self._closed().values(), NOTHING)
        return Line(
            label=Label(REST, ""),
            amounts=left,
            counted=self.found.counted(left, left_closed),
            value=value_of(left, self.measure),
            share=self._share(left),
            closed=closed,
            before=before,
            href="",
        )

    def _rest_compared(self) -> tuple[Amounts | None, Amounts | None]:
        if self.comparison is None or self._now is None or self._before is None:
            return None, None
        return (
            self.comparison.closed - sum(self._now.values(), NOTHING),
            self.comparison.before - sum(self._before.values(), NOTHING),
        )

    @cached_property
    def _now(self) -> dict[int, Amounts] | None:
        if self.comparison is None:
            return None
        is_all = self.comparison.now == self.found.question
        return self._closed() if is_all else self._of(self.comparison.now)

    @cached_property
    def _before(self) -> dict[int, Amounts] | None:
        return None if self.comparison is None else self._of(self.comparison.previous)

    def _of(self, question: Question) -> dict[int, Amounts]:
        """What the rows had in other days."""
        dimension = self.found.filters.dimension
        return groups(question.among(dimension, self.found.parts), dimension) if self.found.parts else {}

    def _share(self, amounts: Amounts) -> Decimal | None:
        whole = value_of(self.everything, self.measure)
        if self.measure == "per_million" or not whole or whole <= 0:
            return None
        return Decimal(value_of(amounts, self.measure)) / Decimal(whole)
