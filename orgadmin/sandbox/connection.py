"""Hangs up on the caller, which WSGI has no words for."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")
_NO_LINGER = struct.pack("ii", 1, 0)


def hang_up(environ: dict[str, Any], *, politely: bool = False) -> None:
    """Closes the connection of a request: the caller sees a reset, or politely an early end.

    gunicorn and werkzeug both hand their socket to the application. Each of them still tries to write
    afterwards, meets a closed connection, and lets it be.
    """
    connection = next((environ[name] for name in _SOCKETS if name in environ), None)
    if connection is None:
        raise RuntimeError("This server does not hand its socket to the application: a drop is not possible")
    try:
        if not politely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The caller was quicker and has gone already.
        return


def then_hang_up(environ: dict[str, Any], body: bytes) -> Iterator[bytes]:
    """A body after which the connection ends, whatever length was promised."""
    yield body
    hang_up(environ, politely=True)
