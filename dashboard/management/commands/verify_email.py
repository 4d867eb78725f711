"""``manage.py verify_email``: take somebody's address for proven, where no mail can prove it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Mark an e-mail address as verified, for a dashboard without a mail server. A member sees and "
        "manages the keys of whoever has this address at OpenRouter, so make sure that the account is "
        "theirs. The address has to belong to an account here already. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the address, as its account lists it")

    def handle(self, *args: Any, **options: Any) -> None:
        from orgadmin.connections.refusals import Refused
        from orgadmin.connections.services import email_verify

        try:
            is_new = email_verify(email=options["email"])
        except Refused as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(f"{options['email']} is {'now' if is_new else 'already'} verified.")
