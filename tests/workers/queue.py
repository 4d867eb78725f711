"""The queue between this process and the workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from kombu import pools

from dashboard.celery import app
from tests.workers.queue_options import own_corner

# Celery reads this before its own configuration.
URL = "CELERY_BROKER_URL"


@contextmanager
def sending_to(url: str, queue: str) -> Iterator[None]:
    """This process's tasks go to that broker and queue; what is left of the queue is gone afterwards."""
    before = os.environ.get(URL), app.conf.task_default_queue, app.conf.broker_transport_options
    _set(url, queue, own_corner(url, before[2], queue))
    try:
        yield
        _clear(url, queue)
    finally:
        _set(*before)


def _set(url: str | None, queue: str, options: dict[str, Any]) -> None:
    os.environ.pop(URL, None)
    if url is not None:
        os.environ[URL] = url
    app.conf.task_default_queue = queue
    app.conf.broker_transport_options = options
    # What was made for the last broker and queue is made anew when it is next used.
    pools.reset()
    app._pool = None  # type: ignore[attr-defined]  # the stubs know only what is public
    app.__dict__.pop("amqp", None)


def _clear(url: str, queue: str) -> None:
    if not url.startswith("redis"):
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(queue)  # type: ignore[attr-defined]
        return
    with redis.Redis.from_url(url.replace("redis+socket://", "unix://")) as client:
        for key in client.scan_iter(f"{queue}:*"):
            client.delete(key)
