from __future__ import annotations

from django.apps import AppConfig


class GuardrailsConfig(AppConfig):
    name = "orgadmin.guardrails"
    label = "guardrails"

    def ready(self) -> None:
        # Workers must know what a job of ours does even if no page was ever opened.
        from orgadmin.guardrails import restoring, taking_off  # noqa: F401
        from orgadmin.guardrails.succession import carry_over
        from orgadmin.inventory.successors import register

        register(carry_over=carry_over)
