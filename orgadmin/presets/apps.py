from __future__ import annotations

from django.apps import AppConfig


class PresetsConfig(AppConfig):
    name = "orgadmin.presets"
    label = "presets"

    def ready(self) -> None:
        from orgadmin.presets import restoring  # noqa: F401
