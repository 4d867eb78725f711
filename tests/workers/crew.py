"""The processes of a test: workers and beats as the supervisor starts them, killed as hard as it gets."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dashboard.supervisor import shim
from dashboard.supervisor.house import CELERY
from tests.workers.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
SHOWN_LINES = 25


def tied(*command: str) -> tuple[str, ...]:
    """The command, told to end when this process does, whatever ends it."""
    return (sys.executable, "-I", "-S", str(shim.__file__), str(os.getpid()), *command)


@dataclass
class Hand:
    """One running worker or beat. ``log`` is what it said, ``start`` how it begins."""

    name: str
    log: Path
    start: Callable[[], subprocess.Popen[bytes]]

    def __post_init__(self) -> None:
        self.process = self.start()

    def revive(self) -> None:
        """Start again what ended by itself, as the supervisor does."""
        if self.process.poll() is not None:
            self.process = self.start()

    def wait_until_ready(self) -> None:
        eventually(lambda: " ready." in self.said(), f"{self.name} is ready")

    def wait_for_sweeps(self, number: int = 2) -> None:
        """Until the clock has looked at everything so many times more, and found what there was to find."""
        # A bell that was already on its way may have looked before the test did what it is about.
        wanted = self._sweeps() + number + 1
        eventually(lambda: self._sweeps() >= wanted, f"the clock looked {number} times")

    def _sweeps(self) -> int:
        return sum("inventory.sweep" in line and "succeeded" in line for line in self.said().splitlines())

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """SIGKILL to it and to the pool it started: nobody gets to say good-bye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)


class Crew:
    """Starts processes for one test and ends all of them with it."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._hands: list[Hand] = []

    def worker(self, name: str = "worker", size: int = 2, **env: str) -> Hand:
        options = ("--pool", "prefork", "--concurrency", str(size), "--without-gossip", "--without-mingle")
        return self._start(name, "worker", "-n", f"{name}-{os.getpid()}@%h", *options, **env)

    def beat(self, **env: str) -> Hand:
        return self._start("beat", "beat", "--schedule", str(self._folder / "beat"), "--pidfile=", **env)

    def _start(self, name: str, *arguments: str, **env: str) -> Hand:
        log = self._folder / f"{name}-{len(self._hands)}.log"

        def start() -> subprocess.Popen[bytes]:
            with log.open("ab") as output:
                return subprocess.Popen(
                    tied(*CELERY, *arguments),
                    env={**self._env, **env},
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

        hand = Hand(name, log, start)
        self._hands.append(hand)
        return hand

    def end(self) -> None:
        for hand in self._hands:
            hand.kill()

    def words(self) -> str:
        """The last lines of everybody, for the report of a failed test."""
        parts = []
        for hand in self._hands:
            lines = hand.said().splitlines()[-SHOWN_LINES:]
            parts.append("\n".join([f"--- {hand.log.name} ---", *lines]))
        return "\n".join(parts)
