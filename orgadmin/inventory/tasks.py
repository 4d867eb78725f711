"""Celery's doors: ids in, one service call. The queue is a doorbell; what is to do stands in rows."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import transaction

from orgadmin.inventory import services
from orgadmin.inventory.models import SyncRun

log = structlog.get_logger(__name__)


@shared_task(name="inventory.pull")
def pull(run_id: int) -> None:
    services.run_pull(run_id=run_id)


@shared_task(name="inventory.sweep")
def sweep() -> None:
    services.sweep()


def ring(run: SyncRun) -> None:
    """Wake a worker for a run once its row is committed. A broker that is down costs a delay, nothing else:
    the sweep rings again."""
    transaction.on_commit(lambda: _ring(run.pk))


def _ring(run_id: int) -> None:
    try:
        pull.delay(run_id)
    except pull.OperationalError as error:
        log.warning("no broker; the sweep will ring again", error=type(error).__name__)
