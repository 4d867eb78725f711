"""Whom the client trusts and what it shows to whom: certificates, proxies, redirects, its key."""

from __future__ import annotations

import pytest

from orgadmin.openrouter.errors import (
    AnswerLost,
    NotSent,
    ServerFailure,
    UnreadableAnswer,
)
from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter
from tests.openrouter.cast import RAW_KEY
from tests.openrouter.certificate import server_context
from tests.openrouter.connecting import (
    FINE,
    HURRY,
    TWICE,
    answer,
    failure_of,
    read_then_hang_up,
    read_then_reset,
    reset_in_handshake,
    serving,
    stay_silent,
)
from tests.openrouter.socket_server import response


def test_an_untrusted_certificate_means_not_sent(connect, tmp_path):
    context, _ = server_context(tmp_path)
    with serving(stay_silent, tls=context) as server:
        failure = failure_of(connect(server.base(scheme="https")))
    assert isinstance(failure, NotSent)
    assert "certificate" in failure.message
    assert server.requests == []


@pytest.mark.parametrize("act", [reset_in_handshake, stay_silent, answer(FINE)])
def test_a_handshake_that_fails_means_not_sent(connect, act):
    """A server that resets, stays silent or speaks plain HTTP: the TLS connection never stood."""
    with serving(act) as server:
        failure = failure_of(connect(server.base(scheme="https"), HURRY))
    assert isinstance(failure, NotSent)
    assert not failure.outcome_unknown
    assert server.requests == []


def test_after_the_handshake_a_break_counts_as_sent(connect, session, tmp_path):
    context, trusted = server_context(tmp_path)
    session.verify = str(trusted)
    with serving(answer(FINE), read_then_hang_up, tls=context) as server:
        client = connect(server.base(scheme="https"))
        assert client.request("GET", "/key") == {"data": 1}
        failure = failure_of(client)
    assert isinstance(failure, AnswerLost)
    assert failure.outcome_unknown


def test_a_proxy_that_refuses_the_tunnel_means_not_sent(connect, session):
    with serving(answer(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as server:
        session.proxies = {"https": f"http://127.0.0.1:{server.port}"}
        failure = failure_of(connect("https://openrouter.invalid/api/v1"))
    assert isinstance(failure, NotSent)
    assert "proxy" in failure.message
    assert server.requests[0].startswith(b"CONNECT openrouter.invalid:443")
    assert RAW_KEY.encode() not in server.requests[0]


def test_a_request_through_a_proxy_counts_as_sent(connect, session):
    with serving(read_then_reset) as server:
        session.proxies = {"http": f"http://127.0.0.1:{server.port}"}
        failure = failure_of(connect("http://openrouter.invalid/api/v1"))
    assert isinstance(failure, AnswerLost)
    assert server.requests[0].startswith(b"POST http://openrouter.invalid/api/v1/keys")


def test_it_does_not_follow_a_redirect_with_the_key(connect):
    with serving(answer(FINE)) as elsewhere:
        moved = response(b"", status="302 Found", headers=f"Location: {elsewhere.base()}\r\n")
        with serving(answer(moved)) as server:
            failure = failure_of(connect(server.base()))
    assert isinstance(failure, UnreadableAnswer)
    assert failure.status == 302
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "location", ["http://[bad", "\xff\xfe", "gopher://x", "http://openrouter.invalid:99999/"]
)
def test_a_hostile_redirect_does_not_make_a_create_look_unsent(connect, location):
    moved = response(b"", status="307 Temporary Redirect", headers=f"Location: {location}\r\n")
    with serving(answer(moved), answer(FINE)) as server:
        failure = failure_of(connect(server.base(), TWICE))
    assert isinstance(failure, UnreadableAnswer)
    assert failure.outcome_unknown
    assert len(server.requests) == 1


def test_it_shows_its_key_to_the_server_and_to_nobody_else(connect):
    with serving(read_then_reset) as server:
        failure = failure_of(connect(server.base()))
    assert f"Authorization: Bearer {RAW_KEY}".encode() in server.requests[0]
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert RAW_KEY not in repr(vars(failure)) + str(failure) + repr(failure)


def test_a_netrc_file_does_not_replace_the_key(connect, session, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "*")
    session.trust_env = True
    with serving(answer(FINE)) as server:
        connect(server.base()).request("GET", "/key")
    assert f"Authorization: Bearer {RAW_KEY}".encode() in server.requests[0]


def test_it_returns_no_cookies(connect):
    def twice(server, connection):
        for _ in range(2):
            server.read_request(connection)
            connection.sendall(response(b"{}", headers="Set-Cookie: __cf_bm=abc; Path=/\r\n"))

    with serving(twice) as server:
        client = connect(server.base())
        client.request("GET", "/key")
        client.request("GET", "/key")
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_a_session_of_unknown_make_is_never_believed_to_have_kept_silent():
    """Without our connections a failed handshake looks like a lost answer, so it is taken for the worse."""
    import requests

    with serving(reset_in_handshake) as server, requests.Session() as plain:
        plain.trust_env = False
        client = OpenRouter(
            base_url=server.base(scheme="https"), key=Secret(RAW_KEY), patience=HURRY, session=plain
        )
        failure = failure_of(client)
    assert isinstance(failure, AnswerLost)
    assert failure.outcome_unknown


def test_a_server_failure_leaves_the_kept_connection_usable(connect):
    def twice(server, connection):
        server.read_request(connection)
        connection.sendall(response(b"<html>oops</html>", status="502 Bad Gateway"))
        server.read_request(connection)
        connection.sendall(FINE)

    with serving(twice) as server:
        client = connect(server.base())
        assert isinstance(failure_of(client, "GET"), ServerFailure)
        assert client.request("GET", "/key") == {"data": 1}
    assert server.connections == 1
