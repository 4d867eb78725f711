"""A signed-in browser without a window: one kept connection, whole answers, the time each took."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Answer:
    """One answer. ``seconds`` from the first byte sent to the last received; ``body`` as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def without_body(self) -> Answer:
        return replace(self, body=b"")


class Visitor:
    def __init__(self, port: int, session: str) -> None:
        self._port = port
        self._cookie = f"dashboard_session={session}"
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, *, encoding: str = "", **headers: str) -> Answer:
        """Fetch a page, once more if the server closed the idle connection. RuntimeError unless 200."""
        sent = {"Cookie": self._cookie, "Accept-Encoding": encoding or "identity", **headers}
        try:
            answer = self._get(path, sent)
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection = None
            answer = self._get(path, sent)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:300]!r}")
        return answer

    def _get(self, path: str, headers: Mapping[str, str]) -> Answer:
        connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        self._connection = connection
        began = time.perf_counter()
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        body = response.read()
        seconds = time.perf_counter() - began
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, body, seconds)

    def lines(self, path: str) -> tuple[int, float]:
        """How many lines a page has that is too long to keep, and the seconds it took."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": self._cookie, "Accept-Encoding": "identity"})
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}")
        count = 0
        while chunk := response.read(2**16):
            count += chunk.count(b"\n")
        connection.close()
        return count, time.perf_counter() - began
