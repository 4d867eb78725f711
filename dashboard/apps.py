"""The Django project as an app, so that its management commands are found."""

from __future__ import annotations

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        # The Celery app must exist before any task module is imported by a view.
        from dashboard import celery  # noqa: F401

        # Workers must know what a job of ours does even if no page was ever opened.
        from dashboard.analytics import jobs  # noqa: F401
