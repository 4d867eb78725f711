"""Ends what a killed supervisor leaves behind: ``guard.py``, told the process groups on its standard input.

The supervisor writes ``+GROUP`` when it has started a process and ``-GROUP`` when that is gone. The end of
the input without a word means the supervisor is dead: every group still known gets SIGTERM, and SIGKILL
``GRACE_SECONDS`` later. A group holds a program's own children too (pool processes, web workers), which no
kernel wish of the parent reaches. Imports nothing of the project.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 1.5


def signal_group(group: int, number: int) -> bool:
    """Whether the group still had somebody to signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def read_groups() -> set[int]:
    """The groups that are left when the input ends."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(groups: set[int]) -> None:
    for group in groups:
        signal_group(group, signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    # Signal 0 only asks. Zombies nobody has reaped yet still answer; waiting them out does no harm.
    while time.monotonic() < until and any(signal_group(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(read_groups())


if __name__ == "__main__":
    main()
