"""What the workers of these tests run with: the product's settings, and a queue nobody else listens to."""

from __future__ import annotations

import os

from dashboard import settings as product
from dashboard.settings import *  # noqa: F403
from tests.workers.queue_options import own_corner

CELERY_TASK_DEFAULT_QUEUE = os.environ["WORKERS_TEST_QUEUE"]
CELERY_BROKER_TRANSPORT_OPTIONS = own_corner(
    product.CELERY_BROKER_URL, product.CELERY_BROKER_TRANSPORT_OPTIONS, CELERY_TASK_DEFAULT_QUEUE
)
