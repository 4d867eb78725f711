from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InventoryConfig(AppConfig):
    name = "orgadmin.inventory"
    label = "inventory"

    def ready(self) -> None:
        # The nouns come first among the kinds of pulls.
        from orgadmin.inventory import services  # noqa: F401
        from orgadmin.inventory.search import look_after_index

        post_migrate.connect(look_after_index, sender=self)
