"""What the supervisor makes and checks before anything starts."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from dashboard.supervisor import premises
from tests.dashboard.keeping import ROOT


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secrets_are_made_once_and_only_this_user_can_read_them(tmp_path: Path) -> None:
    premises.settle(tmp_path, "up")
    premises.make_secrets(tmp_path, missing=("SECRET_KEY", "ENCRYPTION_KEYS"))
    first = premises.stored_secrets(tmp_path)
    assert set(first) == {"SECRET_KEY", "ENCRYPTION_KEYS"}
    assert len(first["SECRET_KEY"]) >= 50
    Fernet(first["ENCRYPTION_KEYS"])
    assert mode(tmp_path / "secrets.env") == 0o600
    assert mode(tmp_path) == 0o700


def test_only_the_missing_secret_is_added(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("ENCRYPTION_KEYS=kept\n")
    premises.make_secrets(tmp_path, missing=("SECRET_KEY",))
    assert premises.stored_secrets(tmp_path)["ENCRYPTION_KEYS"] == "kept"
    assert premises.stored_secrets(tmp_path)["SECRET_KEY"]


def test_a_lost_encryption_key_is_not_replaced_under_an_existing_database(tmp_path: Path) -> None:
    (tmp_path / premises.DATABASE).touch()
    with pytest.raises(premises.RefusalError, match="Restore the file from your backup"):
        premises.make_secrets(tmp_path, missing=("SECRET_KEY", "ENCRYPTION_KEYS"))
    assert not (tmp_path / "secrets.env").exists()


def test_readable_secrets_are_closed_again(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=x\n")
    (tmp_path / "secrets.env").chmod(0o644)
    premises.stored_secrets(tmp_path)
    assert mode(tmp_path / "secrets.env") == 0o600


def test_the_demo_refuses_the_folder_of_real_data_and_the_other_way_round(tmp_path: Path) -> None:
    premises.settle(tmp_path / "a", "up")
    premises.settle(tmp_path / "b", "demo")
    with pytest.raises(premises.RefusalError, match="holds the data of `make up`"):
        premises.settle(tmp_path / "a", "demo")
    with pytest.raises(premises.RefusalError, match="holds the data of `make demo`"):
        premises.settle(tmp_path / "b", "up")
    premises.settle(tmp_path / "a", "up")


def test_two_supervisors_do_not_share_a_folder(tmp_path: Path) -> None:
    descriptor = premises.lock(tmp_path)
    with pytest.raises(premises.RefusalError, match=f"process {os.getpid()}"):
        premises.lock(tmp_path)
    os.close(descriptor)
    os.close(premises.lock(tmp_path))


def test_a_folder_that_a_killed_supervisor_is_just_leaving_is_waited_for(tmp_path: Path) -> None:
    descriptor = premises.lock(tmp_path)
    # A number that no process has: the supervisor is dead, only its guard still holds the lock.
    os.pwrite(descriptor, b"99999999\n", 0)
    threading.Timer(0.3, os.close, [descriptor]).start()
    started = time.monotonic()
    os.close(premises.lock(tmp_path))
    assert time.monotonic() - started > 0.2


def test_a_taken_port_is_said_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(premises.RefusalError) as refused:
            premises.listen("127.0.0.1", port, command="demo")
    assert str(refused.value) == (
        f"Port {port} of 127.0.0.1 is already in use by another program. Choose a different one: "
        f"PORT={port + 1} make demo"
    )


def test_an_address_that_is_not_ours_is_said_in_plain_words() -> None:
    # From a block that is set aside for documentation: no machine has it.
    with pytest.raises(premises.RefusalError) as refused:
        premises.listen("192.0.2.1", 8000, command="up")
    assert str(refused.value) == (
        "The web server cannot listen on 192.0.2.1:8000: cannot assign requested address. "
        "BIND and PORT say where it listens."
    )


def test_the_port_is_checked_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {**os.environ, "PORT": str(taken.getsockname()[1]), "DATA_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "dashboard.supervisor", "demo"],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "already in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "secrets.env").exists()


def test_a_port_that_is_no_port_is_said_without_a_traceback(tmp_path: Path) -> None:
    env = {**os.environ, "PORT": "eighty", "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "dashboard.supervisor", "demo"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sandbox_takes_another_port_when_its_own_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert premises.free_port(port) not in {0, port}
    assert premises.free_port(port) == port


def test_a_long_or_odd_path_puts_the_socket_into_a_private_temporary_folder(tmp_path: Path) -> None:
    assert premises.socket_path(Path("/tmp") / tmp_path.name).parent.name == "run"
    (Path("/tmp") / tmp_path.name / "run").rmdir()
    (Path("/tmp") / tmp_path.name).rmdir()
    for odd in (tmp_path / ("long" * 30), tmp_path / "My Projects"):
        path = premises.socket_path(odd)
        assert len(os.fsencode(path)) <= premises.SOCKET_PATH_BYTES
        assert " " not in str(path)
        assert mode(path.parent) == 0o700
        assert premises.socket_path(odd) == path
        path.parent.rmdir()


def test_a_temporary_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "My Projects"
    folder = premises.socket_path(odd).parent
    folder.chmod(0o755)
    with pytest.raises(premises.RefusalError, match="belongs to somebody else"):
        premises.socket_path(odd)
    folder.rmdir()
