"""The pooled session, and connections that know whether a request has left the house.

`requests` reports a failed TLS handshake and an answer cut off half-way by the same exception. Only the
connection knows which it was, and whether a create may be repeated hangs on it.
"""

from __future__ import annotations

import os
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from orgadmin.openrouter.secret import Secret

POOLED_HOSTS = 8
POOLED_CONNECTIONS = 16

_journey = threading.local()
_lock = threading.Lock()
_shared: requests.Session | None = None


def assume_sent() -> None:
    """Begin a try of this thread: until a connection of ours says otherwise, bytes count as sent."""
    _journey.sent = True
    _journey.socket = None


def was_sent() -> bool:
    """False only when a connection of ours was opened in this try and the request never got onto it."""
    sent: bool = getattr(_journey, "sent", True)
    return sent


def shorten_wait(seconds: float) -> None:
    """Let the connection of this thread's try wait no longer than `seconds` for its next bytes."""
    used = getattr(_journey, "socket", None)
    # Closed already where the server ends the connection with its answer, which may be here in whole.
    if used is not None and used.fileno() >= 0 and (used.gettimeout() or seconds) >= seconds:
        used.settimeout(seconds)


class _Telling(HTTPConnection):
    opening = False

    def connect(self) -> None:
        _journey.sent = False
        self.opening = True
        super().connect()
        self.opening = False

    def send(self, data: Any) -> None:
        if self.sock is None and self.auto_open:
            self.connect()
        # While it opens, a connection speaks to a proxy: that is not yet our request.
        if not self.opening:
            _journey.sent = True
            _journey.socket = self.sock
        super().send(data)


class TellingHTTPSConnection(_Telling, HTTPSConnection):
    pass


class TellingHTTPPool(HTTPConnectionPool):
    ConnectionCls = _Telling


class TellingHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = TellingHTTPSConnection


TELLING_POOLS = {"http": TellingHTTPPool, "https": TellingHTTPSPool}


class TellingAdapter(HTTPAdapter):
    """Pools connections that tell whether they sent. Never retries by itself: `transport` decides that."""

    def __init__(self) -> None:
        super().__init__(pool_connections=POOLED_HOSTS, pool_maxsize=POOLED_CONNECTIONS, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = TELLING_POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = TELLING_POOLS
        return manager


class Bearer(AuthBase):
    """Puts the key on the request at the last moment. Being an auth object it also keeps `requests` from
    replacing the header by what a .netrc file says about the host."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request


class Nobody(AuthBase):
    """Puts no key on the request; there all the same, so that no .netrc file puts one."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _StayingSession(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere: a redirect is an answer like any other.

        Even when told not to follow, `requests` reads a redirect's whole body and parses its address. That is
        more than we promised to read, and its errors come after sending but look as if they came before.
        """
        return None


def new_session() -> requests.Session:
    """A session with our adapter that keeps no cookies: organizations share it, but nothing else."""
    session = _StayingSession()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, TellingAdapter())
    return session


def shared_session() -> requests.Session:
    """The one session of this process, made at first use."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = new_session()
        return _shared


def _forget_after_fork() -> None:
    # A forked worker that spoke over its parent's sockets would read its parent's answers.
    global _shared, _lock
    _lock = threading.Lock()
    _shared = None


os.register_at_fork(after_in_child=_forget_after_fork)
