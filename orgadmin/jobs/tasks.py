"""Celery's doors to jobs: ids in, one service call."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import transaction

from orgadmin.jobs import services
from orgadmin.jobs.models import Job

log = structlog.get_logger(__name__)


@shared_task(name="jobs.run")
def run(job_id: int, turn: int | None = None) -> None:
    services.run_job(job_id=job_id, turn=turn)


@shared_task(name="jobs.sweep")
def sweep() -> None:
    services.sweep()


def ring(job: Job) -> None:
    """Wake a worker for the job's next slice once its rows are committed; the sweep rings again if nobody
    hears."""
    transaction.on_commit(lambda: _ring(job.pk, job.turn))


def _ring(job_id: int, turn: int) -> None:
    try:
        run.delay(job_id, turn)
    except run.OperationalError as error:
        log.warning("no broker; the sweep will ring again", error=type(error).__name__)
