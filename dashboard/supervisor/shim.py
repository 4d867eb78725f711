"""Runs a program that must not outlive its parent: ``shim.py PARENT_PID PROGRAM ARGUMENTS...``

On Linux the kernel is asked to send SIGTERM to this process when the parent dies, whatever kills it; the
wish survives ``exec``. Elsewhere only the guard (``guard.py``) does this. Imports nothing of the project.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie_to_parent(parent: int) -> None:
    """Ask for SIGTERM at the parent's death; leave at once if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the supervisor is gone")


def listen_again() -> None:
    """A shell that starts us in the background has us ignore some signals, and whom we start would too:
    stopping it would take until it is killed."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def main(arguments: list[str]) -> None:
    parent, *command = arguments
    tie_to_parent(int(parent))
    listen_again()
    try:
        os.execvp(command[0], command)  # noqa: S606 - our own command lines
    except OSError as error:
        sys.stderr.write(f"ERROR cannot run {command[0]}: {error.strerror}\n")
        raise SystemExit(127) from None


if __name__ == "__main__":
    main(sys.argv[1:])
