"""Which regular expressions the service takes in a content filter.

They are JavaScript's, without what can make matching slow: no lookaround, no backreference, no repetition of
a repetition, no repeated choice between alternatives that can match the same text. Nothing is compiled here;
a pattern is read once, from left to right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

LONGEST_PATTERN = 100_000
DEEPEST_NESTING = 100
MOST_BRANCHES = 100
"""More alternatives than this, repeated, count as ambiguous."""
LONGEST_PREFIX = 40

Letters = frozenset[int]
"""Characters by their code; everything beyond ASCII is one letter, `_BEYOND`."""

_BEYOND = 128
_ANY: Letters = frozenset(range(_BEYOND + 1))
_DIGITS: Letters = frozenset(map(ord, "0123456789"))
_WORD: Letters = _DIGITS | frozenset(map(ord, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
_SPACE: Letters = frozenset(map(ord, " \t\n\r\f\v")) | {_BEYOND}
_CLASSES: dict[str, Letters] = {
    "d": _DIGITS, "D": _ANY - _DIGITS, "w": _WORD, "W": _ANY - _WORD, "s": _SPACE,
    "S": (_ANY - _SPACE) | {_BEYOND},
}  # fmt: skip
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d{1,15})(?:(,)(\d{0,15}))?\})\??")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|c([A-Za-z])")
_GROUP_NAME = re.compile(r"<[A-Za-z_$][A-Za-z0-9_$]*>")
_LOOKAROUND = ("?=", "?!", "?<=", "?<!")


class PatternRefusedError(ValueError):
    """What the service says about a pattern it does not take."""


def check_pattern(pattern: str) -> None:
    """Raises PatternRefusedError."""
    _Reader(pattern).whole()


@dataclass(frozen=True)
class _Piece:
    """A part of a pattern. `prefix`: the letters it can begin with, position by position, as far as that is
    plain; `loops`: repeats something without end; `ambiguous`: has alternatives that match the same text;
    `single`: is one letter.
    """

    prefix: tuple[Letters, ...] = field(default=(), repr=False)
    loops: bool = False
    ambiguous: bool = False
    single: bool = False
    repeatable: bool = True


_ASSERTION = _Piece(repeatable=False)


def _letter(letters: Letters) -> _Piece:
    return _Piece(prefix=(letters,), single=True)


def _code(letter: str) -> int:
    return min(ord(letter), _BEYOND)


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0

    def whole(self) -> None:
        self._choice()
        if self._at < len(self._text):
            raise PatternRefusedError("a closing parenthesis has no opening one")

    def _looking_at(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _took(self, text: str) -> bool:
        if self._looking_at(text):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise PatternRefusedError("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def _choice(self) -> _Piece:
        branches = [self._sequence()]
        while self._took("|"):
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        return _Piece(
            loops=any(branch.loops for branch in branches),
            ambiguous=any(branch.ambiguous for branch in branches) or _overlap(branches),
        )

    def _sequence(self) -> _Piece:
        prefix: list[Letters] = []
        plain = True
        loops = ambiguous = False
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            piece = self._quantified(self._term())
            loops, ambiguous = loops or piece.loops, ambiguous or piece.ambiguous
            plain = plain and (piece.single or not piece.repeatable) and len(prefix) < LONGEST_PREFIX
            if plain:
                prefix.extend(piece.prefix)
        return _Piece(prefix=tuple(prefix), loops=loops, ambiguous=ambiguous)

    def _quantified(self, piece: _Piece) -> _Piece:
        found = _QUANTIFIER.match(self._text, self._at)
        if found is None:
            return piece
        if not piece.repeatable:
            raise PatternRefusedError("there is nothing to repeat")
        self._at = found.end()
        if _QUANTIFIER.match(self._text, self._at):
            raise PatternRefusedError("there is nothing to repeat")
        least, comma, most = found.groups()
        if least and most and int(most) < int(least):
            raise PatternRefusedError("the numbers of a quantifier are out of order")
        endless = found.group()[0] in "*+" or bool(comma and not most)
        if not endless:
            return _Piece(loops=piece.loops, ambiguous=piece.ambiguous)
        if piece.loops:
            raise PatternRefusedError("nested quantifiers are not supported")
        if piece.ambiguous:
            raise PatternRefusedError("a repeated choice between overlapping alternatives is not supported")
        return _Piece(loops=True)

    def _term(self) -> _Piece:
        if _QUANTIFIER.match(self._text, self._at):
            raise PatternRefusedError("there is nothing to repeat")
        letter = self._next()
        if letter in "^$":
            return _ASSERTION
        if letter == "(":
            return self._group()
        if letter == "[":
            return _letter(self._class())
        if letter == ".":
            return _letter(_ANY - {10, 13})
        if letter == "\\":
            return self._escape()
        return _letter(frozenset((_code(letter),)))

    def _group(self) -> _Piece:
        if any(self._looking_at(sign) for sign in _LOOKAROUND):
            raise PatternRefusedError("lookahead and lookbehind are not supported")
        if self._took("?") and not self._took(":"):
            name = _GROUP_NAME.match(self._text, self._at)
            if name is None:
                raise PatternRefusedError("a group is of an unknown kind")
            self._at = name.end()
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise PatternRefusedError("groups are nested too deeply")
        inner = self._choice()
        if not self._took(")"):
            raise PatternRefusedError("a group is not closed")
        self._depth -= 1
        return inner

    def _escape(self) -> _Piece:
        letter = self._next()
        if letter in "123456789" or (letter == "k" and self._looking_at("<")):
            raise PatternRefusedError("backreferences are not supported")
        if letter in "bB":
            return _ASSERTION
        return _letter(self._escaped(letter))

    def _escaped(self, letter: str) -> Letters:
        """What a backslash and this letter stand for, inside a class and outside."""
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _CONTROLS:
            return frozenset((_CONTROLS[letter],))
        code = _CODE.match(self._text, self._at - 1)
        if code is None:
            return frozenset((_code(letter),))
        self._at = code.end()
        two, four, control = code.groups()
        number = ord(control) % 32 if control else int(two or four, 16)
        return frozenset((min(number, _BEYOND),))

    def _class(self) -> Letters:
        inverted = self._took("^")
        found: set[int] = set()
        while not self._took("]"):
            first = self._class_letter()
            if self._looking_at("-") and not self._looking_at("-]"):
                self._at += 1
                found |= self._range(first, self._class_letter())
            else:
                found |= first
        return _ANY - found if inverted else frozenset(found)

    def _class_letter(self) -> Letters:
        letter = self._next()
        if letter != "\\":
            return frozenset((_code(letter),))
        letter = self._next()
        return frozenset((8,)) if letter == "b" else self._escaped(letter)

    def _range(self, first: Letters, last: Letters) -> Letters:
        if len(first) != 1 or len(last) != 1:
            # `[\w-x]` is three things and no range.
            return first | last | {ord("-")}
        low, high = min(first), min(last)
        if low > high:
            raise PatternRefusedError("a range of a character class is out of order")
        return frozenset(range(low, high + 1))


def _overlap(branches: Sequence[_Piece]) -> bool:
    """Whether two of the alternatives can match the same text, or one the beginning of the other's."""
    if len(branches) > MOST_BRANCHES:
        return True
    return any(not _apart(one, other) for one, other in combinations(branches, 2))


def _apart(one: _Piece, other: _Piece) -> bool:
    return any(mine.isdisjoint(theirs) for mine, theirs in zip(one.prefix, other.prefix, strict=False))
