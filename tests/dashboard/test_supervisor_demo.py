"""The real demo: every process, a free port, a folder of its own. Slow, so two starts answer everything."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboard.keeping import ROOT, Kept, alive, reading, until_true

pytestmark = [
    pytest.mark.worker,
    pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc: run it on Linux"),
]
# Generous: two cores may be busy with other tests meanwhile.
START_SECONDS = 90.0


@contextlib.contextmanager
def demo(folder: Path, port: int) -> Iterator[Kept]:
    # The settings of the tests would follow the children; the demo brings its own.
    dropped = {"SECRET_KEY", "ENCRYPTION_KEYS", "CACHE_URL", "DATABASE_URL", "CELERY_BROKER_URL"}
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    env["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    env |= {"DATA_DIR": str(folder), "PORT": str(port), "SANDBOX_PORT": "0", "LOG_LEVEL": "INFO"}
    with reading([sys.executable, "-m", "dashboard.supervisor", "demo"], folder, env) as it:
        yield it


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


def family(pid: int) -> dict[int, str]:
    """Every living process below one, with its command line, by number."""
    parents, lines = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (path / "stat").read_text().rpartition(")")[2].split()
                parents[int(path.name)] = int(stat[1])
                lines[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: lines[one] for one in found - {pid} if one in lines}


def get(address: str, opener: urllib.request.OpenerDirector | None = None) -> tuple[int, str]:
    opener = opener or urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=20) as response:
        return response.status, response.read().decode()


def visitor() -> tuple[urllib.request.OpenerDirector, http.cookiejar.CookieJar]:
    jar = http.cookiejar.CookieJar()
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    return urllib.request.build_opener(*handlers), jar


def count(folder: Path, table: str) -> int:
    with contextlib.closing(sqlite3.connect(folder / "dashboard.sqlite3", timeout=20)) as database:
        found: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found


def signed_in(it: Kept) -> str:
    link = it.wait_for("Sign in: ", seconds=START_SECONDS).removeprefix("Sign in: ")
    opener, jar = visitor()
    assert get(link, opener)[0] == 200
    assert any(cookie.name == "dashboard_session" for cookie in jar)
    return link


def gone(pids: dict[int, str]) -> bool:
    return not any(alive(pid) for pid in pids)


def nothing_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_demo_from_the_first_start_to_a_killed_second(tmp_path: Path) -> None:
    port = free_port()
    with demo(tmp_path, port) as it:
        link = signed_in(it)
        assert link.startswith(f"http://127.0.0.1:{port}/")
        assert it.wait_for("Mails: ") == f"Mails: {tmp_path / 'mail'}"
        assert json.loads(get(f"http://127.0.0.1:{port}/readyz")[1])["broker"] == "ok"
        until_true(lambda: count(tmp_path, "inventory_key") == 120, "the key list is full", seconds=60)
        _a_command_beside_it_meets_its_house(tmp_path, port)
        _a_second_one_is_refused(tmp_path)
        _a_killed_worker_is_started_again(it)
        before = family(it.process.pid)
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(40) == 0
        until_true(lambda: gone(before), "nothing is left", seconds=3)
        assert nothing_listens(port)
        assert it.said[-1] == "Stopped."
        assert sum(line.startswith("Sign in: ") for line in it.said) == 1
    _no_link_or_key_is_written_down(tmp_path, link)
    with demo(tmp_path, port) as it:
        assert signed_in(it) != link
        assert count(tmp_path, "inventory_key") == 120
        assert count(tmp_path, "accounts_organization") == 1
        before = family(it.process.pid)
        assert len(before) >= 9
        it.process.kill()
        it.process.wait()
        until_true(lambda: gone(before), f"nothing outlives it of {before}", seconds=5)
        until_true(lambda: nothing_listens(port), "the port is free", seconds=3)


def _a_command_beside_it_meets_its_house(folder: Path, port: int) -> None:
    """As documented: with nothing but the folder. The link is the present owner's, at the present address."""
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "manage.py", "owner_link"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    whom, link = done.stdout.splitlines()
    assert whom == "A link for owner@acme.example, good once and within a day:"
    assert link.startswith(f"Sign in: http://127.0.0.1:{port}/")
    assert count(folder, "accounts_user") == 1


def _a_second_one_is_refused(folder: Path) -> None:
    with demo(folder, free_port()) as second:
        assert second.process.wait(20) == 2
    assert any("already works in" in line for line in second.said)


def _a_killed_worker_is_started_again(it: Kept) -> None:
    workers = {
        pid: line for pid, line in family(it.process.pid).items() if "celery" in line and " worker " in line
    }
    os.kill(min(workers), signal.SIGKILL)
    it.wait_for("worker  | DIED: it was killed by SIGKILL")

    def again() -> bool:
        now = [line for line in family(it.process.pid).values() if "celery" in line and " worker " in line]
        return gone(workers) and len(now) == len(workers)

    until_true(again, "the worker and its pool run again", seconds=30)
    it.wait_for("worker  | Running again.", seconds=30)


def _no_link_or_key_is_written_down(folder: Path, link: str) -> None:
    token = link.rstrip("/").rpartition("/")[2]
    for path in (folder / "log").iterdir():
        text = path.read_text()
        assert token not in text, path.name
        assert not re.search(r"sk-or-v1-[0-9a-f]{6}", text), path.name
    assert (folder / "secrets.env").stat().st_mode & 0o777 == 0o600
