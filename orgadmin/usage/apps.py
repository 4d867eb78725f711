from __future__ import annotations

from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "orgadmin.usage"
    label = "usage"

    def ready(self) -> None:
        from orgadmin.usage.kinds import register_all

        register_all()
