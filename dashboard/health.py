"""``/healthz`` and ``/readyz``, answered before any other middleware: a probe has no session, no allowed host
name and no TLS.

``/healthz`` says only that the process answers. ``/readyz`` asks what pages and work need, and says nothing
but the state of each part: no addresses, no error texts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

Handler = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)

# Probes of several load balancers in the same moment share one answer.
FRESH_SECONDS = 1.5
# A part that has not answered by then is down for the probe, whatever its own time limits are.
PATIENCE_SECONDS = 1
# The first question of a process also loads the drivers, which takes a small machine that is starting long.
FIRST_PATIENCE_SECONDS = 5
OK, DOWN, SLOW, PENDING = "ok", "down", "no answer", "pending"


class HealthMiddleware:
    """Must stand first in MIDDLEWARE, before hosts are checked and plain HTTP is redirected."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self._readiness = Readiness()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in {"/healthz", "/readyz"}:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = self._alive() if request.path_info == "/healthz" else self._ready()
        response["Cache-Control"] = "no-store"
        return response

    def _alive(self) -> HttpResponse:
        return HttpResponse("ok", content_type="text/plain")

    def _ready(self) -> HttpResponse:
        states = self._readiness.states()
        return JsonResponse(states, status=200 if set(states.values()) == {OK} else 503)


@dataclass
class _Asking:
    """One question under way. A hung one is not asked a second time beside it."""

    thread: threading.Thread
    answer: str = SLOW


class Readiness:
    """The state of each part by name: "ok", "down", "no answer", or "pending" (migrations to apply)."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._questions: dict[str, Callable[[], str]] = {
            "database": _database,
            "migrations": _Migrations(),
            "broker": _broker,
            "cache": _cache,
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._asking: dict[str, _Asking] = {}
        self._states: dict[str, str] = {}
        self._asked_at = float("-inf")

    def states(self) -> dict[str, str]:
        """At most ``FRESH_SECONDS`` old; takes ``PATIENCE_SECONDS`` and a little, the first time longer."""
        with self._lock:
            if self._clock() - self._asked_at >= FRESH_SECONDS:
                before, self._states = self._states, self._ask_all()
                self._asked_at = self._clock()
                if before != self._states:
                    say = log.info if set(self._states.values()) == {OK} else log.warning
                    say("readiness changed", **self._states)
            return dict(self._states)

    def _ask_all(self) -> dict[str, str]:
        for name, question in self._questions.items():
            there = self._asking.get(name)
            if there is None or not there.thread.is_alive():
                self._asking[name] = self._ask(name, question)
        until = time.monotonic() + (PATIENCE_SECONDS if self._states else FIRST_PATIENCE_SECONDS)
        for asking in self._asking.values():
            asking.thread.join(max(0.0, until - time.monotonic()))
        return {name: asking.answer for name, asking in self._asking.items()}

    def _ask(self, name: str, question: Callable[[], str]) -> _Asking:
        def run() -> None:
            try:
                asking.answer = question()
            except Exception as error:  # every failure of a part means the same to a probe
                log.debug("not ready", part=name, error=type(error).__name__)
                asking.answer = DOWN
            finally:
                # The connection belongs to this thread and would stay open with it gone.
                connection.close()

        asking = _Asking(threading.Thread(target=run, name=f"readyz-{name}", daemon=True))
        asking.thread.start()
        return asking


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return OK


class _Migrations:
    """Reading the whole migration graph is slow, and what is applied stays so while this process lives."""

    def __init__(self) -> None:
        self._applied = False

    def __call__(self) -> str:
        if not self._applied:
            executor = MigrationExecutor(connection)
            self._applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return OK if self._applied else PENDING


def _broker() -> str:
    from dashboard.celery import app

    with app.connection_for_write(connect_timeout=PATIENCE_SECONDS) as broker:
        broker.ensure_connection(max_retries=0, timeout=PATIENCE_SECONDS)
    return OK


def _cache() -> str:
    cache.set("readyz", "1", 30)
    return OK if cache.get("readyz") == "1" else DOWN
