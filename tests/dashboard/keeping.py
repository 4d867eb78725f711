"""A supervisor of small stand-in programs, a process of its own so that it can be signalled and killed.

``python -m tests.dashboard.keeping FOLDER PLAN`` keeps the programs of PLAN (JSON: a list of {"name", "code"
and what ``Program`` takes}), each a line of Python. Its output is what a person would see.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.supervisor.child import Guard
from dashboard.supervisor.journal import BoundedFile, Console, Journal
from dashboard.supervisor.keeper import Keeper
from dashboard.supervisor.programs import Backoff, Program

ROOT = Path(__file__).resolve().parent.parent.parent
# Says that it runs, then waits to be told otherwise.
SLEEPER = "import time; print('up', flush=True); time.sleep(60)"


def keep(folder: Path, plan: list[dict[str, Any]], lock: tuple[int, ...] = ()) -> int:
    console = Console()

    def journal_for(program: Program) -> Journal:
        return Journal(program.name, file=BoundedFile(folder / f"{program.name}.log"), say=console.say)

    guard = Guard(hold=lock)
    backoff = Backoff(first=0.05, most=0.2, steady_after=0.5, healthy_after=5.0)
    try:
        programs = [_program(entry) for entry in plan]
        return Keeper(programs, journal_for=journal_for, say=console.say, guard=guard, backoff=backoff).run()
    finally:
        guard.close()


def _program(entry: dict[str, Any]) -> Program:
    options = {name: value for name, value in entry.items() if name not in {"code", "ready_file", "stop"}}
    if "ready_file" in entry:
        options["ready"] = Path(entry["ready_file"]).exists
    if "stop" in entry:
        options["stop"] = tuple((signal.Signals(number), seconds) for number, seconds in entry["stop"])
    return Program(argv=(sys.executable, "-S", "-c", entry["code"]), env=dict(os.environ), **options)


@dataclass
class Kept:
    """The running stand-in supervisor. ``said`` is its console so far."""

    process: subprocess.Popen[str]
    folder: Path
    said: list[str] = field(default_factory=list)

    def wait_for(self, text: str, *, seconds: float = 10.0) -> str:
        """The first line with ``text`` in it; fails with all that was said when it ended without one."""
        end = time.monotonic() + seconds
        while True:
            over = self.process.poll() is not None or time.monotonic() > end
            found = next((line for line in list(self.said) if text in line), None)
            if found is not None:
                return found
            assert not over, f"{text!r} was not said:\n" + "\n".join(self.said)
            time.sleep(0.02)

    def wait_until_listening(self, port: int) -> None:
        def listens() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until_true(listens, f"something listens on {port}")

    def pids(self, name: str) -> list[int]:
        """The numbers that a stand-in printed with ``pid`` before them, in order."""
        path = self.folder / f"{name}.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.split()[1]) for line in lines if line.startswith("pid ")]


def until_true(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Wait for something another process does; fails with ``what`` when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"did not come true within {seconds} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs. A dead one that nobody has reaped yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


@contextlib.contextmanager
def kept(folder: Path, plan: list[dict[str, Any]]) -> Iterator[Kept]:
    """Start the stand-in supervisor; whatever is left of it ends with the block."""
    with reading(
        [sys.executable, "-m", "tests.dashboard.keeping", str(folder), json.dumps(plan)], folder
    ) as it:
        yield it


@contextlib.contextmanager
def reading(command: list[str], folder: Path, env: dict[str, str] | None = None) -> Iterator[Kept]:
    """Run a supervisor and collect what it says."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    it = Kept(process, folder)
    assert process.stdout is not None
    output = process.stdout
    reader = threading.Thread(
        target=lambda: it.said.extend(line.rstrip("\n") for line in output), daemon=True
    )
    reader.start()
    try:
        yield it
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(5)
        output.close()


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), json.loads(sys.argv[2])))
