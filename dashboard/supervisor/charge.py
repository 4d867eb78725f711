"""One program under supervision: whether it runs, when it starts again, how far its stopping has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.supervisor.child import Child, Guard
from dashboard.supervisor.journal import Journal
from dashboard.supervisor.programs import Backoff, Program, ending

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all charges share. ``clock`` in seconds, monotonic; ``say`` writes to the console."""

    clock: Clock
    say: Callable[[str], None]
    guard: Guard
    backoff: Backoff


class Charge:
    """A program and its fate. ``due``: the moment of its next start, None when none is planned."""

    def __init__(self, program: Program, journal: Journal, around: Surroundings) -> None:
        self.program, self.journal, self._around = program, journal, around
        self.child: Child | None = None
        self.due: float | None = around.clock()
        # Latched: a broker that dies later does not undo the start of what came after it.
        self.settled = False
        self.failed = False
        self._failures = 0
        # Whether its death was told and its return was not.
        self._missed = False
        self._started = 0.0
        self._leaving = False
        self._stop_steps = list(program.stop)
        self._patience_ends = 0.0

    @property
    def running(self) -> bool:
        return self.child is not None

    def start(self) -> Child | None:
        """None when the machine refused (no memory, too many processes); it is tried again like any death."""
        self.due = None
        self._started = self._around.clock()
        self.journal.begin()
        try:
            self.child = Child(self.program)
        except OSError as error:
            self._fell(f"it could not be started ({error.strerror})")
            return None
        self._around.guard.add(self.child.pid)
        return self.child

    def look(self) -> None:
        """Take what it said; notice that it is ready, or that it has ended."""
        if self.child is None:
            return
        self._take(self.child.lines())
        code = self.child.returncode()
        if code is None:
            self.settled = self.settled or (not self.program.once and self.program.ready())
            self._welcome()
            return
        # What it started and left behind must not work on beside its successor.
        self.child.end_group()
        self._take(self.child.close())
        self._around.guard.remove(self.child.pid)
        self.child = None
        self._after(code)

    def _welcome(self) -> None:
        """Say that it runs again, once it has stayed for a while and is ready."""
        stayed = self._around.clock() - self._started >= self._around.backoff.steady_after
        if self._missed and stayed and self.program.ready():
            self._missed = False
            self._say("Running again.")

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            self.journal.take(line)

    def _after(self, code: int) -> None:
        if self._leaving:
            return
        if self.program.once and code == 0:
            self.settled = True
            return
        self._fell(ending(code))

    def _fell(self, how: str) -> None:
        lived = self._around.clock() - self._started
        self._failures = 1 if lived >= self._around.backoff.healthy_after else self._failures + 1
        if self.program.vital:
            self.failed = True
            self._report(f"{how}. Nothing can start without it.")
            return
        self._missed = not self.program.once
        wait = self._around.backoff.seconds(self._failures)
        self.due = self._around.clock() + wait
        self._report(f"{how}; it starts again in {wait:g} s.")
        if self._failures == self._around.backoff.patience:
            self._say(f"it did not stay up {self._failures} times in a row; trying on every {wait:g} s.")

    def _report(self, text: str) -> None:
        last = self.journal.last()
        self._say(f"DIED: {text}" + (" Its last lines:" if last else ""))
        for line in last:
            self._say(f"  {line}")

    def _say(self, text: str) -> None:
        self._around.say(f"{self.program.name:<8}| {text}")

    def leave(self) -> None:
        """The house is being left: no restart, no report of its end."""
        self._leaving, self._missed = True, False
        self.due = None

    def stop(self) -> None:
        """Take the next step of its stop plan once the last one's patience is over. Call it repeatedly."""
        now = self._around.clock()
        if self.child is None or now < self._patience_ends:
            return
        if not self._stop_steps:
            self.kill()
            return
        number, seconds = self._stop_steps.pop(0)
        self._patience_ends = now + seconds
        self.child.signal(number)

    def kill(self) -> None:
        """At once, with all it started."""
        if self.child:
            self.child.end_group()
