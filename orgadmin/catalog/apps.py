from __future__ import annotations

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "orgadmin.catalog"
    label = "catalog"

    def ready(self) -> None:
        from orgadmin.catalog.kinds import register_all

        register_all()
