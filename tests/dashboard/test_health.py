"""What a load balancer's probe sees."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard import health
from dashboard.health import HealthMiddleware, Readiness

ALL_OK = {"database": "ok", "migrations": "ok", "broker": "ok", "cache": "ok"}


def page(_: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


def ask(path: str, method: str = "GET", **headers: Any) -> HttpResponse:
    request = getattr(RequestFactory(), method.lower())(path, **headers)
    return HealthMiddleware(page)(request)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says what the broker answers, in place of a real one."""

    def answers(state: str) -> None:
        monkeypatch.setattr(health, "_broker", lambda: state)

    answers("ok")
    return answers


@pytest.fixture
def _database_for_threads(transactional_db: None) -> None:
    """The parts are asked by threads of their own, which see only what is committed."""


def test_alive_needs_nothing() -> None:
    response = ask("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert response["Cache-Control"] == "no-store"


def test_other_paths_go_on() -> None:
    assert ask("/").content == b"a page"
    assert ask("/healthz/").content == b"a page"


def test_an_unknown_host_and_plain_http_do_not_matter(settings: Any, client: Client) -> None:
    """Through all middleware, as the load balancer would: its probe names the machine, not the site."""
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz", headers={"host": "10.0.0.7:8000"})
    assert (response.status_code, response.content) == (200, b"ok")
    assert not response.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_answered(path: str) -> None:
    assert ask(path, "POST").status_code == 405


@pytest.mark.usefixtures("_database_for_threads", "broker")
def test_ready_when_every_part_answers() -> None:
    response = ask("/readyz")
    assert response.status_code == 200
    assert json.loads(response.content) == ALL_OK
    assert response["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_database_for_threads")
def test_not_ready_without_the_broker_and_no_address_is_told(settings: Any, monkeypatch: Any) -> None:
    from dashboard.celery import app

    with app.connection_for_write("redis://:hunter2@127.0.0.1:1/0") as dead:
        monkeypatch.setattr(app, "connection_for_write", lambda **_: dead)
        response = ask("/readyz")
    assert response.status_code == 503
    assert json.loads(response.content) == {**ALL_OK, "broker": "down"}
    assert b"127.0.0.1" not in response.content
    assert b"hunter2" not in response.content


@pytest.mark.usefixtures("_database_for_threads", "broker")
def test_not_ready_while_migrations_are_to_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("a migration", False)])
    assert json.loads(ask("/readyz").content) == {**ALL_OK, "migrations": "pending"}


def _answers(**states: Callable[[], str]) -> Readiness:
    readiness = Readiness(clock=lambda: 0.0)
    readiness._questions = dict(states)
    return readiness


def test_a_part_that_hangs_is_named_and_not_asked_again_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(health, "FIRST_PATIENCE_SECONDS", 0.1)
    release, asked = threading.Event(), []

    def hangs() -> str:
        asked.append(1)
        release.wait(5)
        return "ok"

    now = [0.0]
    readiness = _answers(database=hangs, cache=lambda: "ok")
    readiness._clock = lambda: now[0]
    for now[0] in (0.0, 10.0, 20.0):
        assert readiness.states() == {"database": "no answer", "cache": "ok"}
    assert len(asked) == 1
    release.set()


def test_probes_in_the_same_moment_share_one_answer() -> None:
    asked = []

    def counts() -> str:
        asked.append(1)
        return "ok"

    now = [0.0]
    readiness = _answers(cache=counts)
    readiness._clock = lambda: now[0]
    for now[0] in (0.0, 1.0, 1.4, 1.6):
        readiness.states()
    assert len(asked) == 2


def test_an_error_is_a_state_and_no_text() -> None:
    def fails() -> str:
        raise ConnectionError("redis://:hunter2@10.0.0.9")

    assert _answers(cache=fails).states() == {"cache": "down"}
