"""The stage of the worker tests: a database, a broker and a queue that other processes can reach."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from orgadmin.accounts.models import Organization
from orgadmin.openrouter.secret import Secret
from tests.conftest import Sync
from tests.sandbox_server import RunningSandbox
from tests.workers.broker import running_valkey
from tests.workers.crew import Crew
from tests.workers.database import empty, shared_database
from tests.workers.queue import sending_to


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.worker)
            # Side by side they would share the database, the queue and two cores.
            item.add_marker(pytest.mark.xdist_group("workers"))


@dataclass(frozen=True)
class House:
    """What the processes of these tests share; ``env`` is all they need to know."""

    env: dict[str, str]


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """The broker of CELERY_BROKER_URL, else a Valkey of our own."""
    given = os.environ.get("CELERY_BROKER_URL", "")
    if given:
        yield given
        return
    with running_valkey() as valkey:
        yield valkey.url


@pytest.fixture(scope="session")
def house(
    broker_url: str, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with django_db_blocker.unblock(), shared_database(folder) as database_url:
        yield House(environment(folder, broker_url, database_url))


def environment(folder: Path, broker_url: str, database_url: str) -> dict[str, str]:
    """The processes' environment. The clock looks every second; what is due is a matter of rows."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.workers.settings",
        "WORKERS_TEST_QUEUE": f"dashboard-tests-{os.getpid()}",
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": broker_url,
        "CACHE_URL": "locmem://",
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "SWEEP_SECONDS": "1",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(autouse=True)
def bells(house: House) -> Iterator[None]:
    """Here bells are rung for real: this process sends to the same queue the workers listen to."""
    with sending_to(house.env["CELERY_BROKER_URL"], house.env["WORKERS_TEST_QUEUE"]):
        yield


@pytest.fixture
def organization(house: House, sandbox: RunningSandbox) -> Organization:
    """The only one there is; connected to the sandbox, nothing pulled yet."""
    empty()
    raw = sandbox.sandbox.management_key
    return Organization.objects.create(
        name="Acme Research",
        slug="acme",
        base_url=sandbox.url,
        management_key=Secret(raw),
        key_label="sk-or-v1-mgm...0001",
        key_hash=hashlib.sha256(raw.encode()).hexdigest(),
    )


@pytest.fixture
def synced(organization: Organization, sync: Sync) -> Organization:
    """Pulled once, for real: there are others at work here."""
    sync()
    return organization


@pytest.fixture
def crew(house: House, organization: Organization, tmp_path: Path) -> Iterator[Crew]:
    """Processes for one test, ended with it; the report of a failed test shows what they said."""
    crew = Crew(tmp_path, house.env)
    try:
        yield crew
    finally:
        crew.end()
        sys.stdout.write(crew.words())
