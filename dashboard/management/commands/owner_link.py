"""``manage.py owner_link``: a one-time sign-in link for the owner, on a terminal only the operator sees."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from dashboard.supervisor.readiness import wait_until_ready
from orgadmin.connections.services import owner_prepare, sign_in_link

READY_SECONDS = 120


class Command(BaseCommand):
    help = "Make sure the owner exists, and print a one-time link that signs them in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", metavar="URL", help="first wait until this /readyz answers 200")
        parser.add_argument("--email", default="owner@localhost", help="the owner's address")

    def handle(self, *args: Any, **options: Any) -> None:
        wait = options["wait"]
        if wait and not wait_until_ready(wait, seconds=READY_SECONDS):
            raise CommandError(f"The web server was not ready within {READY_SECONDS} s ({wait}).")
        self.stdout.write(f"Sign in: {sign_in_link(email=self.owner(options))}")

    def owner(self, options: dict[str, Any]) -> str:
        """Make the owner ready; returns their address."""
        return owner_prepare(email=options["email"])
