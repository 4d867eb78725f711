"""Faults, over real sockets: the threaded server of the tests and gunicorn in its own process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

from orgadmin.sandbox.app import Options, Sandbox
from orgadmin.sandbox.server import management_key
from tests.sandbox_server import running_sandbox

SERVE = (
    "import sys; from orgadmin.sandbox.app import Options; from orgadmin.sandbox.server import serve;"
    "serve(Options(keys=5, members=3, workspaces=2), port=int(sys.argv[1]))"
)


class Line:
    """Speaks plain HTTP to a sandbox on a port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {management_key(7)}", "Content-Type": "application/json"}

    @contextmanager
    def open(self, method: str, path: str, body: Any = None) -> Iterator[HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), self.headers)
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        with self.open(method, path, body) as response:
            return response.status, json.loads(response.read())

    def fault(self, **fields: Any) -> None:
        assert self.call("POST", "/_sandbox/faults", fields)[0] == 200

    def names(self) -> set[str]:
        return {key["name"] for key in self.call("GET", "/api/v1/keys")[1]["data"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended early"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up")


@pytest.fixture(scope="module")
def gunicorn_port() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], cwd=Path(__file__).parents[2])
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.fixture(scope="module")
def threaded_port() -> Iterator[int]:
    with running_sandbox(Options(keys=5, members=3, workspaces=2)) as running:
        yield int(running.url.split(":")[2].split("/")[0])


@pytest.fixture(params=["threaded_port", "gunicorn_port"])
def line(request: pytest.FixtureRequest) -> Line:
    line = Line(request.getfixturevalue(request.param))
    line.call("POST", "/_sandbox/reset")
    return line


def test_a_connection_drops_before_the_change(line: Line) -> None:
    line.fault(kind="drop_before", method="POST", path="/keys")
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        line.call("POST", "/api/v1/keys", {"name": "lost"})
    assert "lost" not in line.names()


def test_a_connection_drops_after_the_change(line: Line) -> None:
    line.fault(kind="drop_after", method="POST", path="/keys")
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        line.call("POST", "/api/v1/keys", {"name": "made"})
    assert "made" in line.names()
    last = line.call("GET", "/_sandbox/requests")[1]["last"]
    assert [seen["status"] for seen in last if seen["method"] == "POST"] == [None]


def test_an_answer_is_cut_in_the_middle(line: Line) -> None:
    line.fault(kind="cut", path="/keys")
    with line.open("GET", "/api/v1/keys") as response, pytest.raises((IncompleteRead, ConnectionError)):
        response.read()
    assert line.call("GET", "/api/v1/keys")[0] == 200


def test_an_answer_is_whole_but_its_json_is_not(line: Line) -> None:
    line.fault(kind="truncated", path="/credits")
    with pytest.raises(json.JSONDecodeError):
        line.call("GET", "/api/v1/credits")


def test_a_delay_comes_before_or_after_the_change(line: Line) -> None:
    line.fault(kind="delay", seconds=0.15, after=True, path="/keys", method="POST")
    started = time.monotonic()
    assert line.call("POST", "/api/v1/keys", {"name": "late"})[0] == 201
    assert time.monotonic() - started >= 0.15
    assert "late" in line.names()


def test_a_status_comes_with_its_headers_and_envelope(line: Line) -> None:
    line.fault(kind="status", status=429, headers={"Retry-After": "3"}, message="Slow down", path="/keys*")
    with line.open("POST", "/api/v1/keys", {"name": "refused"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "3")
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert json.loads(response.read()) == {"error": {"code": 429, "message": "Slow down"}}
    assert "refused" not in line.names()


@pytest.mark.parametrize("status", [400, 401, 500, 502, 503, 524, 529])
def test_any_status_has_an_envelope(line: Line, status: int) -> None:
    line.fault(kind="status", status=status)
    answered, body = line.call("GET", "/api/v1/key")
    assert (answered, body["error"]["code"]) == (status, status)
    assert body["error"]["message"]


def test_a_status_can_come_although_the_change_was_made(line: Line) -> None:
    line.fault(kind="status", status=504, after=True, method="POST")
    assert line.call("POST", "/api/v1/keys", {"name": "made anyway"})[0] == 504
    assert "made anyway" in line.names()


def test_the_edge_answers_html(line: Line) -> None:
    line.fault(kind="html")
    with line.open("GET", "/api/v1/keys") as response:
        assert (response.status, response.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
        assert response.read().startswith(b"<!DOCTYPE html>")


def test_new_fields_and_new_words_appear(line: Line) -> None:
    line.fault(kind="extra_field")
    body = line.call("GET", "/api/v1/organization/members")[1]
    assert all("sandbox_extra" in row for row in [body, *body["data"]])
    line.fault(kind="unknown_enum")
    body = line.call("GET", "/api/v1/organization/members")[1]
    assert {row["role"] for row in body["data"]} == {"org:auditor"}


def test_a_fault_is_met_as_often_as_told_and_only_where_it_belongs(line: Line) -> None:
    line.fault(kind="status", status=500, times=2, method="GET", path="/keys/*")
    assert line.call("GET", "/api/v1/keys")[0] == 200
    answers = [line.call("GET", "/api/v1/keys/x")[0] for _ in range(3)]
    assert answers == [500, 500, 404]
    assert line.call("GET", "/_sandbox/faults")[1] == {"faults": []}


def test_faults_are_taken_back(line: Line) -> None:
    line.fault(kind="html", times=5)
    assert line.call("DELETE", "/_sandbox/faults")[1] == {"faults": []}
    assert line.call("GET", "/api/v1/key")[0] == 200


@pytest.mark.parametrize(
    "fields", [{}, {"kind": "flood"}, {"kind": "status"}, {"kind": "html", "colour": 1}, 5]
)
def test_a_fault_nobody_knows_is_refused(line: Line, fields: Any) -> None:
    assert line.call("POST", "/_sandbox/faults", fields)[0] == 400
    assert line.call("POST", "/_sandbox/faults", [{"kind": "html"}, fields])[0] == 400
    assert line.call("GET", "/_sandbox/faults")[1] == {"faults": []}


def test_closing_ends_a_running_delay() -> None:
    sandbox = Sandbox(Options(keys=1))
    sandbox.close()
    started = time.monotonic()
    sandbox._closing.wait(30)
    assert time.monotonic() - started < 1


def test_it_ends_cleanly_on_both_signals_and_says_nothing_was_lost(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    code = SERVE.replace("workspaces=2", "workspaces=2, state=__import__('pathlib').Path(sys.argv[2])")
    for sign in (signal.SIGTERM, signal.SIGINT):
        port = free_port()
        process = subprocess.Popen([sys.executable, "-c", code, str(port), str(state)])
        wait_for(port, process)
        line = Line(port)
        assert line.call("POST", "/api/v1/keys", {"name": sign.name})[0] == 201
        os.kill(process.pid, sign)
        assert process.wait(timeout=10) == 0
    kept = Sandbox(Options(keys=5, members=3, workspaces=2, state=state))
    assert {"SIGTERM", "SIGINT"} <= {key["name"] for key in kept.every_key()}
