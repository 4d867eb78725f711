"""What must never stand in a log, in the ways it could get there."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog

from dashboard.logs import mask

KEY = "sk-or-v1-" + "0123456789abcdef" * 4
MASKED = "sk-or-v1-•••"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"key {KEY} refused", f"key {MASKED} refused"),
        (f"{KEY},{KEY}", f"{MASKED},{MASKED}"),
        ("Authorization: Bearer abc.def-123 sent", "Authorization: Bearer ••• sent"),
        ({"headers": {"Authorization": f"Bearer {KEY}"}}, {"headers": {"Authorization": "Bearer •••"}}),
        ([KEY, ("x", KEY)], [MASKED, ["x", MASKED]]),
        # What OpenRouter shows of a key is no secret, and numbers stay numbers.
        ("sk-or-v1-abc...def", "sk-or-v1-abc...def"),
        (42, 42),
        (None, None),
        ("a bearer of news", "a bearer of news"),
        (RuntimeError(f"{KEY} refused"), f"RuntimeError('{MASKED} refused')"),
    ],
)
def test_it_masks_what_looks_like_a_key_at_any_depth(value: Any, expected: Any) -> None:
    assert mask(None, "", {"event": "x", "value": value}) == {"event": "x", "value": expected}


@pytest.fixture
def formatter() -> logging.Formatter:
    """The one that writes every line of every process."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    (found,) = [each for each in formatters if isinstance(each, structlog.stdlib.ProcessorFormatter)]
    return found


def fail_with_a_key() -> None:
    raise RuntimeError(f"the server said {KEY}") from ValueError(f"Bearer {KEY}")


def test_tracebacks_are_masked_causes_included(
    formatter: logging.Formatter, caplog: pytest.LogCaptureFixture
) -> None:
    for log in (structlog.get_logger("ours"), logging.getLogger("theirs")):
        try:
            fail_with_a_key()
        except RuntimeError:
            log.exception("it broke")
    lines = [formatter.format(record) for record in caplog.records]
    assert len(lines) == 2
    for line in lines:
        assert KEY not in line
        assert f"RuntimeError: the server said {MASKED}" in line
        assert "ValueError: Bearer •••" in line


def test_arguments_of_a_foreign_line_are_masked(
    formatter: logging.Formatter, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("theirs").warning("got %s with %s", KEY, f"Bearer {KEY}")
    structlog.get_logger("ours").warning("got it", key=KEY, headers=[f"Bearer {KEY}"])
    for record in caplog.records:
        assert KEY not in formatter.format(record)
        assert MASKED in formatter.format(record)
