from __future__ import annotations

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "orgadmin.keys"
    label = "keys"

    def ready(self) -> None:
        # Workers must know what a job of ours does even if no page was ever opened.
        from orgadmin.keys import bulk  # noqa: F401
