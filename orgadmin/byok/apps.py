from __future__ import annotations

from django.apps import AppConfig


class ByokConfig(AppConfig):
    name = "orgadmin.byok"
    label = "byok"

    def ready(self) -> None:
        from orgadmin.byok import allow_lists, restoring  # noqa: F401 (each registers what it knows)
