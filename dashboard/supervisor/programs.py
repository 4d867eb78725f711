"""What the supervisor is told about a process it keeps."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# Seconds a process gets after each signal before the next; after the last comes SIGKILL.
StopPlan = tuple[tuple[signal.Signals, float], ...]

TERMINATE: StopPlan = ((signal.SIGTERM, 5.0),)


def _at_once() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process to keep running (or, with ``once``, to run until it ends with exit code 0).

    ``stage``: programs of a stage start when all of the stage before are ready (``ready()`` true once)
    or, with ``once``, done. ``vital``: when it fails, nothing is retried and the supervisor ends with
    exit code 1. ``stop_order``: lower ones are stopped first, equal ones together. ``noise``: records that
    never reach the console, whatever they look like.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    stage: int = 0
    once: bool = False
    vital: bool = False
    ready: Callable[[], bool] = _at_once
    stop: StopPlan = TERMINATE
    stop_order: int = 0
    pass_fds: tuple[int, ...] = ()
    noise: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a restart: 1, 2, 4 ... seconds, and from the start after a long enough life.

    One that was started again counts as running after ``steady_after`` seconds: most deaths come sooner.
    """

    first: float = 1.0
    most: float = 30.0
    steady_after: float = 5.0
    healthy_after: float = 60.0
    patience: int = 5

    def seconds(self, failures: int) -> float:
        """The wait after ``failures`` (at least 1) short lives in a row."""
        if failures >= self.patience:
            return self.most
        return min(self.first * 2.0 ** (failures - 1), self.most)


def ending(code: int) -> str:
    """How a process ended, in words, from its return code (negative: the signal's number)."""
    if code == 0:
        return "it ended by itself (exit code 0)"
    if code > 0:
        return f"it failed (exit code {code})"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = " - from outside, often because the machine ran out of memory" if name == "SIGKILL" else ""
    return f"it was killed by {name}{why}"
