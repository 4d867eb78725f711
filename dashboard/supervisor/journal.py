"""Where the output of the processes goes: all of it to bounded files, what matters to the console."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from dashboard.logs import mask

# What is told of a dead process: so many lines at most, of its last seconds. Older ones say nothing about it.
LAST_LINES = 12
LAST_SECONDS = 10.0
FILE_BYTES = 4_000_000
# The lines people wait for. The first holds a one-time link, so they are shown and never written down.
ANNOUNCEMENTS = ("Sign in: ", "Password when asked again: ", "Mails: ")

# Where a new record of any of our programs begins: an ISO or bracketed date, JSON, Valkey's "pid:role date".
_RECORD = re.compile(r"\[?\d{4}-\d\d-\d\d|\{|\d+:[A-Z] \d")
# A record says its level in brackets (structlog, gunicorn), as JSON, or by Valkey's sign for a warning.
_LOUD_RECORD = re.compile(
    r"""\[(?:warning|error|critical)\s*\]|"level": ?"(?:warning|error|critical)"|^\d+:[A-Z] .{20,26} # """,
    re.IGNORECASE,
)
# What comes before logging is set up, or past it: tracebacks, refusals of a command line.
_LOUD_LINE = re.compile(
    r"Traceback |[\w.]*(?:Error|Exception)\b|(?:ERROR|WARNING|CRITICAL|FATAL)\b|\*\*\* FATAL"
)


def masked(line: str) -> str:
    """The line without anything that looks like a key."""
    return str(mask(None, "", {"event": line})["event"])


class BoundedFile:
    """A log file that starts over at ``limit`` bytes, keeping the one before as ``NAME.1``."""

    def __init__(self, path: Path, *, limit: int = FILE_BYTES) -> None:
        self._path, self._limit = path, limit
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._file = self._path.open("a", encoding="utf-8", buffering=1)
        self._size = self._path.stat().st_size

    def write(self, line: str) -> None:
        # A full disk loses log lines; it must not take the supervisor down as well.
        with contextlib.suppress(OSError, ValueError):
            self._file.write(line + "\n")
            self._size += len(line) + 1
            if self._size >= self._limit:
                self._file.close()
                os.replace(self._path, self._path.with_name(self._path.name + ".1"))
                self._open()

    def close(self) -> None:
        self._file.close()


class Console:
    """The person's terminal. A console that went away (a closed pipe) must not stop the house."""

    def say(self, text: str) -> None:
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            pass


class Journal:
    """One process's output. ``everything`` shows every line, not only warnings and errors.

    ``noise``: records never shown, nor is the traceback of one. ``clock`` in seconds, monotonic.
    """

    def __init__(
        self,
        name: str,
        *,
        file: BoundedFile,
        say: Callable[[str], None],
        noise: re.Pattern[str] | None = None,
        everything: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._file, self._say = name, file, say
        self._noise, self._everything, self._clock = noise, everything, clock
        self._loud = self._noisy = False
        # The last lines that were not shown when they came, each with its moment.
        self._kept: deque[tuple[float, str]] = deque(maxlen=LAST_LINES)

    def begin(self) -> None:
        """A new process speaks: what the last one said has ended, a traceback included."""
        self._loud = self._noisy = False
        self._kept.clear()

    def last(self) -> list[str]:
        """What it said in its last moments and nobody has seen: what to tell when it dies."""
        since = self._clock() - LAST_SECONDS
        return [line for moment, line in self._kept if moment >= since]

    def take(self, line: str) -> None:
        """File one line, and show it if it is a warning or an error or continues one (a traceback)."""
        if line.startswith(ANNOUNCEMENTS):
            self._say(line)
            return
        line = masked(line)
        self._file.write(line)
        if self._shown(line):
            self._say(f"{self._name:<8}| {line}")
        elif line.strip() and not self._is_noise(line):
            self._kept.append((self._clock(), line))

    def _shown(self, line: str) -> bool:
        if _RECORD.match(line):
            self._noisy = self._is_noise(line)
            self._loud = bool(_LOUD_RECORD.search(line))
        elif _LOUD_LINE.match(line):
            self._loud = True
        return self._everything or (self._loud and not self._noisy)

    def _is_noise(self, line: str) -> bool:
        return bool(self._noise and self._noise.search(line))

    def close(self) -> None:
        self._file.close()
