"""What must be ours before anything starts: the data folder, its lock, its secrets, the web port."""

from __future__ import annotations

import base64
import errno
import fcntl
import hashlib
import os
import re
import secrets
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from dashboard.env import KIND_FILE, SECRETS_FILE, STARTED_FILE, kind_of

# The kernel's limit for a socket's path is 108 bytes on Linux and 104 on macOS, its end included.
SOCKET_PATH_BYTES = 100
# How long a dying predecessor may take before its folder counts as in use (guard.GRACE_SECONDS and some air).
LOCK_SECONDS = 5.0
DATABASE = "dashboard.sqlite3"


class RefusalError(Exception):
    """The supervisor will not start; the text tells the person why and what to do."""


def own_folder(path: Path) -> None:
    """Make a folder that only this user can enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def settle(data_dir: Path, kind: str) -> None:
    """Make the data folder, and refuse one that holds the other kind ("demo" or "up").

    The demo's owner, its sandbox organization and their sign-in links have no place among real data.
    """
    own_folder(data_dir)
    there = kind_of(data_dir)
    if not there:
        (data_dir / KIND_FILE).write_text(kind + "\n", encoding="utf-8")
    elif there != kind:
        raise RefusalError(
            f"{data_dir} holds the data of `make {there}`. Give `make {kind}` a folder of its own: "
            f"DATA_DIR=/another/folder make {kind}"
        )


def lock(data_dir: Path) -> int:
    """Take the folder for this supervisor; returns the locked descriptor, which must stay open.

    Raises RefusalError when another supervisor works in it. One that was killed a moment ago is waited for.
    """
    descriptor = os.open(data_dir / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode().strip()
            if _alive(holder) or time.monotonic() > until:
                os.close(descriptor)
                raise RefusalError(
                    f"Another supervisor (process {holder or 'unknown'}) already works in {data_dir}."
                ) from None
            time.sleep(0.1)
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _alive(holder: str) -> bool:
    if not holder.isdigit():
        return False
    try:
        os.kill(int(holder), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def listen(host: str, port: int, *, command: str) -> socket.socket:
    """Bind the web port now, while everything else is still to be loaded.

    The supervisor keeps the socket open: while the web server restarts, visitors wait and are not refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RefusalError(
                f"Port {port} of {host} is already in use by another program. Choose a different one: "
                f"PORT={port + 1} make {command}"
            ) from None
        # Python adds words of its own in brackets.
        why = (error.strerror or "refused").partition(" (")[0].lower()
        raise RefusalError(
            f"The web server cannot listen on {host}:{port}: {why}. BIND and PORT say where it listens."
        ) from None


def free_port(wished: int) -> int:
    """The wished port of 127.0.0.1, or one that is free when somebody has it. 0 wishes for any."""
    for port in (wished, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as trial:
                return int(trial.getsockname()[1])
        except OSError:
            continue
    raise RefusalError("No port of 127.0.0.1 is free.")


def make_secrets(data_dir: Path, *, missing: tuple[str, ...]) -> None:
    """Add the missing ones of SECRET_KEY and ENCRYPTION_KEYS to ``secrets.env``, readable by this user only.

    Raises RefusalError when there is a database already: what it holds needs the lost key.
    """
    path = data_dir / SECRETS_FILE
    if "ENCRYPTION_KEYS" in missing and (data_dir / DATABASE).exists():
        raise RefusalError(
            f"{path} has no ENCRYPTION_KEYS, but {data_dir / DATABASE} was written with some, and the "
            "management keys in it could not be read with new ones. Restore the file from your backup, or "
            "move the database away to start anew."
        )
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    makers = {"SECRET_KEY": _secret_key, "ENCRYPTION_KEYS": _encryption_key}
    lines += [f"{name}={makers[name]()}" for name in missing]
    _write(path, lines)


def remember(data_dir: Path, started: Mapping[str, str]) -> None:
    """Keep what the house was started with, for commands that are run beside it (``env.read_files``)."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in started.items()}
    _write(data_dir / STARTED_FILE, [f"{name}='{value}'" for name, value in quoted.items()])


def forget(data_dir: Path) -> None:
    """The last start must not pass for a wish about this one."""
    (data_dir / STARTED_FILE).unlink(missing_ok=True)


def _write(path: Path, lines: list[str]) -> None:
    """The whole file or none of it, readable by this user only."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def stored_secrets(data_dir: Path) -> dict[str, str]:
    """What ``secrets.env`` holds, by name; nothing when there is no such file."""
    path = data_dir / SECRETS_FILE
    if not path.exists():
        return {}
    path.chmod(0o600)
    return {name: value for name, value in dotenv_values(path).items() if value}


def _secret_key() -> str:
    return secrets.token_urlsafe(50)


def _encryption_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def socket_path(data_dir: Path) -> Path:
    """Where the embedded broker's socket lies: in the data folder, if such a path fits a socket and a URL."""
    path = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9/._-]+", str(path)):
        own_folder(path.parent)
        return path
    # The same one each time, so that kills leave no trail of folders behind.
    short = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"dashboard-{os.getuid()}-{short}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RefusalError(f"{folder} belongs to somebody else; the broker's socket cannot be put there.")
    return folder / "valkey.sock"
