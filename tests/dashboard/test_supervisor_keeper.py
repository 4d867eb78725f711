"""The supervisor's loop, with small real processes as stand-ins."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.dashboard.keeping import SLEEPER, alive, kept, until_true

# One write each: two processes share the pipe, and print may hand over a line in pieces.
PRINTS_PID = r"import os, time; os.write(1, b'pid %d\n' % os.getpid()); time.sleep(60)"
IGNORES = (
    "import signal, time; signal.signal({signals}, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)
# A process with a child of its own, like a pool or a web server's workers; the child ignores SIGTERM.
PARENT = r"""
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b'pid %d\n' % os.getpid())
time.sleep(60)
"""


def test_a_killed_process_is_reported_and_started_again(tmp_path: Path) -> None:
    code = PRINTS_PID.replace("time.sleep(60)", "print('near the end', flush=True); time.sleep(60)")
    with kept(tmp_path, [{"name": "worker", "code": code}]) as it:
        until_true(lambda: len(it.pids("worker")) == 1, "started")
        os.kill(it.pids("worker")[0], signal.SIGKILL)
        line = it.wait_for("DIED")
        assert line.startswith("worker  | DIED: it was killed by SIGKILL")
        assert "it starts again in 0.05 s. Its last lines:" in line
        it.wait_for("worker  |   near the end")
        until_true(lambda: len(it.pids("worker")) == 2, "started again")


def test_one_that_is_back_is_said_to_run_again_once_it_stays(tmp_path: Path) -> None:
    # Dies at once twice, then stays.
    door = tmp_path / "tries"
    code = (
        f"import time; file = open({str(door)!r}, 'a+'); file.seek(0); tries = len(file.read())\n"
        "file.write('x'); file.close()\nif tries < 2: raise SystemExit(3)\ntime.sleep(60)"
    )
    with kept(tmp_path, [{"name": "web", "code": code}, {"name": "beat", "code": SLEEPER}]) as it:
        it.wait_for("Running again.")
        told = [line.partition(" it ")[0] for line in it.said]
        assert told == ["web     | DIED:", "web     | DIED:", "web     | Running again."]


def test_an_exit_code_is_told_and_the_waits_grow(tmp_path: Path) -> None:
    with kept(tmp_path, [{"name": "web", "code": "raise SystemExit(3)"}]) as it:
        it.wait_for("did not stay up 5 times in a row; trying on every 0.2 s")
        waits = [
            line.partition("again in ")[2] for line in it.said if "DIED: it failed (exit code 3)" in line
        ]
    assert waits[:5] == ["0.05 s.", "0.1 s.", "0.2 s.", "0.2 s.", "0.2 s."]


def test_a_service_that_ends_without_an_error_is_started_again_too(tmp_path: Path) -> None:
    with kept(tmp_path, [{"name": "beat", "code": "print('bye')"}]) as it:
        it.wait_for("DIED: it ended by itself (exit code 0)")


def test_a_stage_waits_until_the_one_before_is_ready_and_done(tmp_path: Path) -> None:
    door = tmp_path / "door"
    first = {"name": "broker", "code": SLEEPER, "ready_file": str(door)}
    once = {"name": "prepare", "code": "print('done')", "once": True, "vital": True}
    second = {"name": "web", "code": SLEEPER, "stage": 1}
    with kept(tmp_path, [first, once, second]) as it:
        until_true(lambda: "up" in _log(tmp_path, "broker"), "broker runs")
        until_true(lambda: "done" in _log(tmp_path, "prepare"), "prepared")
        assert _log(tmp_path, "web") == ""
        door.touch()
        until_true(lambda: "up" in _log(tmp_path, "web"), "web runs")
    assert it.process.returncode == 0


def test_nothing_starts_and_the_exit_code_is_1_when_preparing_fails(tmp_path: Path) -> None:
    failing = {"name": "prepare", "code": "raise SystemExit('no such table')", "once": True, "vital": True}
    with kept(tmp_path, [failing, {"name": "web", "code": SLEEPER, "stage": 1}]) as it:
        it.wait_for("Nothing can start without it.")
        it.wait_for("no such table")
        assert it.process.wait(10) == 1
    assert _log(tmp_path, "web") == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything_in_order(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    open({log!r}, 'a').write({name!r} + '\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    log = str(tmp_path / "order")
    names = [("valkey", 3), ("worker", 2), ("beat", 0)]
    plan = [{"name": n, "stop_order": order, "code": code.format(log=log, name=n)} for n, order in names]
    with kept(tmp_path, plan) as it:
        until_true(lambda: all("up" in _log(tmp_path, name) for name, _ in names), "all run")
        it.process.send_signal(number)
        assert it.process.wait(10) == 0
        assert not any("DIED" in line for line in it.said)
    assert it.said[-2:] == ["Stopping. Ctrl-C again kills at once.", "Stopped."]
    assert Path(log).read_text().split() == ["beat", "worker", "valkey"]


def test_a_worker_that_does_not_listen_gets_the_next_signal(tmp_path: Path) -> None:
    plan = {"name": "worker", "code": IGNORES.format(signals="signal.SIGTERM")}
    with kept(tmp_path, [{**plan, "stop": [(signal.SIGTERM, 0.1), (signal.SIGQUIT, 60)]}]) as it:
        until_true(lambda: "up" in _log(tmp_path, "worker"), "runs")
        it.process.terminate()
        assert it.process.wait(30) == 0


def test_programs_listen_although_whoever_started_us_ignores_signals(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        with kept(tmp_path, [{"name": "worker", "code": SLEEPER, "stop": [(signal.SIGQUIT, 60)]}]) as it:
            until_true(lambda: "up" in _log(tmp_path, "worker"), "runs")
            it.process.terminate()
            assert it.process.wait(30) == 0
    finally:
        signal.signal(signal.SIGQUIT, before)


def test_a_second_ctrl_c_kills_what_does_not_listen(tmp_path: Path) -> None:
    code = IGNORES.format(signals="signal.SIGTERM")
    with kept(tmp_path, [{"name": "worker", "code": code, "stop": [(signal.SIGTERM, 60)]}]) as it:
        until_true(lambda: "up" in _log(tmp_path, "worker"), "runs")
        it.process.send_signal(signal.SIGINT)
        it.wait_for("Stopping.")
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(30) == 0


def test_what_a_dead_process_left_behind_ends_before_its_successor_starts(tmp_path: Path) -> None:
    with kept(tmp_path, [{"name": "worker", "code": PARENT}]) as it:
        until_true(lambda: len(it.pids("worker")) == 2, "both run")
        before = it.pids("worker")
        os.kill(min(before), signal.SIGKILL)
        until_true(lambda: len(it.pids("worker")) == 4, "started again")
        assert not any(alive(pid) for pid in before)
        after = it.pids("worker")[2:]
    assert not any(alive(pid) for pid in after)


@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc: run it on Linux")
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with kept(tmp_path, [{"name": "web", "code": PARENT}, {"name": "beat", "code": PRINTS_PID}]) as it:
        until_true(lambda: len(it.pids("web")) == 2 and len(it.pids("beat")) == 1, "all run")
        pids = it.pids("web") + it.pids("beat")
        it.process.kill()
        it.process.wait()
        until_true(lambda: not any(alive(pid) for pid in pids), "all gone", seconds=4)


@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc: run it on Linux")
def test_the_guard_is_renewed_when_it_is_killed(tmp_path: Path) -> None:
    with kept(tmp_path, [{"name": "web", "code": PARENT}]) as it:
        until_true(lambda: len(it.pids("web")) == 2, "all run")
        pids, first = it.pids("web"), _guard_of(it.process.pid)
        assert first
        os.kill(first, signal.SIGKILL)
        until_true(lambda: _guard_of(it.process.pid) not in {0, first}, "a new guard")
        it.process.kill()
        it.process.wait()
        until_true(lambda: not any(alive(pid) for pid in pids), "all gone", seconds=4)


def _guard_of(supervisor: int) -> int:
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    guards = [pid for pid in children if b"guard.py" in _command(pid)]
    return int(guards[0]) if guards and alive(int(guards[0])) else 0


def _command(pid: str) -> bytes:
    """What it was started with; nothing where it ended since it was listed."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _log(folder: Path, name: str) -> str:
    path = folder / f"{name}.log"
    return path.read_text() if path.exists() else ""
