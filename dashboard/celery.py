"""The Celery app and its beat schedule: the only clock of the house.

Beat rings one bell. What is due is decided from rows (``inventory`` and ``jobs``), so a bell that rings
twice, late or not at all loses nothing: the next one finds what is still to do.
"""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

from django.conf import settings

app = Celery("dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "sweep pulls": {
        "task": "inventory.sweep",
        "schedule": settings.SWEEP_SECONDS,
        "options": {"expires": settings.SWEEP_SECONDS * 2},
    },
    "sweep jobs": {
        "task": "jobs.sweep",
        "schedule": settings.SWEEP_SECONDS,
        "options": {"expires": settings.SWEEP_SECONDS * 2},
    },
}


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery would replace the handlers that mask secrets; answering this signal stops it."""
