from __future__ import annotations

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "orgadmin.workspaces"
    label = "workspaces"

    def ready(self) -> None:
        # Workers must know what a part of a job of ours does even if no page was ever opened.
        from orgadmin.workspaces import leaving, restoring  # noqa: F401
