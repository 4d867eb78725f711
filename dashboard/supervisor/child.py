"""One running process: started tied to us, read without waiting, ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from dashboard.env import BASE_DIR
from dashboard.supervisor.programs import Program

_SHIM = str(Path(__file__).with_name("shim.py"))
_GUARD = str(Path(__file__).with_name("guard.py"))
# A bare interpreter starts in a few hundredths of a second: no site packages, no user environment.
_BARE_PYTHON = (sys.executable, "-I", "-S")


class Child:
    """Must be made by the main thread: the kernel ties a child to the thread that started it."""

    def __init__(self, program: Program) -> None:
        self._rest = b""
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops
        # the others in order; and the group's number is the process's, for ending all of it.
        self._process = subprocess.Popen(  # noqa: S603 - our own command lines
            (*_BARE_PYTHON, _SHIM, str(os.getpid()), *program.argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=program.pass_fds,
            env=dict(program.env),
            cwd=BASE_DIR,
        )
        os.set_blocking(self.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def returncode(self) -> int | None:
        """None while it runs; else its exit code, negative for a signal."""
        return self._process.poll()

    def lines(self) -> list[str]:
        """The whole lines that arrived since the last call."""
        pieces = [self._rest]
        with contextlib.suppress(BlockingIOError):
            # At most a megabyte a turn, so that one chatty process does not starve the others.
            for _ in range(16):
                piece = os.read(self.fileno(), 65_536)
                if not piece:
                    break
                pieces.append(piece)
        *lines, self._rest = b"".join(pieces).split(b"\n")
        if len(self._rest) > 65_536:
            lines, self._rest = [*lines, self._rest], b""
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]

    def signal(self, number: signal.Signals) -> None:
        """Tell the process itself; what it started is its own to tell."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def end_group(self) -> None:
        """SIGKILL to everything that is left of it, its own children included."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> list[str]:
        """Reap it and let go of its output; returns the last lines, a half one included."""
        self._process.wait()
        lines = self.lines()
        if self._rest:
            lines.append(self._rest.decode("utf-8", "replace"))
        assert self._process.stdout is not None
        self._process.stdout.close()
        return lines


class Guard:
    """Our end of ``guard.py``: it learns which groups live, and ends them if we are killed."""

    def __init__(self, *, hold: tuple[int, ...] = ()) -> None:
        # ``hold``: descriptors it keeps open, so that the lock of the data folder is free only when all
        # is gone.
        self._hold = hold
        self._groups: set[int] = set()
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command lines
            (*_BARE_PYTHON, _GUARD),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self._hold,
            text=True,
            bufsize=1,
        )
        for group in self._groups:
            self._tell(f"+{group}")

    def add(self, group: int) -> None:
        self._groups.add(group)
        self._tell(f"+{group}")

    def remove(self, group: int) -> None:
        self._groups.discard(group)
        self._tell(f"-{group}")

    def renew(self) -> None:
        """Start it again if somebody killed it."""
        if self._process.poll() is not None:
            self._start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        self._process.wait()

    def _tell(self, word: str) -> None:
        # A dead guard is renewed on the next turn and then told everything.
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(word + "\n")
