"""The vendor's client, talking to a sandbox over a real socket, with its retries switched off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openrouter import OpenRouter

from tests.sandbox_server import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def contract_server() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def running(contract_server: RunningSandbox) -> RunningSandbox:
    contract_server.sandbox.reset()
    return contract_server


@pytest.fixture
def sdk(running: RunningSandbox) -> Iterator[OpenRouter]:
    """With the management key."""
    with OpenRouter(
        api_key=running.sandbox.management_key, server_url=running.url, retry_config=None
    ) as client:
        yield client


@pytest.fixture
def inference_sdk(running: RunningSandbox) -> Iterator[OpenRouter]:
    """With an ordinary key."""
    with OpenRouter(
        api_key=running.sandbox.inference_key, server_url=running.url, retry_config=None
    ) as client:
        yield client
