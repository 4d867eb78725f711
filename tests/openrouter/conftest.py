from __future__ import annotations

import pytest

from orgadmin.openrouter.wire import new_session
from tests.openrouter.cast import BASE, FakeTime, client_at


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
