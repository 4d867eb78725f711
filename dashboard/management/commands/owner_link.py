"""``manage.py owner_link``: a one-time sign-in link for the owner, on a terminal only the operator sees."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from dashboard.env import env
from dashboard.supervisor.readiness import wait_until_ready
from orgadmin.accounts.models import Role, User
from orgadmin.connections.services import owner_prepare, sign_in_link

READY_SECONDS = 120
NOBODY_NAMED = "owner@localhost"


class Command(BaseCommand):
    help = (
        "Print a one-time link that signs an owner in. Whoever owns an organization already gets it; before "
        "that, OWNER_EMAIL names the first owner, who is made if new."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", metavar="URL", help="first wait until this /readyz answers 200")
        parser.add_argument("--email", help="somebody in particular, who is made if new")

    def handle(self, *args: Any, **options: Any) -> None:
        wait = options["wait"]
        if wait and not wait_until_ready(wait, seconds=READY_SECONDS):
            raise CommandError(f"The web server was not ready within {READY_SECONDS} s ({wait}).")
        self.stdout.write(f"Sign in: {sign_in_link(email=self.owner(options))}")

    def owner(self, options: dict[str, Any]) -> str:
        """Make the owner ready; returns their address."""
        named, wished, there = options["email"], env.str("OWNER_EMAIL", "").lower(), owners()
        if named or not there:
            email = owner_prepare(email=named or wished or NOBODY_NAMED)
        else:
            email = wished if wished in there else there[0]
        self.stdout.write(f"A link for {email}, good once and within a day:")
        return email


def owners() -> list[str]:
    """The addresses of those who own an organization, whoever has done so longest first."""
    found = User.objects.filter(is_active=True, memberships__role=Role.OWNER).order_by("memberships__pk")
    return list(dict.fromkeys(found.values_list("email", flat=True)))
