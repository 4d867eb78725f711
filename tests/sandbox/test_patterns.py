"""Which patterns a content filter takes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgadmin.sandbox.patterns import PatternRefusedError, check_pattern


@pytest.mark.parametrize("pattern", [
    r"\b(sk-[a-zA-Z0-9]{48})\b", r"^\d{3}-\d{2}-\d{4}$", r"(?:a|b|c)+", r"(?<year>\d{4})-(?<month>\d\d)",
    r"[^\]\\]+", r"[\w.-]+@[a-z-]+\.com", r"a{2}b{2,}c{2,4}?", r"x{,5}", r"a{b}", r"]", r"}", r"[]", r"[^]",
    r"(?:foo|far)*", r"(?:\d+\.){3}\d+", r"(a+)?", r"\u00e4\x41\cJ\t\.", r"ünï🔬", r"(?:ACME|acme)-\d{6}",
    r"k", r"\k", r"(?:)", r"a|b|", r"[a-]", r"[\d-x]", r"\0", r"(?:cat|dog)s+", "a" * 5000,
    r"a{99999999999999999999}",
])  # fmt: skip
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(("pattern", "why"), [
    ("(?=a)b", "lookahead"), ("(?!a)b", "lookahead"), ("(?<=a)b", "lookbehind"), ("(?<!a)b", "lookbehind"),
    (r"(a)\1", "backreferences"), (r"(?<n>a)\k<n>", "backreferences"), (r"((a)\2)", "backreferences"),
    ("(a+)+", "nested"), ("(a*)*", "nested"), ("(?:a+b)*", "nested"), ("((?:x{2,})y)+", "nested"),
    ("((a+)?)*", "nested"), ("(a|a)*", "alternatives"), ("(a|aa)+", "alternatives"),
    (r"(\w|\d)+", "alternatives"), ("(a|)*", "alternatives"), ("(.|b)*", "alternatives"),
    ("(?:x(a|a)y)*", "alternatives"), ("([ab]|[bc])+", "alternatives"), ("(a?|b)*", "alternatives"),
    ("(" + "|".join(f"w{n}" for n in range(200)) + ")*", "alternatives"),
    ("(", "not closed"), ("(a", "not closed"), ("a)", "parenthesis"), ("[a", "too early"),
    ("\\", "too early"),
    ("*a", "nothing to repeat"), ("a**", "nothing to repeat"), ("^+", "nothing to repeat"),
    ("(|*)", "nothing to repeat"), ("a{3,2}", "out of order"), ("[z-a]", "out of order"),
    ("(?i:a)", "unknown kind"), ("(?<1a>b)", "unknown kind"), ("(" * 500 + ")" * 500, "too deeply"),
])  # fmt: skip
def test_what_can_be_slow_and_what_is_no_pattern_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(PatternRefusedError, match=why):
        check_pattern(pattern)


def test_an_escaped_sign_is_no_construct() -> None:
    check_pattern(r"\(?=a\)[(?=][\1]")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab()[]{}|*+?\\^$.-,:=!<>1k0é", max_size=30))
def test_no_text_makes_it_stumble(pattern: str) -> None:
    with suppress(PatternRefusedError):
        check_pattern(pattern)
