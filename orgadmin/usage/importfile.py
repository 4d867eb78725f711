"""Reading a CSV file of use: which column is which, and each line as a row, or words about what is wrong."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TextIO

from orgadmin.audit.text import writable
from orgadmin.inventory.money import to_nano
from orgadmin.usage.columns import AMOUNTS, COLUMNS, COUNTS, TEXTS
from orgadmin.usage.importrows import FileRow

# What one line may say, in requests, tokens or dollars: beyond it no column could hold the sums.
MOST, MOST_DOLLARS = 10**12, 10**6
# Problems that are listed before the rest is only counted.
LISTED = 20
_STARTS_A_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


class BadFile(Exception):
    """A file that cannot be read; ``problems`` say where and why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Layout:
    """Which column of a file is which of ours. ``unused`` are those that mean nothing to us."""

    places: Mapping[str, int]
    unused: tuple[str, ...]
    width: int
    date_format: str = ""

    @classmethod
    def of(cls, heading: Sequence[str], renamed: Mapping[str, str], date_format: str = "") -> Layout:
        """``renamed`` maps the file's names to ours; what it does not name is called as ours are. Raises
        BadFile."""
        names = [cell.strip().removeprefix("\ufeff") for cell in heading]
        ours = [renamed.get(name, name) for name in names]
        problems = [
            f"There is no column “{theirs}” in the file." for theirs in renamed if theirs not in names
        ]
        problems += [
            f"“{name}” is no column of ours. Ours are: {', '.join(COLUMNS)}."
            for name in renamed.values()
            if name not in COLUMNS
        ]
        problems += [f"More than one column is “{name}”." for name in COLUMNS if ours.count(name) > 1]
        if "day" not in ours:
            problems.append("No column is the day. Name it with --map THEIRS=day.")
        if not {"model", "model_permaslug"} & set(ours):
            problems.append("No column is the model. Name it with --map THEIRS=model.")
        if not {*COUNTS, *AMOUNTS} & set(ours):
            problems.append("No column is a number of requests or tokens, or an amount of money.")
        if problems:
            raise BadFile(problems)
        return cls(
            places={name: at for at, name in enumerate(ours) if name in COLUMNS},
            unused=tuple(name for name, our in zip(names, ours, strict=True) if our not in COLUMNS),
            width=len(names),
            date_format=date_format,
        )

    def row(self, line: int, cells: Sequence[str]) -> FileRow:
        """One line. Raises ValueError with words for what it cannot mean."""
        if len(cells) != self.width:
            raise ValueError(f"has {len(cells)} cells where the heading has {self.width}")
        words = {name: plain(cells[self.places[name]]) for name in TEXTS if name in self.places}
        if not (words.get("model") or words.get("model_permaslug")):
            raise ValueError("names no model")
        counts = [_count(name, self._cell(cells, name)) for name in COUNTS]
        amounts = [_nano(name, self._cell(cells, name)) for name in AMOUNTS]
        return FileRow(line, self._day(words["day"]), words, (*counts, *amounts))

    def _cell(self, cells: Sequence[str], name: str) -> str:
        return cells[self.places[name]].strip() if name in self.places else ""

    def _day(self, text: str) -> date:
        try:
            if self.date_format:
                return datetime.strptime(text, self.date_format).replace(tzinfo=UTC).date()
            if len(text) != len("2026-03-31"):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            wanted = f"as “{self.date_format}” wants it" if self.date_format else "such as 2026-03-31"
            raise ValueError(f"day: “{text}” is not a day {wanted}") from None


def rows(file: TextIO, renamed: Mapping[str, str], date_format: str = "") -> tuple[Layout, Iterator[FileRow]]:
    """The layout of an open file, and its rows. Raises BadFile, also while the rows are read."""
    csv.field_size_limit(min(sys.maxsize, 10_000_000))
    reader = csv.reader(file, strict=True)
    try:
        heading = next(reader, None)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadFile([f"line 1: this is no CSV in UTF-8 ({error})."]) from None
    if heading is None:
        raise BadFile(["The file is empty."])
    layout = Layout.of(heading, renamed, date_format)
    return layout, _rows(layout, reader)


def _rows(layout: Layout, reader: Iterable[list[str]]) -> Iterator[FileRow]:
    problems: list[str] = []
    count = 0
    lines = iter(reader)
    line = 1
    while True:
        try:
            cells = next(lines, None)
            line = reader.line_num  # type: ignore[attr-defined]
            if cells is None:
                break
            if any(cell.strip() for cell in cells):
                yield layout.row(line, cells)
        except (csv.Error, UnicodeDecodeError) as error:
            problems.append(f"line {line + 1}: this is no CSV in UTF-8 ({error}).")
            break
        except ValueError as error:
            count += 1
            if len(problems) < LISTED:
                problems.append(f"line {line}: {error}.")
    if count > LISTED:
        problems.append(f"… and {count - LISTED} more.")
    if problems:
        raise BadFile(problems)


def plain(cell: str) -> str:
    """A cell without the quote that keeps a spreadsheet from calculating it, and without what databases
    refuse."""
    text = cell.strip()
    if text[:1] == "'" and text[1:2] in _STARTS_A_FORMULA:
        text = text[1:]
    return writable(text)


def _count(name: str, text: str) -> int:
    number = _number(name, text)
    if number != number.to_integral_value() or abs(number) > MOST:
        raise ValueError(f"{name}: “{text}” is not a whole number")
    return int(number)


def _nano(name: str, text: str) -> int:
    number = _number(name, text)
    if abs(number) > MOST_DOLLARS:
        raise ValueError(f"{name}: “{text}” is more than a line can hold")
    return to_nano(number)


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text or 0)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"{name}: “{text}” is not a number")
    return number
