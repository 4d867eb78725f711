"""Servers that misbehave on purpose, and what the client made of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orgadmin.openrouter.errors import (
    OpenRouterError,
)
from orgadmin.openrouter.transport import OpenRouter, Patience
from tests.openrouter.socket_server import SocketServer, reset, response

STEADY = Patience(tries=1, seconds=5, connect_timeout=2, read_timeout=2)
HURRY = Patience(tries=1, seconds=0.25, connect_timeout=0.15, read_timeout=0.15)
TWICE = Patience(tries=2, seconds=5, connect_timeout=2, read_timeout=0.25)
FINE = response(b'{"data": 1}')


@contextmanager
def serving(*acts, tls=None) -> Iterator[SocketServer]:
    """Each act is given the server and the connection."""
    holder: list[SocketServer] = []
    bound = [lambda connection, act=act: act(holder[0], connection) for act in acts]
    with SocketServer(*bound, tls=tls) as server:
        holder.append(server)
        yield server


def answer(content: bytes):
    def act(server, connection):
        server.read_request(connection)
        connection.sendall(content)

    return act


def read_then_reset(server, connection):
    server.read_request(connection)
    reset(connection)


def read_then_hang_up(server, connection):
    server.read_request(connection)


def read_then_stay_silent(server, connection):
    server.read_request(connection)
    stay_silent(server, connection)


def stay_silent(server: SocketServer, connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def reset_in_handshake(server, connection):
    connection.recv(1)
    reset(connection)


def failure_of(client: OpenRouter, method: str = "POST") -> OpenRouterError:
    with pytest.raises(OpenRouterError) as caught:
        client.request(method, "/keys", body=None if method == "GET" else {"name": "x"})
    return caught.value
