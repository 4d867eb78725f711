"""``manage.py`` where nothing is set up yet."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from dashboard.supervisor.premises import free_port
from tests.dashboard.keeping import ROOT, reading


def fresh(folder: Path) -> dict[str, str]:
    """A clone nobody has started: no secrets, whatever the developer's own ``.env`` says."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return kept | {"DATA_DIR": str(folder), "SECRET_KEY": "", "ENCRYPTION_KEYS": ""}


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_sandbox_starts_without_settings(tmp_path: Path) -> None:
    port = free_port(0)
    sizes = ("--seed", "7", "--keys", "3", "--members", "2", "--workspaces", "1", "--days", "30")
    command = [sys.executable, "manage.py", "sandbox", "--port", str(port), *sizes]
    with reading(command, tmp_path, fresh(tmp_path)) as it:
        base = it.wait_for("Base URL: ").removeprefix("Base URL: ")
        key = it.wait_for("Management key").rpartition(" ")[2]
        it.wait_until_listening(port)
        asked = urllib.request.Request(f"{base}/keys", headers={"Authorization": f"Bearer {key}"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=10) as answer:
            assert answer.status == 200


def test_the_sandbox_tells_its_options_without_settings(tmp_path: Path) -> None:
    done = manage(fresh(tmp_path), "sandbox", "--help")
    assert done.returncode == 0, done.stderr
    assert "--workspaces" in done.stdout


def test_a_wrong_option_of_the_sandbox_is_said_plainly(tmp_path: Path) -> None:
    done = manage(fresh(tmp_path), "sandbox", "--seed", "seven")
    assert done.returncode == 2
    assert "manage.py sandbox: error: argument --seed: invalid int value: 'seven'" in done.stderr


@pytest.mark.parametrize("command", ["demo", "up"])
def test_what_makes_the_secrets_does_not_ask_for_them(tmp_path: Path, command: str) -> None:
    done = manage(fresh(tmp_path) | {"PORT": "eighty"}, command)
    assert done.returncode == 2
    assert done.stderr.startswith('Environment variable "PORT" invalid')


@pytest.mark.parametrize(
    "arguments", [("owner_link",), ("connect", "--help"), ("check", "--deploy"), ("migrate",)]
)
def test_missing_secrets_are_one_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = manage(fresh(tmp_path), *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("SECRET_KEY is not set.")
    assert "DATA_DIR=var/demo" in line


def test_a_value_that_cannot_be_understood_is_one_line(tmp_path: Path) -> None:
    done = manage(fresh(tmp_path) | {"DEBUG": "perhaps"}, "check")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "DEBUG" in done.stderr


def test_whoever_looks_for_a_fault_gets_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" in manage(fresh(tmp_path), "check", "--traceback").stderr


def test_a_python_without_the_packages_is_told_which_one_has_them(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "manage.py"), "check"],
        cwd=tmp_path, env=fresh(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{sys.executable} lacks this project's packages. Use {ROOT}/.venv/bin/python manage.py."
    ]


def test_it_can_be_called_by_its_name() -> None:
    assert os.access(ROOT / "manage.py", os.X_OK)
