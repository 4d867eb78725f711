"""Rows that several tests find, made once: for tests that only read what took long to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def standing(blocker: DjangoDbBlocker) -> Iterator[None]:
    """What the block writes stays until it is left, and is taken back then.

    For a fixture of a module: each test writes into a transaction of its own inside of this one, which is
    rolled back as ever, so that every test finds the same rows. The fixture writes under ``blocker.unblock``.
    """
    point = transaction.atomic()
    # OpenRouter is never called inside a transaction of ours; this one is the tests'.
    point._from_testcase = True  # type: ignore[attr-defined]
    with blocker.unblock():
        point.__enter__()
    try:
        yield
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            point.__exit__(None, None, None)
