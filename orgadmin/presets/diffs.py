"""What differs between two versions: the prompt line by line, the config field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from orgadmin.presets.bodies import readable

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"
# Comparing takes the square of this; beyond it a prompt is told as replaced.
MOST_LINES = 2000
# Lines that stay the same are shown so far around a change.
AROUND = 3


@dataclass(frozen=True)
class Line:
    """One line of a prompt: the same, added or removed, with its number before and after. ``skipped`` lines
    that stayed the same are left out before it."""

    what: str
    text: str
    old: int | None
    new: int | None
    skipped: int = 0


@dataclass(frozen=True)
class FieldChange:
    """One field of a config, by its path ("provider.sort"), with JSON before and after; "" where there is
    none."""

    name: str
    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """All that differs between two versions; ``lines`` is [] where the prompt is the same."""

    lines: list[Line]
    fields: list[FieldChange]

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.fields


def difference(
    old: tuple[Mapping[str, Any], str | None], new: tuple[Mapping[str, Any], str | None]
) -> Difference:
    """Between two versions, each given as its config and its prompt."""
    return Difference(prompt_lines(old[1] or "", new[1] or ""), config_changes(old[0], new[0]))


def prompt_lines(old: str, new: str) -> list[Line]:
    """The lines of both, those that stayed the same only near a change; [] where nothing changed."""
    if old == new:
        return []
    before, after = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    for what, i1, i2, j1, j2 in _steps(before, after):
        if what == "equal":
            lines += [Line(SAME, before[i1 + n], i1 + n + 1, j1 + n + 1) for n in range(i2 - i1)]
            continue
        lines += [Line(REMOVED, before[n], n + 1, None) for n in range(i1, i2)]
        lines += [Line(ADDED, after[n], None, n + 1) for n in range(j1, j2)]
    if all(line.what == SAME for line in lines):
        # Only how lines end differs.
        return [Line(REMOVED, old[-40:], len(before), None), Line(ADDED, new[-40:], None, len(after))]
    return _near(lines)


def _steps(before: list[str], after: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    if len(before) > MOST_LINES or len(after) > MOST_LINES:
        return [("replace", 0, len(before), 0, len(after))]
    return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def _near(lines: list[Line]) -> list[Line]:
    changed = [place for place, line in enumerate(lines) if line.what != SAME]
    near = {place + n for place in changed for n in range(-AROUND, AROUND + 1)}
    kept: list[Line] = []
    skipped = 0
    for place, line in enumerate(lines):
        if place not in near:
            skipped += 1
            continue
        kept.append(Line(line.what, line.text, line.old, line.new, skipped))
        skipped = 0
    return kept


def config_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[FieldChange]:
    """Field by field, objects taken apart; lists are compared as a whole."""
    before, after = dict(_flat(old)), dict(_flat(new))
    found = []
    for name in dict.fromkeys([*before, *after]):
        was, is_now = (readable(one[name]) if name in one else "" for one in (before, after))
        if was == is_now or (was and is_now and _is_same_number(before[name], after[name])):
            continue
        what = ADDED if not was else REMOVED if not is_now else CHANGED
        found.append(FieldChange(name, what, was, is_now))
    return found


def _is_same_number(one: Any, other: Any) -> bool:
    """0.7 and 0.70 are: OpenRouter may spell a number otherwise than it was sent."""
    numbers = (isinstance(value, int | Decimal) and not isinstance(value, bool) for value in (one, other))
    return all(numbers) and one == other


def _flat(config: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in config.items():
        where = f"{path}{name}".encode("utf-8", "replace").decode()
        if isinstance(value, Mapping) and value:
            rows += _flat(value, f"{where}.")
        else:
            rows.append((where, value))
    return rows


def rows_of(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A config as rows to be read: path and JSON of each field."""
    return [(name, readable(value)) for name, value in _flat(config)]
