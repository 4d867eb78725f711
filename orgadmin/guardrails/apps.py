from __future__ import annotations

from django.apps import AppConfig


class GuardrailsConfig(AppConfig):
    name = "orgadmin.guardrails"
    label = "guardrails"

    def ready(self) -> None:
        from orgadmin.guardrails.succession import carry_over
        from orgadmin.inventory.successors import register

        register(carry_over)
