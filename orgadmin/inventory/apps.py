from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class InventoryConfig(AppConfig):
    name = "orgadmin.inventory"
    label = "inventory"

    def ready(self) -> None:
        # The nouns come first among the kinds of pulls.
        from orgadmin.inventory import services  # noqa: F401
        from orgadmin.inventory.search import look_after_index, teach_folding

        post_migrate.connect(look_after_index, sender=self)
        connection_created.connect(teach_folding)
