from __future__ import annotations

import pytest

from orgadmin.openrouter.secret import Secret
from orgadmin.openrouter.transport import OpenRouter, Patience
from orgadmin.openrouter.wire import new_session
from tests.openrouter.cast import BASE, RAW_KEY, FakeTime, client_at
from tests.openrouter.connecting import STEADY


@pytest.fixture
def fake_time():
    return FakeTime()


@pytest.fixture
def session():
    """A session of our own making, closed at the end so that no socket outlives its test."""
    with new_session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def client(session, fake_time):
    """A client whose clock only moves when it waits, for answers played by `responses`."""
    return client_at(BASE, session=session, fake_time=fake_time)


@pytest.fixture
def connect(session):
    def connect(base_url: str, patience: Patience = STEADY) -> OpenRouter:
        return OpenRouter(
            base_url=base_url,
            key=Secret(RAW_KEY),
            patience=patience,
            session=session,
            sleep=lambda seconds: None,
            rand=lambda: 0.0,
        )

    return connect
