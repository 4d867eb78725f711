"""The production settings, with Django's own admin beside the pages, for comparison on the same server."""

from __future__ import annotations

from dashboard import settings as product
from dashboard.settings import *  # noqa: F403

INSTALLED_APPS = [*product.INSTALLED_APPS, "django.contrib.admin"]
ROOT_URLCONF = "tests.bench.urls"
MIDDLEWARE = ["tests.bench.effort.EffortMiddleware", *product.MIDDLEWARE]
