"""A server made of a bare socket, for the ways a connection can go wrong that no HTTP library will play."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

Act = Callable[[socket.socket], None]


class SocketServer:
    """Gives each connection to the next act, one after the other; `requests` holds what arrived."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.release = threading.Event()
        self._acts = acts
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def base(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/api/v1"

    def _serve(self) -> None:
        for act in self._acts:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                connection.settimeout(2)
                self._meet(act, connection)

    def _meet(self, act: Act, connection: socket.socket) -> None:
        if self._tls is None:
            act(connection)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secured:
            act(secured)

    def __enter__(self) -> SocketServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._listener.close()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.1):
            pass
        self._thread.join(timeout=2)
        assert not self._thread.is_alive()

    def read_request(self, connection: socket.socket) -> bytes:
        """One whole request: its head and as much body as it announced."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += _receive(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            body += _receive(connection)
        request = head + b"\r\n\r\n" + body
        self.requests.append(request)
        return request


def _receive(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise OSError("the client went away")
    return piece


def response(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n{headers}\r\n"
    )
    return head.encode() + body


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port nobody listens on: bound, so that nobody else takes it, but refusing."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
