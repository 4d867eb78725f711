"""When the catalog is pulled, and what does it."""

from __future__ import annotations

from datetime import time

from orgadmin.catalog.endpoints import due as endpoints_due
from orgadmin.catalog.endpoints import pull_endpoints
from orgadmin.catalog.pull import pull_catalog
from orgadmin.inventory.kinds import Kind, daily, register

CATALOG_AT = (time(2, 0),)


def register_all() -> None:
    register(Kind("catalog", "Models and providers", pull_catalog, daily(*CATALOG_AT)))
    register(
        Kind(
            "endpoints",
            "Endpoints of models",
            pull_endpoints,
            endpoints_due,
            after="catalog",
            is_rare=True,
        )
    )
