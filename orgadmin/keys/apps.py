from __future__ import annotations

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "orgadmin.keys"
    label = "keys"

    def ready(self) -> None:
        # Workers must know what a job of ours does even if no page was ever opened.
        from orgadmin.inventory.leavers import register
        from orgadmin.keys import bulk, restoring  # noqa: F401
        from orgadmin.keys.leaving import rotations_under_way

        register(rotations_under_way)
