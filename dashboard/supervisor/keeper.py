"""The loop: one thread that starts, watches, restarts and stops every process of the house.

It sleeps in ``select`` until a process says something, a signal arrives or a planned moment comes.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from dashboard.supervisor.charge import Charge, Clock, Surroundings
from dashboard.supervisor.child import Guard
from dashboard.supervisor.journal import Journal
from dashboard.supervisor.programs import Backoff, Program

# How often it looks while something is starting or stopping, and when all is quiet.
BUSY_SECONDS = 0.05
IDLE_SECONDS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Keeper:
    """Keeps programs running until a stop signal; ``run`` returns the exit code for the supervisor.

    0 after an orderly stop, 1 when a vital program failed. Must run in the main thread.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        journal_for: Callable[[Program], Journal],
        say: Callable[[str], None],
        guard: Guard,
        backoff: Backoff | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        around = Surroundings(clock=clock, say=say, guard=guard, backoff=backoff or Backoff())
        self._charges = [Charge(program, journal_for(program), around) for program in programs]
        self._clock, self._say, self._guard = clock, say, guard
        self._selector = selectors.DefaultSelector()
        self._stop_requests = 0
        self._stopping = False

    def run(self) -> int:
        with self._signals():
            try:
                while not self._turn():
                    self._wait()
            finally:
                self._end_everything()
        if self._stopping:
            self._say("Stopped.")
        return 1 if any(charge.failed for charge in self._charges) else 0

    def _turn(self) -> bool:
        """One round; whether the house is empty and may be left."""
        self._guard.renew()
        for charge in self._charges:
            self._look(charge)
        if self._stop_requests == 0 and any(charge.failed for charge in self._charges):
            self._stop_requests = 1
        if self._stop_requests:
            self._stop()
            return not any(charge.running for charge in self._charges)
        self._start_due()
        return all(charge.program.once and charge.settled for charge in self._charges)

    def _look(self, charge: Charge) -> None:
        child = charge.child
        charge.look()
        if child and charge.child is None:
            self._selector.unregister(child)

    def _start_due(self) -> None:
        now, stage = self._clock(), self._stage()
        for charge in self._charges:
            if charge.due is not None and charge.due <= now and charge.program.stage <= stage:
                child = charge.start()
                if child:
                    self._selector.register(child, selectors.EVENT_READ)

    def _stage(self) -> int:
        """The first stage with something not yet ready or done."""
        return min((charge.program.stage for charge in self._charges if not charge.settled), default=1_000)

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._say("\nStopping. Ctrl-C again kills at once.")
            for charge in self._charges:
                charge.leave()
        running = [charge for charge in self._charges if charge.running]
        if self._stop_requests > 1:
            for charge in running:
                charge.kill()
            return
        first = min((charge.program.stop_order for charge in running), default=0)
        for charge in running:
            if charge.program.stop_order == first:
                charge.stop()

    def _wait(self) -> None:
        moving = self._stop_requests or any(charge.running and not charge.settled for charge in self._charges)
        now = self._clock()
        dues = [charge.due - now for charge in self._charges if charge.due is not None and charge.due > now]
        timeout = min([BUSY_SECONDS if moving else IDLE_SECONDS, *dues])
        for key, _ in self._selector.select(max(timeout, 0.001)):
            if key.data is not None:
                with contextlib.suppress(BlockingIOError):
                    key.data.recv(4096)

    def _end_everything(self) -> None:
        """Whatever happened in the loop, nothing stays."""
        for charge in self._charges:
            charge.kill()
        for charge in self._charges:
            if charge.child:
                charge.child.close()
                self._guard.remove(charge.child.pid)
            charge.journal.close()
        self._selector.close()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals wake the loop through a socket; handlers only count, so nothing is interrupted half-way."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        before = {number: signal.signal(number, self._asked) for number in STOP_SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._selector.register(ours, selectors.EVENT_READ, ours)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            ours.close()
            theirs.close()

    def _asked(self, number: int, _: FrameType | None) -> None:
        self._stop_requests += 1
