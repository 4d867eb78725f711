"""``manage.py prepare``: bring database, cache table and static files up to date, quickly if they are."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command

from dashboard.collecting import collect_if_changed


class Command(BaseCommand):
    help = "Migrate, create the cache table where the cache is the database, collect static files."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        if settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache"):
            call_command("createcachetable", verbosity=0)
        collected = collect_if_changed()
        self.stdout.write("Database ready; static files " + ("collected." if collected else "unchanged."))
