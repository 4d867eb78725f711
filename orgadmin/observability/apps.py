from __future__ import annotations

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "orgadmin.observability"
    label = "observability"

    def ready(self) -> None:
        from orgadmin.inventory import leavers, successors
        from orgadmin.observability import restoring  # noqa: F401
        from orgadmin.observability.leaving import destinations_of_keys
        from orgadmin.observability.succession import carry_over, naming, retire

        successors.register(carry_over=carry_over, retire=retire, mentions=naming)
        leavers.register(destinations_of_keys)
