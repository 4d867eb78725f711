"""What the client makes of connections that go wrong, on real sockets."""

from __future__ import annotations

import gzip
import socket
import time

import pytest

from orgadmin.openrouter import exchange
from orgadmin.openrouter.errors import (
    AnswerLost,
    NotFound,
    NotSent,
    UnreadableAnswer,
)
from orgadmin.openrouter.transport import Patience
from tests.openrouter.connecting import (
    FINE,
    HURRY,
    TWICE,
    answer,
    failure_of,
    read_then_hang_up,
    read_then_reset,
    read_then_stay_silent,
    serving,
    stay_silent,
)
from tests.openrouter.socket_server import closed_port, reset, response


def test_it_knows_a_refused_connection_was_not_sent(connect):
    with closed_port() as port:
        client = connect(f"http://127.0.0.1:{port}")
        failure = failure_of(client)
    assert isinstance(failure, NotSent)
    assert (failure.retryable, failure.outcome_unknown, failure.status) == (True, False, None)
    assert client.calls == 0


def test_it_knows_an_unresolvable_name_was_not_sent(connect, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    failure = failure_of(connect("https://openrouter.invalid"))
    assert isinstance(failure, NotSent)
    assert "name" in failure.message
    assert not failure.outcome_unknown


def test_it_knows_a_connect_timeout_was_not_sent(connect, monkeypatch):
    def slow(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", slow)
    failure = failure_of(connect("http://127.0.0.1:9"))
    assert isinstance(failure, NotSent)
    assert failure.message == "OpenRouter could not be reached in time."


def test_it_repeats_a_create_that_was_not_sent(connect):
    with serving(answer(FINE)) as server:
        client = connect(server.base(), TWICE)
        real = socket.socket.connect
        attempts = []

        def first_fails(self, address):
            attempts.append(address)
            if len(attempts) == 1:
                raise ConnectionRefusedError(111, "Connection refused")
            return real(self, address)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket.socket, "connect", first_fails)
            assert client.request("POST", "/keys", body={"name": "x"}) == {"data": 1}
    assert len(attempts) == 2
    assert client.calls == len(server.requests) == 1


@pytest.mark.parametrize("act", [read_then_reset, read_then_hang_up, read_then_stay_silent])
def test_it_doubts_a_create_whose_answer_is_lost_and_never_repeats_it(connect, act):
    with serving(act, answer(FINE)) as server:
        client = connect(server.base(), TWICE)
        failure = failure_of(client)
    assert isinstance(failure, AnswerLost)
    assert (failure.retryable, failure.outcome_unknown) == (False, True)
    assert client.calls == len(server.requests) == 1


@pytest.mark.parametrize("act", [read_then_reset, read_then_hang_up, read_then_stay_silent])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_it_repeats_what_may_be_repeated(connect, act, method):
    with serving(act, answer(FINE)) as server:
        client = connect(server.base(), TWICE)
        assert client.request(method, "/keys") == {"data": 1}
    assert client.calls == len(server.requests) == 2


def test_a_lost_read_leaves_no_doubt_behind(connect):
    with serving(read_then_reset) as server:
        failure = failure_of(connect(server.base()), "GET")
    assert isinstance(failure, AnswerLost)
    assert (failure.retryable, failure.outcome_unknown) == (True, False)


def test_a_lost_answer_to_a_post_that_only_reads_leaves_no_doubt_behind(connect):
    with serving(read_then_reset) as server:
        client = connect(server.base())
        with pytest.raises(AnswerLost) as caught:
            client.request("POST", "/analytics/query", body={}, idempotent=True, write=False)
    assert (caught.value.retryable, caught.value.outcome_unknown) == (True, False)


def test_a_lost_change_stays_in_doubt_when_the_next_try_is_refused(connect):
    refused = response(b'{"error": {"code": 404, "message": "No such key"}}', status="404 Not Found")
    with serving(read_then_reset, answer(refused)) as server:
        failure = failure_of(connect(server.base(), TWICE), "PATCH")
    assert isinstance(failure, NotFound)
    assert failure.outcome_unknown


@pytest.mark.parametrize(
    "content",
    [
        response(b'{"data": 1', length=400),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"dat\r\n',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_a_body_cut_short_is_a_lost_answer(connect, content):
    with serving(answer(content)) as server:
        failure = failure_of(connect(server.base()))
    assert isinstance(failure, AnswerLost)
    assert failure.outcome_unknown


@pytest.mark.parametrize("content", [response(b'{"data": [{"ha'), b"HTTP/1.1 200 OK\r\n\r\n"])
def test_whole_but_broken_json_is_unreadable(connect, content):
    with serving(answer(content)) as server:
        failure = failure_of(connect(server.base()))
    assert isinstance(failure, UnreadableAnswer)
    assert (failure.status, failure.retryable, failure.outcome_unknown) == (200, False, True)


def test_bytes_that_do_not_unpack_are_unreadable(connect):
    content = response(b"not gzip at all", headers="Content-Encoding: gzip\r\n")
    with serving(answer(content)) as server:
        failure = failure_of(connect(server.base()))
    assert isinstance(failure, UnreadableAnswer)
    assert failure.outcome_unknown


def test_the_status_of_a_refusal_survives_the_loss_of_its_body(connect):
    with serving(answer(response(b'{"error"', status="404 Not Found", length=300))) as server:
        failure = failure_of(connect(server.base()))
    assert isinstance(failure, NotFound)
    assert not failure.outcome_unknown


def test_a_packed_body_that_comes_byte_by_byte_is_read(connect):
    packed = gzip.compress(b'{"data": "' + b"x" * 300 + b'"}')

    def drip(server, connection):
        server.read_request(connection)
        connection.sendall(response(b"", headers="Content-Encoding: gzip\r\n", length=len(packed)))
        for byte in packed:
            connection.sendall(bytes([byte]))

    with serving(drip) as server:
        assert connect(server.base()).request("GET", "/key") == {"data": "x" * 300}


def test_it_stops_unpacking_a_body_that_is_too_large(connect, monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST_BODY", 100_000)
    bomb = response(gzip.compress(b" " * 10_000_000), headers="Content-Encoding: gzip\r\n")
    with serving(answer(bomb)) as server:
        failure = failure_of(connect(server.base()), "GET")
    assert isinstance(failure, UnreadableAnswer)
    assert "larger" in failure.message


def test_it_stops_reading_a_body_that_is_too_large(connect, monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST_BODY", 1000)
    with serving(answer(response(b'"' + b"x" * 2000 + b'"'))) as server:
        failure = failure_of(connect(server.base()), "GET")
    assert isinstance(failure, UnreadableAnswer)
    assert not failure.retryable


def test_a_trickling_body_does_not_outlast_the_patience(connect):
    def trickle(server, connection):
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            if server.release.wait(0.01):
                return

    started = time.monotonic()
    with serving(trickle) as server:
        failure = failure_of(connect(server.base(), HURRY))
    assert isinstance(failure, AnswerLost)
    assert "in time" in failure.message
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("ending", ["", "Connection: close\r\n"])
@pytest.mark.parametrize("start", [b"", b"{"])
def test_a_body_that_stalls_is_given_only_what_remains(connect, start, ending):
    patience = Patience(tries=1, seconds=0.25, connect_timeout=0.1, read_timeout=5)

    def stall(server, connection):
        server.read_request(connection)
        if not server.release.wait(0.2):
            head = f"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n{ending}\r\n"
            connection.sendall(head.encode() + start)
            stay_silent(server, connection)

    with serving(stall) as server:
        started = time.monotonic()
        failure = failure_of(connect(server.base(), patience))
        took = time.monotonic() - started
    assert isinstance(failure, AnswerLost)
    assert took < 0.4


def test_an_answer_that_ends_its_connection_is_read_with_all_of_the_patience(connect):
    def act(server, connection):
        connection.recv(65536)
        connection.sendall(FINE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    # One try may take all the time there is, as a last try does.
    whole = Patience(tries=1, seconds=2, connect_timeout=2, read_timeout=2)
    with serving(act) as server:
        assert connect(server.base(), whole).request("GET", "/keys") == {"data": 1}


def test_it_keeps_a_connection_for_the_next_call(connect):
    def twice(server, connection):
        for _ in range(2):
            server.read_request(connection)
            connection.sendall(FINE)

    with serving(twice) as server:
        client = connect(server.base())
        client.request("GET", "/key")
        client.request("GET", "/key")
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_kept_connection_that_breaks_while_used_counts_as_sent(connect):
    def once(server, connection):
        server.read_request(connection)
        connection.sendall(FINE)
        server.read_request(connection)
        reset(connection)

    with serving(once) as server:
        client = connect(server.base())
        client.request("GET", "/key")
        failure = failure_of(client)
    assert isinstance(failure, AnswerLost)
    assert failure.outcome_unknown
