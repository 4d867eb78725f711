"""Servers in processes of their own, ended with the block that started them."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def process(*arguments: str, port: int, path: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that serves on ``port``; entered once ``path`` answers."""
    running = subprocess.Popen((sys.executable, *arguments), env={**os.environ, **env})
    try:
        _wait(running, port, path)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _wait(running: subprocess.Popen[bytes], port: int, path: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if running.poll() is not None:
            raise RuntimeError(f"A server of the bench ended with code {running.returncode}.")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"A server of the bench did not answer within {START_SECONDS} s.")


def web(port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """The product as it is served in production: one gunicorn process with threads."""
    return process(
        "-m",
        "gunicorn",
        "--config",
        "python:dashboard.gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "dashboard.wsgi:application",
        port=port,
        path="/healthz",
        WEB_PROCESSES="1",
    )


def sandbox(port: int, keys: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return process("-m", "tests.bench.upstream", str(port), str(keys), port=port, path="/_sandbox/requests")
