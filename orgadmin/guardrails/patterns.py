"""What OpenRouter is documented to refuse in a custom pattern (FACTS 3.4), said before it is sent.

The patterns are JavaScript's. Nothing is compiled here: Python spells some of them differently, and one that
somebody typed could keep a worker busy for ever.
"""

from __future__ import annotations

import re

LONGEST = 100_000
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")
_ENDLESS = re.compile(r"[*+]|\{\d{1,15},\}")


def problem(pattern: str) -> str:
    """Why OpenRouter would refuse the pattern, in a sentence; empty when nothing speaks against it."""
    if not pattern:
        return "A filter without a pattern finds nothing: write one, or take the row out."
    if len(pattern) > LONGEST:
        return f"A pattern has at most {LONGEST:,} characters."
    text = _plain(pattern)
    if any(sign in text for sign in _LOOKAROUND):
        return "OpenRouter takes no lookahead or lookbehind."
    if "\\" in text:
        return "OpenRouter takes no backreferences."
    if _repeats_a_repetition(text):
        return "OpenRouter takes no quantifier on a group that repeats something itself, such as (a+)+."
    return ""


def _plain(pattern: str) -> str:
    """The pattern with each class and each escape as one letter; a backslash is left of a backreference."""
    out, at, inside = [], 0, False
    while at < len(pattern):
        letter = pattern[at]
        if letter == "\\":
            following = pattern[at + 1 : at + 3]
            is_reference = following[:1] in set("123456789") or following == "k<"
            if not inside:
                out.append("\\" if is_reference else "x")
            at += 2
            continue
        if inside:
            inside = letter != "]"
        elif letter == "[":
            inside = True
            out.append("x")
        else:
            out.append(letter)
        at += 1
    return "".join(out)


def _repeats_a_repetition(text: str) -> bool:
    """Whether a group that holds an endless quantifier has one itself."""
    open_groups = [False]
    at = 0
    while at < len(text):
        letter = text[at]
        found = _ENDLESS.match(text, at)
        if letter == "(":
            open_groups.append(False)
        elif letter == ")" and len(open_groups) > 1:
            loops = open_groups.pop()
            if loops and _ENDLESS.match(text, at + 1):
                return True
            open_groups[-1] = open_groups[-1] or loops
        elif found:
            open_groups[-1] = True
            at = found.end() - 1
        at += 1
    return False
