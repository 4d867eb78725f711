from __future__ import annotations

from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "orgadmin.members"
    label = "members"

    def ready(self) -> None:
        # Workers must know what a job of ours does even if no page was ever opened.
        from orgadmin.members import offboarding  # noqa: F401
