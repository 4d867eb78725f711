from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from orgadmin.openrouter import wire


@pytest.fixture
def _fresh(monkeypatch):
    monkeypatch.setattr(wire, "_shared", None)
    yield
    if wire._shared is not None:
        wire._shared.close()


@pytest.mark.usefixtures("_fresh")
def test_a_process_has_one_session():
    with ThreadPoolExecutor(4) as pool:
        sessions = {id(session) for session in pool.map(lambda _: wire.shared_session(), range(20))}
    assert len(sessions) == 1


@pytest.mark.usefixtures("_fresh")
def test_a_forked_process_opens_its_own():
    ours = wire.shared_session()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"ours" if wire.shared_session() is ours else b"own")
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"own"


def test_it_never_retries_by_itself(session):
    adapter = session.get_adapter("https://openrouter.ai")
    assert isinstance(adapter, wire.TellingAdapter)
    assert adapter.max_retries.total == 0
